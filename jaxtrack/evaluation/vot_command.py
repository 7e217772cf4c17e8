"""What eval.py does with VOT's reset-based experiment: run, score, compare, report."""

from collections.abc import Sequence
from pathlib import Path

from jaxtrack.datasets import Benchmark
from jaxtrack.errors import InputError
from jaxtrack.evaluation import (
    colophon,
    command,
    entries,
    folder,
    report,
    sections,
    standings,
    tables,
    vot_files,
    vot_plots,
)
from jaxtrack.evaluation.sections import Column, Section, Table
from jaxtrack.evaluation.settings import Chosen
from jaxtrack.evaluation.wanted import Wanted
from jaxtrack.metrics import vot
from jaxtrack.metrics.vot import VotReport

_NUMBERS = ("eao", "accuracy", "robustness", "failures")
_OF_FRAMES = {"accuracy": "Accuracy", "failures": "Failures"}
_HOW = {
    "eao": {"better": "high"},
    "accuracy": {"better": "high"},
    "failures": {"better": "low", "digits": 1},
}


def evaluate(
    *,
    checkpoint: str | Sequence[str],
    results_of: Sequence[str],
    benchmark: Benchmark,
    out_dir: str,
    name: str = "",
    chosen: Chosen | None = None,
    wanted: Wanted | None = None,
) -> dict[str, VotReport]:
    """Runs checkpoints with resets, reads other trackers' runs; scores and reports.

    Args:
      checkpoint: folders of trained trackers, `DIR` or `NAME=DIR`; "" runs none.
      results_of: `NAME=DIR` of existing runs, `DIR/baseline/<sequence>/...`.
      benchmark: the sequences, with regions.
      out_dir: for results, plots, report and submission.
      name: of the checkpoint in reports, where there is one; "" takes its folder's.
      chosen: settings to track with instead of the checkpoints' own.
      wanted: analyses, of which there are none here.

    Returns:
      Name of a tracker -> report, the checkpoints' first.

    Raises:
      InputError: nothing to score, an analysis is asked for, or something the user
        gave is missing or damaged.
    """
    chosen, wanted = chosen or Chosen(), wanted or Wanted()
    if wanted.flags:
        raise InputError(
            f"{wanted.flags[0]} looks at one pass over each sequence; "
            f"{benchmark.name} restarts trackers: use --sequences=DIR for it"
        )
    checkpoints = entries.parse_checkpoints(checkpoint, name=name)
    folders = entries.parse_results(results_of)
    command.check_named(checkpoints, folders)
    options = {
        "tags": benchmark.tags,
        "image_size": benchmark.image_sizes(),
        "edition": benchmark.protocol,
    }
    # Files first: what is wrong with them shows at once.
    others = {n: _score(place, benchmark, options) for n, place in folders.items()}
    made = {}
    for called, place in checkpoints.items():
        from jaxtrack.evaluation import vot_run  # Late: scoring needs no network.

        made[called] = vot_run.run(
            *(place, benchmark.videos, benchmark.regions, out_dir),
            name=called,
            tracking=chosen.tracking,
        )
    scored = {n: _score(place, benchmark, options) for n, place in made.items()}
    scored |= others
    stamped = {n: place / vot_files.EXPERIMENT for n, place in made.items()}
    made_by, notes = command.about(benchmark, chosen, stamped)
    parts = _sections(scored, benchmark.name)
    _write(parts, benchmark, Path(out_dir), notes=notes, made_by=made_by)
    print(*parts[0].lines, *(f"note: {note}" for note in notes), sep="\n")
    print(f"report: {Path(out_dir) / 'report.html'}")
    if benchmark.num_expected == len(benchmark.videos):
        command.submit(benchmark, made, out_dir)
    return scored


def _score(place, benchmark: Benchmark, options) -> VotReport:
    """Reads and scores one tracker's runs."""
    runs = vot_files.read_runs(place, benchmark.regions)
    return vot.score(benchmark.regions, runs, **options)


def _sections(scored: dict[str, VotReport], edition: str) -> list[Section]:
    """The ranking with its plots, then tags and sequences."""
    ranking = standings.vot_section(
        {n: {k: getattr(r, k) for k in _NUMBERS} for n, r in scored.items()},
        {
            "Expected average overlap, ranked": vot_plots.eao_ranking_plot(scored),
            "Expected overlap over length": vot_plots.eao_curve_plot(scored),
            "Accuracy and robustness": vot_plots.ar_plot(scored),
        },
        edition=edition,
    )
    has_tags = any(report.tags for report in scored.values())
    return [ranking, *([_tags(scored)] if has_tags else []), _per_sequence(scored)]


def _tags(scored: dict[str, VotReport]) -> Section:
    """Scores of the frames that carry a tag, a table a number."""
    tags = list(next(iter(scored.values())).tags)
    made = []
    for number, head in {"eao": "EAO", **_OF_FRAMES}.items():
        columns = [Column(tag, **_HOW[number]) for tag in tags]
        rows = [
            ((place, name), [getattr(report.tags[tag], number) for tag in tags])
            for place, (name, report) in enumerate(scored.items())
        ]
        made.append(Table(f"Tracker, {head}", columns, rows, caption=f"{head} by tag."))
    note = "Over the frames that carry a tag."
    return Section(key="tags", title="Tags", note=note, numbers={}, tables=made)


def _per_sequence(scored: dict[str, VotReport]) -> Section:
    """Accuracy and failures of each sequence, a table each."""
    made = []
    for number, head in _OF_FRAMES.items():
        columns = [Column(name, **_HOW[number]) for name in scored]
        rows = [
            (name, [_of(report.sequences[name], number) for report in scored.values()])
            for name in next(iter(scored.values())).sequences
        ]
        made.append(
            Table(f"Sequence, {head}", columns, rows, title=head, marked_in="rows")
        )
    return Section(
        key="sequences",
        title="Sequences",
        note="Failures are a mean over repetitions.",
        numbers={},
        tables=made,
    )


def _of(one: vot.SequenceScore, number: str) -> float:
    """A number of a sequence."""
    if number == "failures":
        return sum(one.failures) / len(one.failures)
    return one.accuracy


def _write(parts, benchmark, out_dir, *, notes, made_by) -> None:
    """Writes pictures, tables, `report.json` and `report.html`."""
    named = tables.of_sections(parts)
    chapters = [(p.key, p.title, sections.as_html(p)) for p in parts]
    chapters += [
        ("stamps", "How the report was made", colophon.stamps([], made_by)),
        ("tables", "Tables to copy", report.copies(named)),
    ]
    text = report.page_of(
        f"Tracking report: {benchmark.name}",
        f"Trackers: {len(parts[0].tables[0].rows)}, sequences: "
        f"{len(benchmark.videos)}, each started anew after failures.",
        chapters,
        notes=notes,
    )
    numbers = {part.key: part.numbers for part in parts if part.numbers}
    numbers |= {"notes": list(notes), "stamp": made_by}
    folder.write(out_dir, text, numbers, parts, named)
