"""Record what this machine computes, and compare it with another machine.

Examples:
  jaxtrack portability run --out=here.npz
  jaxtrack portability compare here.npz --out=runs/portability
  jaxtrack portability compare gpu.npz cpu.npz

Weights, crops and a video are made of fixed numbers, so that nothing but the machine's
arithmetic differs. The reference that ships was recorded on a CPU in float32. Exit
status of compare: 1 if something exceeds its tolerance, 3 if something could not be
compared. docs/portability.md tells how to read the table and the plots.
"""

import argparse
import csv
import io
import pathlib
import sys

from jaxtrack.cli import checks, options, skipped
from jaxtrack.datasets.sequence import Skipped
from jaxtrack.errors import InputError, require, suggest
from jaxtrack.portability import plan

# Kind -> file, title, axes; those with many rows per tracker.
_PLOTS = {
    "layer": ("layers", "Layers", "layer, in the order of execution", "relative error"),
    "gradient": ("gradients", "First gradient", "parameter", "relative error"),
    "box": ("boxes", "Boxes", "frame", "px apart"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    meaning = "compute with trackers on this machine, and keep what was computed"
    action = actions.add_parser("run", help=meaning)
    options.add(action, "--out", "FILE", ".npz file to write", required=True)
    meaning = "configs, or lite, whose weights ship; all takes one of each kind"
    _add_names(action, "--trackers", "A,B,...", meaning, ",".join(plan.DEFAULT))
    meanings = "; ".join(f"{name}: {part.meaning}" for name, part in plan.PARTS.items())
    _add_names(action, "--parts", "A,B,...", f"what to compute ({meanings})", "all")
    meanings = "; ".join(f"{name}: {text}" for name, text in plan.CONDITIONS.items())
    _add_names(action, "--conditions", "A,B,...", f"how ({meanings})", "all")
    meaning = "keep the trackers' own backbones, instead of a few convolutions in "
    meaning += "their place; minutes a tracker on a CPU"
    options.add_flag(action, "--full", meaning)
    meaning = "show how far a recording is from another one's float32"
    action = actions.add_parser("compare", help=meaning)
    action.add_argument("found", metavar="A", help="recording to judge")
    meaning = "recording to compare with (default: the reference that ships)"
    action.add_argument("reference", metavar="B", nargs="?", default="", help=meaning)
    options.add(action, "--out", "DIR", "folder for all rows and the plots")


def _add_names(action, name, metavar, meaning, default):
    """Defines an option of names joined by commas."""
    options.add(action, name, metavar, meaning, default=default)


def run(args: argparse.Namespace) -> None:
    """Records or compares."""
    if args.action == "run":
        _record(args)
    else:
        _compare(args)


def _record(args: argparse.Namespace) -> None:
    """Records what this machine computes."""
    checks.check_file(args.out, suffix=".npz")
    parts = _chosen("--parts", args.parts, plan.PARTS)
    conditions = _chosen("--conditions", args.conditions, plan.CONDITIONS)
    names = options.comma_separated(args.trackers)
    if names == ["all"]:
        names = list(plan.ALL)
    # Late: --help should not wait for jax.
    from jaxtrack.portability import experiment, recording

    backbones = experiment.backbones_of(names)
    machine = experiment.examine()
    for condition in conditions:
        if reason := machine.idle.get(condition):
            print(f"{condition}: left out: {reason}")
    conditions = [name for name in conditions if name not in machine.idle]
    if args.full:
        parts = [name for name in parts if name != "backbone"]
    items = plan.items(backbones, parts=parts, conditions=conditions)
    if not items:
        raise InputError(
            "nothing to compute: none of --parts has one of --conditions here: choose "
            "others (see jaxtrack portability run --help)"
        )
    recorded = experiment.record(
        items,
        machine,
        full=args.full,
        say=lambda text: print(text, flush=True),
        keep=lambda recording_: recording.write(args.out, recording_),
    )
    size = pathlib.Path(args.out).stat().st_size / 1e3
    about = recording.describe(recorded.about)
    print(f"{args.out}: {len(recorded.values)} arrays, {size:.0f} kB: {about}")


def _chosen(option, text, known):
    """Returns the names of an option, in the order of those known."""
    names = options.comma_separated(text)
    if names == ["all"]:
        return list(known)
    for name in names:
        if name not in known:
            raise InputError(f"{option}={text}: no {name!r}: {suggest(name, known)}")
    return [name for name in known if name in names]


def _compare(args: argparse.Namespace) -> None:
    """Prints and draws how far a recording is from another one."""
    from jaxtrack.portability import compare, recording

    if args.out:
        require("matplotlib")
        checks.check_folder(args.out)
    recorded = recording.read(args.found)
    reference = recording.read(args.reference or recording.REFERENCE)
    compared = compare.compare(recorded, reference)
    name = args.reference or "the reference that ships"
    print(f"{args.found}: {recording.describe(recorded.about)}")
    print(f"{name}: {recording.describe(reference.about)}\n")
    table = compare.summary(compared.rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        cells = zip(line, widths, strict=True)
        print("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    if args.out:
        _write(pathlib.Path(args.out), compared.rows)
        print(f"\n{args.out}: all rows, and plots")
    over = compare.first_over(compared.rows)
    for row in over:
        key = row.key
        print(
            f"{key.tracker}, {key.condition}: {key.part}: the first {key.kind} over "
            f"its tolerance of {row.tolerance:.1e} is {key.name}: {row.error:.1e}",
            file=sys.stderr,
        )
    if over:
        raise SystemExit(1)
    skipped.finish([Skipped(*each) for each in compared.left_out.items()])


def _write(folder, rows):
    """Writes all rows as a table, and the plots."""
    from jaxtrack.evaluation import atomic
    from jaxtrack.report.plots import portability, style

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow((*rows[0].key._fields, "error", "tolerance"))
    table.writerows((*row.key, f"{row.error:.3e}", row.tolerance) for row in rows)
    atomic.write_text(folder / "compared.csv", text.getvalue())
    for kind, (name, title, xlabel, ylabel) in _PLOTS.items():
        panels: dict[str, dict[str, list]] = {}
        for row in rows:
            if row.key.kind == kind:
                lines = panels.setdefault(row.key.tracker, {})
                lines.setdefault(row.key.condition, []).append(row)
        if not panels:
            continue
        drawn = {
            tracker: [
                portability.Line(
                    label,
                    errors=[row.error for row in group],
                    tolerance=group[0].tolerance,
                    names=[row.key.name for row in group],
                )
                for label, group in lines.items()
            ]
            for tracker, lines in panels.items()
        }
        labels = {"title": title, "xlabel": xlabel, "ylabel": ylabel}
        figure = portability.draw(drawn, **labels)
        atomic.write_bytes(folder / f"{name}.png", style.png_of(figure))
