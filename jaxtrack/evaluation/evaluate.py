"""Evaluates trackers on a dataset, in one pass or with VOT's restarts; returns data."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jaxtrack.datasets import Benchmark
from jaxtrack.datasets.sequence import Skipped
from jaxtrack.errors import InputError
from jaxtrack.evaluation import (
    compare,
    manifest,
    results,
    submissions,
    tracked,
    vot_files,
)
from jaxtrack.evaluation.analysis.options import Options
from jaxtrack.evaluation.analysis.outcome import Analyses
from jaxtrack.evaluation.scoring import TrackerScores, score_tracker
from jaxtrack.evaluation.settings import TrackingSettings
from jaxtrack.evaluation.skips import Skips
from jaxtrack.evaluation.tracked import Task
from jaxtrack.metrics import vot
from jaxtrack.metrics.protocols import PROTOCOLS
from jaxtrack.metrics.vot import VotReport

_VOT_NUMBERS = ("eao", "accuracy", "robustness", "failures")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Results of trackers on a dataset, and their scores.

    Attributes:
      benchmark: what they were scored on.
      primary: the protocol that ranks; VOT's edition where trackers are restarted.
      scores: of one pass, the checkpoints' first; none where a server has the truth.
      restarts: of VOT, name of a tracker -> report, the checkpoints' first.
      folders: name of a tracker -> folder of the results that it was run for.
      analyses: what else was asked for.
      notes: sentences that a reader must see before any number.
      skipped: sequences that were left out, for all trackers.
      made_by: how the evaluation came about, as JSON.
    """

    benchmark: Benchmark
    primary: str
    scores: list[TrackerScores] = field(default_factory=list)
    restarts: dict[str, VotReport] = field(default_factory=dict)
    folders: dict[str, Path] = field(default_factory=dict)
    analyses: Analyses = field(default_factory=Analyses)
    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    made_by: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Everything that was found, ready for `json.dumps`.

        Returns:
          Of one pass what `compare.as_json` holds, and "analyses"; of VOT
          "vot": the edition, and "trackers": name -> numbers. "notes", "skipped"
          (sequences that were left out, with reasons) and "manifest".
        """
        about = {
            "notes": list(self.notes),
            "skipped": [one._asdict() for one in self.skipped],
            "manifest": dict(self.made_by),
        }
        if self.restarts:
            trackers = {
                name: compare.plain({n: getattr(report, n) for n in _VOT_NUMBERS})
                for name, report in self.restarts.items()
            }
            return {"vot": {"edition": self.primary, "trackers": trackers}, **about}
        carried = self.benchmark.attributes
        return {
            **compare.as_json(self.scores, carried, primary=self.primary),
            **about,
            "analyses": self.analyses.as_json(),
        }


def evaluate(
    benchmark: Benchmark,
    out_dir: str | Path,
    *,
    checkpoints: Mapping[str, str | PathLike] = _NOTHING,
    results_of: Mapping[str, str | Path] = _NOTHING,
    settings: TrackingSettings | None = None,
    analyses: Options | None = None,
    protocol: str = "",
    batched: bool | None = None,
    strict: bool = False,
) -> Evaluation:
    """Runs checkpoints, reads other trackers' results, or both, and scores them.

    With restarts where the dataset has regions, as VOT's; else in one pass. What a
    server scores is only tracked.

    Args:
      benchmark: the sequences.
      out_dir: results go to `<out_dir>/results`, measurements of analyses beside them.
      checkpoints: name of a tracker -> folder of a trained one.
      results_of: name of a tracker -> folder of existing results.
      settings: to track with instead of the checkpoints' own.
      analyses: of the checkpoints beside the scores.
      protocol: that ranks; "" takes the dataset's.
      batched: tracks many sequences at once; None does on anything but a CPU.
      strict: raises for a sequence that cannot be tracked or scored; else it is left
        out for all trackers, so that their numbers can be compared.

    Returns:
      The scores and what belongs to them.

    Raises:
      InputError: nothing to score, an analysis that cannot be done, or something the
        user gave is missing or damaged.
    """
    settings = settings or TrackingSettings()
    result_paths = {n: Path(place) for n, place in results_of.items()}
    task = Task(benchmark, Path(out_dir), checkpoints, result_paths, settings, strict)
    analyses = analyses or Options()
    _check(task, analyses)
    if benchmark.regions:
        return _with_restarts(task)
    primary = protocol or benchmark.protocol
    if not benchmark.is_scored:
        skips = Skips(task.benchmark, strict=task.strict)
        folders = tracked.track(task, skips, batched=batched) | result_paths
        of = {"benchmark": skips.left(), "primary": primary, "skipped": skips.skipped}
        return Evaluation(**of, folders=folders)
    return _in_one_pass(task, analyses, primary=primary, batched=batched)


def submit(evaluation: Evaluation, out_dir: str | Path) -> list[Path]:
    """Writes submission files for benchmarks that have a server.

    Args:
      evaluation: submitted is what was tracked, and of a benchmark that only a server
        can score also the other trackers' results; a part of a benchmark that can be
        scored here is not, nor is anything where sequences were left out.
      out_dir: gets `submissions/<benchmark>_<tracker>.zip`.

    Returns:
      The files.

    Raises:
      InputError: results are missing or damaged, or a file cannot be written.
    """
    benchmark = evaluation.benchmark
    if evaluation.skipped:
        return []
    is_whole = len(benchmark.videos) == benchmark.num_expected
    if not submissions.is_taken(benchmark) or (benchmark.is_scored and not is_whole):
        return []
    return [
        submissions.write(
            benchmark,
            place,
            Path(out_dir) / "submissions" / f"{benchmark.name}_{name}.zip",
        )
        for name, place in evaluation.folders.items()
    ]


def _in_one_pass(
    task: Task, analyses: Options, *, primary: str, batched: bool | None
) -> Evaluation:
    """Tracks and scores one pass over each sequence, and analyses checkpoints."""
    skips = Skips(task.benchmark, strict=task.strict)
    # Files first: what is wrong with them shows at once.
    boxes = {n: skips.read(n, p, primary) for n, p in task.results_of.items()}
    folders = tracked.track(task, skips, batched=batched)
    boxes = {n: skips.read(n, p, primary) for n, p in folders.items()} | boxes
    benchmark = skips.left()
    score = functools.partial(
        score_tracker,
        benchmark=benchmark,
        protocols=tuple(dict.fromkeys((primary, "no_first", *PROTOCOLS))),
        image_sizes=benchmark.image_sizes(),
    )
    places = task.results_of | folders
    scores = [
        score(name, found_boxes, made_by=manifest.read(places[name]))
        for name, found_boxes in boxes.items()
    ]
    outcome = Analyses()
    if analyses.flags:
        from jaxtrack.evaluation.analysis import analyze  # Late: as in `tracked`.

        of = {"videos": benchmark.videos, "out_dir": task.out_dir}
        how = {"scores": scores, "primary": primary, "batched": batched}
        outcome = analyze.analyze(analyses, task.checkpoints, **of, **how)
    made_by, notes = _about(benchmark, task.settings, folders)
    about = {
        "folders": folders,
        "analyses": outcome,
        "notes": notes,
        "made_by": made_by,
    }
    return Evaluation(
        benchmark=benchmark,
        primary=primary,
        scores=scores,
        skipped=skips.skipped,
        **about,
    )


def _with_restarts(task: Task) -> Evaluation:
    """Runs and scores VOT's experiment."""
    skips = Skips(task.benchmark, strict=task.strict)
    # Files first: what is wrong with them shows at once.
    runs_of = {name: skips.read_runs(name, p) for name, p in task.results_of.items()}
    folders = tracked.track(task, skips)
    runs_of = {name: skips.read_runs(name, p) for name, p in folders.items()} | runs_of
    benchmark = skips.left()
    sizes = benchmark.image_sizes()
    if sizes is None:
        raise InputError(f"{benchmark.name}: no picture of some sequence can be read")
    options = {"tags": benchmark.tags, "edition": benchmark.protocol}
    manifest_folders = {n: place / vot_files.EXPERIMENT for n, place in folders.items()}
    made_by, notes = _about(benchmark, task.settings, manifest_folders)
    return Evaluation(
        benchmark=benchmark,
        primary=benchmark.protocol,
        restarts={
            name: vot.score(
                benchmark.regions,
                {n: runs[n] for n in benchmark.regions},
                image_size=sizes,
                **options,
            )
            for name, runs in runs_of.items()
        },
        folders=folders,
        notes=notes,
        made_by=made_by,
        skipped=skips.skipped,
    )


