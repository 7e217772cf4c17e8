"""Tracks the sequences of an evaluation, alone or shared by several processes."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import NamedTuple

from jaxtrack.datasets import Benchmark
from jaxtrack.datasets.sequence import Skipped
from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest, vot_files
from jaxtrack.evaluation.settings import TrackingSettings
from jaxtrack.evaluation.skips import Skips
from jaxtrack.shares import WHOLE, Share


class Task(NamedTuple):
    """What is evaluated; see `evaluate.evaluate`."""

    benchmark: Benchmark
    out_dir: Path
    checkpoints: Mapping[str, str | PathLike]
    results_of: dict[str, Path]
    settings: TrackingSettings
    strict: bool


class Progress(NamedTuple):
    """The state of an evaluation that several processes share.

    Attributes:
      missing: names of the sequences that no process has finished.
      skipped: what this process had to leave out.
    """

    missing: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def track(
    task: Task, skips: Skips, *, batched: bool | None = None, share: Share = WHOLE
) -> dict[str, Path]:
    """Tracks with the checkpoints the sequences that lack results.

    Args:
      task: what is evaluated.
      skips: collects what cannot be tracked.
      batched: see `evaluate.evaluate`.
      share: of this process; see `manifest.complete`.

    Returns:
      Name of a tracker -> folder of results.

    Raises:
      InputError: a checkpoint is missing or damaged, or a file cannot be written.
    """
    folders = {}
    for name, place in task.checkpoints.items():
        from jaxtrack.evaluation import run, vot_run  # Late: scoring needs no network.

        # Processes divide the same sequences, whatever one of them had to leave out.
        benchmark = skips.left() if share.count == 1 else task.benchmark
        given = place, benchmark.videos, task.out_dir
        how = {"name": name, "tracking": task.settings.tracking, "skip": skips.add}
        how["share"] = share
        if benchmark.regions:
            folders[name] = vot_run.track_checkpoint(*given, **how)
        else:
            how |= {"batched": batched, "origin": benchmark.origin}
            folders[name] = run.track_checkpoint(*given, **how)
    return folders


def track_share(
    benchmark: Benchmark,
    out_dir: str | Path,
    *,
    checkpoints: Mapping[str, str | PathLike],
    share: Share,
    settings: TrackingSettings | None = None,
    batched: bool | None = None,
    strict: bool = False,
) -> Progress:
    """Tracks a share of the sequences, then the shares at which no process works.

    Each of `share.count` processes calls it; what one of them leaves when it dies, the
    others do, or the next call. `evaluate.evaluate` then finds all results.

    Args:
      benchmark: the sequences, the same in all processes.
      out_dir: of the evaluation; all processes must see it.
      checkpoints: name of a tracker -> folder of a trained one.
      share: of this process.
      settings: to track with instead of the checkpoints' own.
      batched: see `evaluate.evaluate`.
      strict: raises for a sequence that cannot be tracked.

    Returns:
      What is left.

    Raises:
      InputError: there is no checkpoint, one is missing or damaged, or a file cannot be
        written.
    """
    if not checkpoints:
        raise InputError("only tracking can be shared by processes: give a checkpoint")
    settings = settings or TrackingSettings()
    task = Task(benchmark, Path(out_dir), checkpoints, {}, settings, strict)
    skips = Skips(benchmark, strict=strict)
    folders = track(task, skips, batched=batched, share=share)
    videos, missing = skips.left().videos, {}
    if benchmark.regions:
        hashes = {v.name: manifest.hash_sequence(v.frames, v.region) for v in videos}
    else:
        hashes = manifest.hash_sequences(videos)
    for folder in folders.values():
        place = folder / vot_files.EXPERIMENT if benchmark.regions else folder
        missing |= dict.fromkeys(manifest.unfinished(place, hashes))
    return Progress(tuple(missing), skips.skipped)
