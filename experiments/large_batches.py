r"""Compares rules that scale the learning rate with the batch, on equal pairs.

Trains the parts of siamcar_lite0 that follow its frozen backbone, whose features are
computed once, on pairs of composed scenes; all trainings see the same number of pairs.
Rates are scaled by `optimizer.lr_scaling` from a batch of 32 pairs, at which a quarter
and four times the rate are tried, too. Tested on pairs of other photographs: their
loss, and the overlap of the best cell's box with the truth. Channels and crops are
small, so that it takes a CPU minutes; --whole is for a GPU. Run the same command again
to resume. Writes large_batches.jsonl, .md and .png.

Examples:
  python -m experiments.large_batches --out=runs/large_batches
  python -m experiments.large_batches --whole --batches=32,128,512,2048 \
      --pairs=131072 --distinct=32768 --out=runs/large_batches_gpu
"""

import argparse
import itertools
import json
import pathlib
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from ml_collections import ConfigDict
from tqdm import tqdm

from jaxtrack import cli, config, configs, trackers
from jaxtrack.cli import options, overrides
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.report.plots.style import color_of, png_of
from jaxtrack.training import schedule

REFERENCE = 32  # Pairs of the batch that the rates are for.
RULES = ("none", "sqrt", "linear")
# Times `optimizer.lr`, which is AdamW's, and decay.
KINDS: Mapping[str, tuple[float, float]] = {
    "adamw": (1.0, 1e-2),
    "sgd": (6.0, 1e-4),
    "lars": (125.0, 1e-4),
    "lamb": (4.0, 1e-2),
}
_FACTORS = (0.25, 1.0, 4.0)  # Of the rate, at `REFERENCE` pairs.
_AT_ONCE = 128  # Pairs are drawn in such batches.
_WHOLE_RANGE = ("adamw", "sgd")  # The others are trained with the largest batch.


class Case(NamedTuple):
    """A training.

    Attributes:
      kind: of the optimizer.
      batch: pairs a step.
      rule: `optimizer.lr_scaling`, or "x" for a factor of one's own.
      factor: that the rule makes of the rate for `REFERENCE` pairs.
      seed: of the initial parameters and the order of pairs.
    """

    kind: str
    batch: int
    rule: str
    factor: float
    seed: int


def cases(
    kinds: Sequence[str], batches: Sequence[int], num_seeds: int
) -> Iterator[Case]:
    """Yields the trainings, all of a seed before the next seed's."""
    for seed, kind in itertools.product(range(num_seeds), kinds):
        for batch in batches if kind in _WHOLE_RANGE else (REFERENCE, max(batches)):
            for rule, factor in _factors(batch):
                yield Case(kind, batch, rule, factor, seed)


def _factors(batch):
    """Returns rules and what they make of the rate."""
    if batch == REFERENCE:
        return [("none" if factor == 1 else "x", factor) for factor in _FACTORS]
    how = {"batch_size": batch, "reference": REFERENCE}
    return [(rule, schedule.rate_factor(rule, **how)) for rule in RULES]


def settings_of(base: ConfigDict, case: Case, pairs: int) -> ConfigDict:
    """Returns the settings of a training of one epoch of `pairs`."""
    c = base.copy_and_resolve_references()
    times, decay = KINDS[case.kind]
    rate = base.optimizer.lr * times * (case.factor if case.rule == "x" else 1)
    c.run.seed, c.run.batch_size = case.seed, case.batch
    c.run.num_epochs, c.run.pairs_per_epoch = 1, pairs
    c.optimizer.kind = case.kind
    c.optimizer.weight_decay = decay
    c.optimizer.lr, c.optimizer.lr_end = rate, rate / 50
    c.optimizer.lr_warmup, c.optimizer.warmup_epochs = rate / 50, 0.1
    c.optimizer.reference_batch = REFERENCE
    c.optimizer.lr_scaling = "none" if case.rule == "x" else case.rule
    config.check(c)
    return c


