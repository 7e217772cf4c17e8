"""The analyses that were asked for, as sections of the report."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation import (
    alignment,
    compare,
    findings,
    heatmaps,
    plots,
    probing,
    runner,
    snapshots,
    sweep,
)
from jaxtrack.evaluation.sections import Section
from jaxtrack.evaluation.wanted import Wanted
from jaxtrack.tracking import make_tracker


def run(
    wanted: Wanted,
    checkpoints: Mapping[str, str],
    videos: Sequence[Video],
    out_dir: str | Path,
    *,
    scores: Sequence[compare.TrackerScores],
    worst: Sequence[str],
    together: bool | None = None,
) -> list[Section]:
    """Does what was asked for.

    Args:
      wanted: what to do.
      checkpoints: name of a tracker -> its checkpoint; the order is that of `scores`.
      videos: the sequences.
      out_dir: what is kept goes to folders in it.
      scores: of the trackers, the checkpoints' first.
      worst: sequences whose heat maps are drawn.
      together: see `runner.run`.

    Returns:
      Sections of the report.

    Raises:
      InputError: a checkpoint or a frame is missing or damaged.
    """
    sections = []
    if wanted.alignment:
        found = {
            name: _aligned(checkpoint, videos, out_dir, name)
            for name, checkpoint in checkpoints.items()
        }
        sections.append(findings.alignment_section(found))
    if wanted.heatmaps or wanted.heatmaps_of:
        chosen = [*(worst if wanted.heatmaps else ()), *wanted.heatmaps_of]
        sections.append(_drawn(checkpoints, videos, scores[0], chosen))
    if wanted.windows:
        options = {"windows": wanted.windows, "together": together}
        swept = {
            name: sweep.measure(checkpoint, videos, out_dir, name=name, **options)
            for name, checkpoint in checkpoints.items()
        }
        sections.append(findings.sweep_section(swept))
    return sections


def _aligned(checkpoint: str, videos: Sequence[Video], out_dir, name: str) -> dict:
    """Measures one tracker; returns its numbers of the sequences asked for."""
    alignment.measure(checkpoint, videos, out_dir, name=name)
    found = alignment.read(alignment.file_of(out_dir, name))
    sequences = {video.name: found["sequences"][video.name] for video in videos}
    return {"overall": found["overall"], "sequences": sequences}


def _drawn(
    checkpoints: Mapping[str, str],
    videos: Sequence[Video],
    judged: compare.TrackerScores,
    chosen: Sequence[str],
) -> Section:
    """Draws maps of all checkpoints at frames that tell how one of them fared."""
    lenses = [
        _lens(place, name, checkpoint)
        for place, (name, checkpoint) in enumerate(checkpoints.items())
    ]
    by_name = {video.name: video for video in videos}
    drawn, frames = {}, {}
    first = next(iter(judged.reports.values()))  # The primary protocol's.
    for name in tqdm(dict.fromkeys(chosen), unit="sequence", desc="heat maps"):
        video, one = by_name[name], first.sequences[name]
        usable = set(probing.usable_frames(video).tolist()) - {0}
        telling = snapshots.telling_frames(one.frames, one.iou, count=4)
        frames[name] = [frame for frame in telling if frame in usable]
        if frames[name]:
            drawn[name] = heatmaps.draw(lenses, video, frames[name])
    return findings.heatmaps_section(drawn, frames)


def _lens(place: int, name: str, checkpoint: str) -> heatmaps.Lens:
    """Makes a checkpoint one to look through."""
    opened = runner.open_checkpoint(checkpoint)
    tracker = make_tracker(opened.model, opened.config)
    return heatmaps.Lens(
        name=name,
        color=plots.color_of(place),
        prober=probing.make_prober(tracker, opened.variables),
        geometry=opened.model.geometry,
        context=float(opened.config.context),
    )
