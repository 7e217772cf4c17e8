"""Trials: many settings tracked at once; finished sequences are kept."""

from collections.abc import Callable, Mapping, Sequence

import jax
import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation import batching
from jaxtrack.evaluation.loading import Opened
from jaxtrack.evaluation.tuning import space, splits
from jaxtrack.evaluation.tuning.splits import Material
from jaxtrack.evaluation.tuning.study import Study
from jaxtrack.tracking.host_boxes import xywh_from_cxcywh
from jaxtrack.tracking.run import compile_tracker, track_video

# (settings, video, callback for frames done) -> boxes [K, N, 4] xywh, px.
Track = Callable[[Sequence[Mapping[str, float]], Video, Callable], np.ndarray]


def tracking_function(opened: Opened, batch: int) -> Track:
    """Returns the function that tracks a video with many settings at once.

    Args:
      opened: the checkpoint.
      batch: B, most settings at once; fewer are padded, so that the network is
        compiled once.

    Returns:
      The function; it reads and decodes the video once.
    """
    drivers = compile_tracker(space.over_settings(opened.tracker, batch))
    network = jax.device_put(opened.variables)

    def track(settings, video, advance):
        tried = jax.device_put(space.stacked(settings, batch))
        variables = {"network": network, "settings": tried}
        first, rows = batching.first_cxcywh(video), []
        with batching.open_video(video) as reader:
            outputs = track_video(drivers, variables, reader, first)
            for output in outputs:
                rows.append(np.broadcast_to(output.box, (batch, 4)))
                advance(len(settings))
        boxes = np.stack(rows, axis=1).astype(np.float64)[: len(settings)]
        boxes[:, 0] = first
        return xywh_from_cxcywh(boxes)

    return track


def measure(
    track: Track,
    material: Material,
    asked: Mapping[int, Mapping[str, float]],
    study: Study,
    advance: Callable[[int], object],
) -> None:
    """Tracks and scores a batch of trials on all sequences, as far as that is not done.

    Args:
      track: see `tracking_function`.
      material: what is tuned on.
      asked: number of a trial -> its settings.
      study: where the scores of finished sequences are kept.
      advance: called with the number of frames tracked, times settings.

    Raises:
      InputError: a frame is missing or damaged, a first box is unusable.
    """
    for video in material.videos:
        if all(video.name in study.scores(number) for number in asked):
            advance(len(asked) * len(video.frames))
            continue
        found = score_all(track, material, video, asked, advance)
        for number, scores in found.items():
            study.keep(number, video.name, scores)


def score_all(
    track: Track,
    material: Material,
    video: Video,
    asked: Mapping[int, Mapping[str, float]],
    advance: Callable[[int], object],
) -> dict[int, dict[str, float]]:
    """Tracks and scores a batch of trials on one sequence.

    Args:
      track: see `tracking_function`.
      material: what is tuned on.
      video: one of its sequences.
      asked: number of a trial -> its settings.
      advance: called with the number of frames tracked, times settings.

    Returns:
      Number of a trial -> metric -> value.

    Raises:
      InputError: a frame is missing or damaged, the first box is unusable.
    """
    boxes = track(list(asked.values()), video, advance)
    return {
        number: splits.score(material, video.name, xywh)
        for number, xywh in zip(asked, boxes, strict=True)
    }


def mean(sequences: Mapping[str, Mapping[str, float]], metric: str) -> float:
    """A trial's score: the mean of a metric over sequences.

    Args:
      sequences: name -> metric -> value.
      metric: which one.
    """
    return float(np.mean([found[metric] for found in sequences.values()]))
