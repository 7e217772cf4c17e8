"""Trials: many settings tracked at once over all sequences, nothing tracked twice."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic, manifest
from jaxtrack.evaluation.batching import CHUNK, first_cxcywh
from jaxtrack.evaluation.loading import Opened
from jaxtrack.evaluation.tuning import space, splits
from jaxtrack.evaluation.tuning.splits import Material
from jaxtrack.tracking import check_init_box
from jaxtrack.tracking.run import compile_tracker, track_video
from jaxtrack.tracking.video import FrameReader

UNFINISHED = "unfinished.json"
# (settings, video, callback for frames done) -> boxes [K, N, 4] xywh, px.
Track = Callable[[Sequence[Mapping[str, float]], Video, Callable], np.ndarray]
# Number of a trial -> name of a sequence -> metric -> value.
Scores = dict[int, dict[str, dict[str, float]]]


def tracking_function(opened: Opened, batch: int, *, chunk: int = CHUNK) -> Track:
    """Makes what tracks a video with many settings at once.

    Args:
      opened: the checkpoint.
      batch: B, most settings at once; fewer are padded, so that nothing is compiled
        but once a canvas.
      chunk: frames a scan.

    Returns:
      The function; it reads and decodes the video once.
    """
    drivers = compile_tracker(space.over_settings(opened.tracker))
    network = jax.device_put(opened.variables)

    def track(settings, video, advance):
        tried = jax.device_put(space.stacked(settings, batch))
        variables = {"network": network, "settings": tried}
        first, rows = first_cxcywh(video), []
        with FrameReader(video.frames) as reader:
            where = f"sequence {video.name}: the first box"
            check_init_box(first, reader.hw, where=where)
            outputs = track_video(drivers, variables, reader, first, chunk=chunk)
            for output in outputs:
                rows.append(np.broadcast_to(output.box, (batch, 4)))
                advance(len(settings))
        boxes = np.stack(rows, axis=1).astype(np.float64)[: len(settings)]
        boxes[:, 0] = first
        return np.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., 2:]], -1)

    return track


class Progress:
    """What an interrupted batch of trials has measured, sequence by sequence."""

    def __init__(self, folder: str | Path, identity: Mapping[str, Any]):
        """Reads what is there of the same identity; anything else counts as nothing."""
        self._path = Path(folder) / UNFINISHED
        self._hash = manifest.hash_json(identity)
        self._trials: dict[str, dict] = {}
        try:
            found = json.loads(self._path.read_text())
            if found["hash"] == self._hash:
                self._trials = dict(found["trials"])
        except (OSError, ValueError, KeyError, TypeError):
            pass

    def known(self, asked: Mapping[int, Mapping[str, float]]) -> Scores:
        """Scores of the trials that are asked for again."""
        scores = {}
        for number, settings in asked.items():
            kept = self._trials.get(str(number), {})
            is_same = kept.get("settings") == dict(settings)
            scores[number] = dict(kept["sequences"]) if is_same else {}
        return scores

    def keep(self, asked: Mapping[int, Mapping[str, float]], scores: Scores) -> None:
        """Writes the scores of a batch, in the place of those of the last one."""
        self._trials = {
            str(number): {"settings": dict(settings), "sequences": scores[number]}
            for number, settings in asked.items()
        }
        written = {"hash": self._hash, "trials": self._trials}
        atomic.write_text(self._path, json.dumps(written))

    def forget(self) -> None:
        """Removes what was kept, once all trials are told."""
        self._trials = {}
        self._path.unlink(missing_ok=True)


def measure(
    track: Track,
    material: Material,
    asked: Mapping[int, Mapping[str, float]],
    progress: Progress,
    advance: Callable[[int], object],
) -> Scores:
    """Tracks and scores a batch of trials on all sequences, as far as that is not done.

    Args:
      track: see `tracking_function`.
      material: what is tuned on.
      asked: number of a trial -> its settings.
      progress: where finished sequences are kept.
      advance: is told how many frames were tracked, times settings.

    Returns:
      Number of a trial -> sequence -> metric -> value.

    Raises:
      InputError: a frame is missing or damaged, a first box is unusable.
    """
    scores = progress.known(asked)
    for video in material.videos:
        if all(video.name in scores[number] for number in asked):
            advance(len(asked) * len(video.frames))
            continue
        boxes = track(list(asked.values()), video, advance)
        if boxes.shape[1] != len(video.frames):
            raise InputError(
                f"sequence {video.name}: {boxes.shape[1]} of {len(video.frames)} "
                "frames could be read"
            )
        for number, xywh in zip(asked, boxes, strict=True):
            scores[number][video.name] = splits.score(material, video.name, xywh)
        progress.keep(asked, scores)
    return scores


def mean(sequences: Mapping[str, Mapping[str, float]], metric: str) -> float:
    """A trial's worth: the mean of a metric over sequences.

    Args:
      sequences: name -> metric -> value.
      metric: which one.
    """
    return float(np.mean([found[metric] for found in sequences.values()]))
