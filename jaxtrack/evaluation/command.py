"""What eval.py does with one pass over each sequence: track, score, compare, report."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxtrack.datasets import Benchmark
from jaxtrack.errors import InputError
from jaxtrack.evaluation import (
    compare,
    curves,
    entries,
    folder,
    report,
    results,
    stamp,
    standings,
    submissions,
)
from jaxtrack.evaluation.compare import TrackerScores
from jaxtrack.evaluation.sections import Section
from jaxtrack.evaluation.settings import Chosen
from jaxtrack.evaluation.wanted import Wanted
from jaxtrack.evaluation.worst import worst_names, worst_sequences
from jaxtrack.metrics.protocols import PROTOCOLS


def summary_lines(
    scores: Sequence[TrackerScores], *, primary: str = compare.PRIMARY
) -> list[str]:
    """What the command prints, best tracker first.

    Args:
      scores: of the trackers.
      primary: the protocol that ranks.

    Returns:
      One line a tracker, and what the protocol found odd about the ground truth.
    """
    width = max(len(s.name) for s in scores)
    protocol, lines = scores[0].reports[primary].protocol, []
    at = "@20px" if protocol.precision_is == "at" else " (area)"
    for tracker in compare.by_auc(scores, primary=primary):
        main, given = tracker.reports[primary], tracker.reports.get("no_first")
        speed = tracker.frames_per_second
        line = (
            f"{tracker.name:<{width}}  AUC {main.auc:.3f}  "
            f"precision{at} {main.precision:.3f}  AO {main.ao:.3f}  "
            f"SR0.5 {main.sr50:.3f}  SR0.75 {main.sr75:.3f}"
        )
        if given and primary != "no_first":
            line += (
                f"  | first frame left out: AUC {given.auc:.3f}  "
                f"precision@20px {given.precision:.3f}"
            )
        lines.append(line + (f"  | {speed:.1f} frames/s" if speed else ""))
    judged = scores[0].reports[primary].sequences.values()
    if unusable := sum(s.num_unusable for s in judged):
        lines.append(
            f"note: {unusable} frames have no ground truth that the rules of "
            f"{primary!r} accept"
        )
    lines += [
        f"note: {tracker.name}: {note}"
        for tracker in scores
        for note in tracker.reports[primary].warnings[:3]
    ]
    return lines


def write_report(
    scores: Sequence[TrackerScores],
    benchmark: Benchmark,
    out_dir: str | Path,
    *,
    primary: str = compare.PRIMARY,
    analyses: Sequence[Section] = (),
    notes: Sequence[str] = (),
    made_by: dict | None = None,
) -> None:
    """Writes plots, tables, `report.json` and `report.html`, each whole or not at all.

    Args:
      scores: of the trackers; the worst sequences are those of the first.
      benchmark: what they were scored on.
      out_dir: made where it is missing.
      primary: the protocol that ranks.
      analyses: what else was asked for.
      notes: what a reader must see before any number.
      made_by: how the report came about, as JSON.

    Raises:
      InputError: a frame cannot be read or the folder not written to.
    """
    out_dir = Path(out_dir)
    figures = curves.draw(scores, primary=primary)
    worst = worst_sequences(
        scores,
        benchmark.videos,
        truth=benchmark.truth,
        origin=benchmark.origin,
        primary=primary,
    )
    parts = _parts(scores, benchmark, primary)
    text = report.html_report(
        scores,
        figures,
        worst,
        analyses=analyses,
        parts=parts,
        notes=notes,
        stamp=made_by,
        title=f"Tracking report: {benchmark.name}",
        primary=primary,
    )
    for name, png in figures.items():
        results.write_bytes(out_dir / f"{name}.png", png)
    numbers = compare.as_json(scores, primary=primary)
    numbers |= {"notes": list(notes), "stamp": made_by}
    numbers["parts"] = {part.key: part.numbers for part in parts}
    numbers["analyses"] = {section.key: section.numbers for section in analyses}
    shown = [*parts, *analyses]
    named = report.tables_of(scores, shown, primary=primary)
    folder.write(out_dir, text, numbers, shown, named)


def _parts(scores, benchmark, primary) -> list[Section]:
    """Attributes where there are any, and what other toolkits would say."""
    parts = []
    if any(benchmark.attributes.values()):
        parts.append(
            standings.attribute_section(scores, benchmark.attributes, primary=primary)
        )
    toolkits = [d for d in (primary, *PROTOCOLS) if d != "no_first"]
    by_protocol = {
        s.name: {
            d: s.reports[d] if d in s.reports else s.refused.get(d, "not asked for")
            for d in dict.fromkeys(toolkits)
        }
        for s in scores
    }
    return [*parts, standings.protocol_section(by_protocol)]


def evaluate(
    *,
    checkpoint: str | Sequence[str],
    results_of: Sequence[str],
    benchmark: Benchmark,
    out_dir: str,
    name: str = "",
    together: bool | None = None,
    wanted: Wanted | None = None,
    chosen: Chosen | None = None,
    protocol: str = "",
) -> list[TrackerScores]:
    """Runs checkpoints, reads other trackers' results, or both; scores and reports.

    What a server scores is tracked and written as the server wants it, no more.

    Args:
      checkpoint: folders of trained trackers, `DIR` or `NAME=DIR`; "" runs none.
      results_of: `NAME=DIR` of existing results.
      benchmark: the sequences.
      out_dir: for results, plots, reports and submissions.
      name: of the checkpoint in reports, where there is one; "" takes its folder's.
      together: tracks many sequences at once; None does on anything but a CPU.
      wanted: analyses of the checkpoints beside the scores.
      chosen: settings to track with instead of the checkpoints' own.
      protocol: whose rules rank; "" takes the benchmark's.

    Returns:
      The scores, the checkpoints' first; none where a server has the truth.

    Raises:
      InputError: nothing to score, or something the user gave is missing or damaged.
    """
    wanted, chosen = wanted or Wanted(), chosen or Chosen()
    checkpoints = entries.parse_checkpoints(checkpoint, name=name)
    folders = entries.parse_results(results_of)
    check_named(checkpoints, folders)
    if chosen.tracking and wanted.flags:
        raise InputError(
            f"{wanted.flags[0]} looks at checkpoints with their own settings: leave "
            "out --preset, --tuned and --set"
        )
    wanted.check(list(checkpoints), benchmark.videos)
    if not benchmark.is_scored:
        made = _tracked(checkpoints, benchmark, out_dir, together, chosen)
        submit(benchmark, {**made, **folders}, out_dir)
        return []
    primary = protocol or benchmark.protocol
    score = functools.partial(
        compare.score_benchmark,
        benchmark=benchmark,
        protocols=tuple(dict.fromkeys((primary, "no_first", *PROTOCOLS))),
        image_sizes=benchmark.image_sizes(),
    )
    # Files first: what is wrong with them shows at once.
    others = [score(n, place) for n, place in folders.items()]
    made = _tracked(checkpoints, benchmark, out_dir, together, chosen)
    scores = [score(n, place) for n, place in made.items()] + others
    found = []
    if wanted.flags:
        from jaxtrack.evaluation import analyses  # Late: as in `_tracked`.

        found = analyses.run(
            *(wanted, checkpoints, benchmark.videos, out_dir),
            scores=scores,
            worst=worst_names(scores, primary=primary),
            together=together,
        )
    made_by, notes = about(benchmark, chosen, made)
    options = {"primary": primary, "notes": notes, "made_by": made_by}
    write_report(scores, benchmark, out_dir, analyses=found, **options)
    lines = [line for section in found for line in section.lines]
    lines += [f"note: {note}" for note in notes]
    print(*summary_lines(scores, primary=primary), *lines, sep="\n")
    print(f"report: {Path(out_dir) / 'report.html'}")
    if benchmark.num_expected == len(benchmark.videos) and made:
        submit(benchmark, made, out_dir)
    return scores


def about(
    benchmark: Benchmark, chosen: Chosen, made: Mapping[str, Path]
) -> tuple[dict, list[str]]:
    """How a report comes about, and what its reader must see first.

    Args:
      benchmark: what is scored.
      chosen: settings that trackers were run with.
      made: name of a tracker -> folder of the results it was run for.

    Returns:
      The stamp, as JSON, and sentences.
    """
    hashes = {v.name: stamp.hash_sequence(v.frames, v.xyxy) for v in benchmark.videos}
    settings, warnings = chosen.about(hashes)
    for name, place in made.items():
        weights = ((stamp.read(place) or {}).get("identity") or {}).get("weights")
        warnings += chosen.about_weights(name, weights)
    made_by = stamp.describe(benchmark)
    return made_by | {"settings": settings}, [*warnings, *benchmark.notes]


def check_named(checkpoints: Mapping[str, str], folders: Mapping[str, Path]) -> None:
    """Refuses to score nothing, or two trackers of one name.

    Args:
      checkpoints: name of a tracker -> checkpoint.
      folders: name of a tracker -> folder of results.

    Raises:
      InputError: there is none, or a name is in both.
    """
    if not (checkpoints or folders):
        raise InputError("nothing to score: give --checkpoint, --results or both")
    for both in folders.keys() & checkpoints.keys():
        raise InputError(
            f"--results {both}=...: a checkpoint is called {both!r} too; "
            "give it another --name"
        )


def _tracked(checkpoints, benchmark, out_dir, together, chosen) -> dict[str, Path]:
    """Tracks with the checkpoints; returns name -> folder of results."""
    made = {}
    for name, checkpoint in checkpoints.items():
        from jaxtrack.evaluation import runner  # Late: scoring files needs no network.

        made[name] = runner.run(
            *(checkpoint, benchmark.videos, out_dir),
            name=name,
            together=together,
            tracking=chosen.tracking,
            origin=benchmark.origin,
        )
    return made


def submit(benchmark: Benchmark, made: Mapping[str, Path], out_dir: str | Path) -> None:
    """Writes and checks what a server takes, where there is one.

    Args:
      benchmark: complete.
      made: name of a tracker -> folder of its results.
      out_dir: gets `submissions/<benchmark>_<tracker>.zip`.

    Raises:
      InputError: results are missing or damaged, or a file cannot be written.
    """
    if benchmark.name not in submissions.SERVERS:
        return
    for name, place in made.items():
        path = Path(out_dir) / "submissions" / f"{benchmark.name}_{name}.zip"
        submissions.write(benchmark, place, path)
        print(f"submission, checked: {path}")