def run_all(
    base: ConfigDict,
    planned: Sequence[Case],
    sizes: Mapping[str, Any],
    log: pathlib.Path,
) -> None:
    """Trains what the log does not have yet, and appends a line for each.

    Args:
      base: the settings.
      planned: the trainings.
      sizes: "whole", "pairs", "distinct" and "test"; see `add_arguments`.
      log: the file.
    """
    from experiments import batch_trainer as lib  # Takes seconds.

    done = {key_of(row) for row in read(log)}
    left = [case for case in planned if case not in done]
    if not left:
        return
    family = trackers.family_of(base)
    network = family.network(base)
    if not sizes["whole"]:
        network = lib.miniature(network)
    first = {
        seed: lib.first_variables(base, network, seed)
        for seed in dict.fromkeys(case.seed for case in left)
    }
    trained = next(iter(first.values()))
    counts = {"train": sizes["distinct"], "eval": sizes["test"]}
    how = base, network, trained
    data = lib.Data(**{split: lib.draw(*how, split, counts[split]) for split in counts})
    trainer = lib.Trainer(base, network, data)
    for case in tqdm(left, desc="training", unit="run"):
        found = trainer.run(settings_of(base, case, sizes["pairs"]), first[case.seed])
        with open(log, "a") as file:
            file.write(json.dumps(case._asdict() | found) + "\n")


def read(log: pathlib.Path) -> list[dict[str, Any]]:
    """Returns the finished trainings; the first line holds the settings."""
    return [json.loads(line) for line in log.read_text().splitlines()[1:]]


def key_of(row: Mapping[str, Any]) -> Case:
    """Returns which training a line of the log is."""
    return Case(*(row[name] for name in Case._fields))


def check(log: pathlib.Path, about: Mapping[str, Any]) -> None:
    """Begins the log, or checks its settings and removes a line that was cut off.

    Raises:
      InputError: it was not.
    """
    if not log.exists():
        atomic.write_text(log, json.dumps(about) + "\n")
    text = log.read_text()
    if not text.endswith("\n"):  # A kill while the last line was written.
        atomic.write_text(log, text[: text.rfind("\n") + 1])
    before = json.loads(text.splitlines()[0])
    if before != dict(about):
        raise InputError(f"{log} was made with {before}: choose another --out")


