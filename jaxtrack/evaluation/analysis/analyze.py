"""The analyses that were asked for, over all checkpoints."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from tqdm import tqdm

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation import compare, loading
from jaxtrack.evaluation.analysis import alignment, heatmaps, probing, window_sweep
from jaxtrack.evaluation.analysis.options import Options
from jaxtrack.evaluation.analysis.outcome import Analyses, Heatmaps
from jaxtrack.evaluation.scoring import PRIMARY, TrackerScores


def analyze(
    options: Options,
    checkpoints: Mapping[str, str | PathLike],
    videos: Sequence[Video],
    out_dir: str | Path,
    *,
    scores: Sequence[TrackerScores],
    primary: str = PRIMARY,
    batched: bool | None = None,
) -> Analyses:
    """Does what was asked for.

    Args:
      options: what to do.
      checkpoints: name of a tracker -> its checkpoint; in the order of `scores`.
      videos: the sequences.
      out_dir: what is kept goes to folders in it.
      scores: of the trackers, the checkpoints' first.
      primary: the protocol that says which sequences and frames went badly.
      batched: see `run.track_checkpoint`.

    Returns:
      What was found.

    Raises:
      InputError: a checkpoint or a frame is missing or damaged.
    """
    aligned = swept = drawn = None
    if options.alignment:
        aligned = {
            name: alignment.measure(checkpoint, videos, out_dir, name=name)
            for name, checkpoint in checkpoints.items()
        }
    if options.heatmaps or options.heatmaps_of:
        worst = compare.worst_sequences(scores[0], primary=primary)
        names = [*(worst if options.heatmaps else ()), *options.heatmaps_of]
        drawn = _heatmaps(checkpoints, videos, scores[0].reports[primary], names)
    if options.windows:
        options_of_sweep = {"windows": options.windows, "batched": batched}
        swept = {
            name: window_sweep.measure(
                checkpoint, videos, out_dir, name=name, **options_of_sweep
            )
            for name, checkpoint in checkpoints.items()
        }
    return Analyses(aligned, drawn, swept)


def _heatmaps(checkpoints, videos, report, names: Sequence[str]) -> Heatmaps:
    """Looks through all checkpoints at frames that tell how the first one fared."""
    opened = {n: loading.open_checkpoint(place) for n, place in checkpoints.items()}
    probers = {
        name: probing.make_prober(one.tracker, one.variables)
        for name, one in opened.items()
    }
    shapes = {
        name: {
            "geometry": one.model.geometry,
            "context": float(one.config.data.context),
        }
        for name, one in opened.items()
    }
    by_name = {video.name: video for video in videos}
    result = Heatmaps({}, {})
    for name in tqdm(dict.fromkeys(names), unit="sequence", desc="heat maps"):
        video, one = by_name[name], report.sequences[name]
        usable = set(probing.usable_frames(video).tolist()) - {0}
        telling = compare.telling_frames(*one.first_repetition(), count=4)
        result.frames[name] = frames = [frame for frame in telling if frame in usable]
        if not frames:
            continue
        result.views[name] = {
            tracker: [
                heatmaps.view(maps, **shapes[tracker])
                for maps in probing.teacher_forced(prober, video, only=frames)
            ]
            for tracker, prober in probers.items()
        }
    return result