def _about(
    benchmark: Benchmark, settings: TrackingSettings, folders: Mapping[str, Path]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """How an evaluation was made, as JSON, and its notes."""
    hashes = manifest.hash_sequences(benchmark.videos)
    manifests = {name: manifest.read(place) or {} for name, place in folders.items()}
    weights = {
        n: (m.get("identity") or {}).get("weights") for n, m in manifests.items()
    }
    used, warnings = settings.about(hashes, weights)
    made_by = manifest.describe(benchmark)
    return made_by | {"settings": used}, (*warnings, *benchmark.notes)


def _check(task: Task, analyses: Options) -> None:
    """Rejects impossible requests before anything is tracked."""
    benchmark = task.benchmark
    if not (task.checkpoints or task.results_of):
        raise InputError("nothing to score: give --checkpoint, --results or both")
    for name in task.checkpoints:
        results.checked_name(name)
        if name in task.results_of:
            raise InputError(
                f"--results {name}=...: a checkpoint is called {name!r} too; "
                "give it another name"
            )
    if not analyses.flags:
        return
    flag = analyses.flags[0]
    if task.settings.tracking:
        raise InputError(
            f"{flag} looks at checkpoints with their own settings: leave out --preset, "
            "--tuned and --set"
        )
    if benchmark.regions:
        raise InputError(
            f"{flag} looks at one pass over each sequence; {benchmark.name} restarts "
            "trackers: use --sequences=DIR for it"
        )
    analyses.check(list(task.checkpoints), benchmark.videos)