def summarize(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns mean and spread over seeds of each measure, a row for each case."""
    groups: dict[Case, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(key_of(row)._replace(seed=0), []).append(row)
    found = []
    for case, members in sorted(groups.items(), key=lambda item: _place(item[0])):
        entry: dict[str, Any] = case._asdict() | {"seeds": len(members)}
        for name in ("loss", "test_loss", "iou", "cpu_seconds", "seconds"):
            values = [member[name] for member in members]
            spread = statistics.stdev(values) if len(values) > 1 else 0.0
            entry[name] = statistics.mean(values), spread
        found.append(entry)
    return found


def _place(case):
    """Returns where a case stands in the table."""
    return list(KINDS).index(case.kind), case.batch, case.factor


def markdown(summary: Sequence[Mapping[str, Any]]) -> str:
    """Returns the table: means over seeds, and their standard deviations."""
    lines = [
        "| optimizer | batch | rule | rate x | training loss | test loss | test IoU "
        "| s, CPU s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in summary:
        rule = "-" if row["batch"] == REFERENCE else row["rule"]
        told = [row["kind"], str(row["batch"]), rule, f"{row['factor']:g}"]
        told += [
            "{:.3f} ± {:.3f}".format(*row[n]) for n in ("loss", "test_loss", "iou")
        ]
        told.append(f"{row['seconds'][0]:.1f}, {row['cpu_seconds'][0]:.1f}")
        lines.append(f"| {' | '.join(told)} |")
    return "\n".join(lines) + "\n"


def draw_plot(summary: Sequence[Mapping[str, Any]]) -> bytes:
    """Draws the test's overlap by batch, a panel for each optimizer; returns a PNG."""
    kinds = list(dict.fromkeys(row["kind"] for row in summary))
    size = (3.1 * len(kinds) + 0.6, 3.3)
    figure = Figure(figsize=size, dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=True):
        _panel(axes, kind, [row for row in summary if row["kind"] == kind])
    panels[0].set_ylabel("IoU on test pairs, mean ± std")
    panels[-1].legend(fontsize=8)
    return png_of(figure)


def _panel(axes: Axes, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Draws one optimizer."""
    reference = [row for row in rows if row["batch"] == REFERENCE]
    for row in reference:
        if row["factor"] != 1:
            axes.plot(REFERENCE, row["iou"][0], "x", color="0.5")
            label = f" x {row['factor']:g}"
            axes.annotate(label, (REFERENCE, row["iou"][0]), fontsize=7, color="0.4")
    middle = [row for row in reference if row["factor"] == 1]
    for place, rule in enumerate(RULES):
        others = [r for r in rows if r["rule"] == rule and r["batch"] != REFERENCE]
        line = sorted([*middle, *others], key=lambda row: row["batch"])
        means, spreads = zip(*(row["iou"] for row in line), strict=True)
        at = [row["batch"] * 1.04 ** (place - 1) for row in line]
        style = {"color": color_of(place), "marker": "o", "markersize": 4}
        axes.errorbar(at, means, spreads, label=rule, capsize=2, **style)
    batches = sorted({row["batch"] for row in rows})
    axes.set_xscale("log")
    axes.set_xticks(batches, map(str, batches))
    axes.minorticks_off()
    axes.set_title(kind, fontsize=10)
    axes.set_xlabel("pairs a step")
    axes.grid(color="0.9", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add = options.add
    meaning = "config of a light SiamCAR with a frozen backbone"
    add(parser, "--config", "NAME", meaning, default="siamcar_lite0")
    add(parser, "--config.FIELD", "VALUE", "change one setting of all trainings")
    words = {"type": options.comma_separated}
    meaning = "optimizers; lars and lamb only with the largest batch"
    add(parser, "--kinds", "NAME,NAME", meaning, default=",".join(KINDS), **words)
    meaning = f"pairs a step; {REFERENCE} is the reference"
    add(parser, "--batches", "N,N", meaning, default="32,128,512", type=_counts)
    for name, default, meaning in (
        ("--pairs", 8192, "pairs per training, a multiple of the batches"),
        ("--distinct", 2048, f"different pairs to train on, a multiple of {_AT_ONCE}"),
        ("--test", 512, f"pairs to test on, a multiple of {_AT_ONCE}"),
        ("--seeds", 3, "trainings of each kind"),
    ):
        add(parser, name, "N", meaning, type=options.count, default=default)
    options.add_flag(parser, "--whole", "the network and crops of siamcar_lite0")
    meaning, out = "output folder", pathlib.Path("runs/large_batches")
    add(parser, "--out", "DIR", meaning, type=pathlib.Path, default=out)


def _counts(text: str) -> list[int]:
    """Reads numbers of pairs, separated by commas."""
    return [options.count(part) for part in options.comma_separated(text)]


def _check_options(args):
    """Raises for what cannot be trained, before pairs are drawn."""
    if unknown := [kind for kind in args.kinds if kind not in KINDS]:
        raise InputError(f"--kinds: no {unknown[0]}; there are {', '.join(KINDS)}")
    numbers = {"pairs": args.batches, "distinct": [_AT_ONCE], "test": [_AT_ONCE]}
    for name, divisors in numbers.items():
        for divisor in divisors:
            if (value := getattr(args, name)) % divisor:
                raise InputError(f"--{name}={value} is no multiple of {divisor}")


def run(args: argparse.Namespace) -> None:
    """Trains what is not finished, and writes the summary."""
    _check_options(args)
    base = trackers.with_preprocessing(configs.load(args.config))
    base.data.bank = "off"  # Every pair is drawn once.
    if not args.whole:  # Its crops are a quarter as large, and its best rate higher.
        base.augment.template_shift /= 4
        base.augment.search_shift /= 4
        base.optimizer.lr *= 4
    overrides.apply(base, args.overrides)
    sizes = {
        name: getattr(args, name) for name in ("pairs", "distinct", "test", "whole")
    }
    planned = list(cases(args.kinds, args.batches, args.seeds))
    log = args.out / "large_batches.jsonl"
    args.out.mkdir(parents=True, exist_ok=True)
    check(log, sizes | {"config": args.config, "changes": dict(args.overrides)})
    run_all(base, planned, sizes, log)
    summary = summarize(read(log))
    atomic.write_text(args.out / "large_batches.md", markdown(summary))
    atomic.write_bytes(args.out / "large_batches.png", draw_plot(summary))
    print(markdown(summary))
    print(f"written: {args.out / 'large_batches.md'}")


if __name__ == "__main__":
    cli.run_command(
        sys.modules[__name__], sys.argv[1:], prog="experiments.large_batches"
    )
