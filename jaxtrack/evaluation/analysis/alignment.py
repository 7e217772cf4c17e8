"""Alignment: how well a tracker's confidence ranks its boxes by their IoU.

SiamLA (Nie et al.), Fig. 12: a tracker takes the box it is most confident of, so the
confidence should rise with the IoU; where it does not, the task is misaligned. Frames
are those of `probing.teacher_forced`, the same for all trackers.

The number is Spearman's rank correlation of confidence and IoU in one frame, averaged
over frames, then over sequences. It is taken over the 100 most confident of the cells
whose box overlaps the truth: those that compete for being chosen. Over all overlapping
cells (reported beside it) most barely touch the target and have next to no confidence;
how those are ordered among themselves decides nothing, and the better a classifier
silences them, the more that number falls. A rank correlation is the same for a
confidence and any rising function of it, so a sharper sigmoid gains nothing. The regret
is the IoU of the frame's best box less that of the most confident one, over all cells:
what misalignment, distractors included, costs.
"""

import json
import math
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic, loading, manifest, run
from jaxtrack.evaluation.analysis import probing
from jaxtrack.evaluation.analysis.outcome import FrameMaps
from jaxtrack.metrics import overlap, statistics

# Part of what a kept sequence must agree on.
METHOD = {"least_cells": 5, "top_cells": 100, "points": 400, "seed": 0}

NUMBERS = ("correlation", "all_correlation", "regret", "best_iou", "chosen_iou")


def measure(
    checkpoint: str | Path,
    videos: Sequence[Video],
    out_dir: str | Path,
    *,
    name: str,
    tracking: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, dict]:
    """Measures a checkpoint, keeping the sequences that are measured already.

    What `align` says of a sequence is in `<out_dir>/alignment/<name>/<sequence>.json`.
    It is kept where weights, settings, frames and ground truth are the same.

    Args:
      checkpoint: what `training.inference.load_for_inference` takes.
      videos: the sequences.
      out_dir: results go to a folder in it.
      name: of the tracker.
      tracking: see `loading.open_checkpoint`.

    Returns:
      "overall", see `summarize`, and "sequences": name -> what `align` returned.

    Raises:
      InputError: the checkpoint or a frame is missing or damaged, a first box is
        unusable, a file cannot be written.
    """
    run.usable_videos(videos)
    opened = loading.open_checkpoint(checkpoint, tracking=tracking)
    folder = Path(out_dir) / "alignment" / name
    prober = probing.make_prober(opened.tracker, opened.variables)

    def work(pending, advance):
        for video in pending:
            frames_maps = probing.teacher_forced(prober, video)
            measured = align(
                video.name, frames_maps, len(video.frames), advance=advance
            )
            text = json.dumps(measured, allow_nan=False) + "\n"
            path = folder / f"{video.name}.json"
            yield video.name, partial(atomic.write_text, path, text)

    identity = opened.identity | {"alignment": METHOD}
    how = {"check": partial(_read, folder), "title": "alignment"}
    made = {"identity": identity, "around": opened.around}
    manifest.complete(work, videos, folder, **made, **how)
    sequences = {video.name: _read(folder, video.name) for video in videos}
    return {"overall": summarize(sequences), "sequences": sequences}


def align(
    name: str,
    frames_maps: Iterable[FrameMaps],
    num_frames: int,
    *,
    advance: Callable[[int], object] = lambda count: None,
) -> dict:
    """Measures one sequence.

    Args:
      name: of the sequence; seeds the choice of points.
      frames_maps: what the tracker sees, frame after frame.
      num_frames: of the sequence, about as many as `frames_maps`.
      advance: told of every frame done.

    Returns:
      As JSON holds it, None where there is no number: "correlation" over
      `competing_cells` and "all_correlation" over all that overlap (means over the
      frames with 5 such cells or more, not all of one confidence or IoU), "regret",
      "best_iou", "chosen_iou" (means over all frames), "num_frames" looked at,
      "num_left_out" of the correlation, and "points", a random sample of at most 400
      (confidence, IoU) of the cells it is taken over.
    """
    rng = np.random.default_rng([METHOD["seed"], zlib.crc32(name.encode())])
    share = math.ceil(METHOD["points"] / max(1, num_frames - 1))
    ranks, costs, points = [], [], [np.empty((0, 2))]
    for maps in frames_maps:
        confidence, iou = sound_cells(maps)
        competing = competing_cells(confidence, iou)
        overlapping = confidence[iou > 0], iou[iou > 0]
        ranks.append((_spearman(*competing), _spearman(*overlapping)))
        nothing = math.nan, math.nan
        costs.append((iou.max(), iou[confidence.argmax()]) if len(iou) else nothing)
        points.append(rng.permutation(np.stack(competing, axis=1))[:share])
        advance(1)
    ranks, costs = np.array(ranks).reshape(-1, 2), np.array(costs).reshape(-1, 2)
    points = rng.permutation(np.concatenate(points))[: METHOD["points"]]
    best, chosen = _mean(costs[:, 0]), _mean(costs[:, 1])
    return {
        "correlation": _mean(ranks[:, 0]),
        "all_correlation": _mean(ranks[:, 1]),
        "regret": None if best is None else best - chosen,
        "best_iou": best,
        "chosen_iou": chosen,
        "num_frames": len(ranks),
        "num_left_out": int(np.sum(np.isnan(ranks[:, 0]))),
        "points": points.round(4).tolist(),
    }


def sound_cells(maps: FrameMaps) -> tuple[np.ndarray, np.ndarray]:
    """Confidence and IoU of all cells whose numbers are finite.

    Args:
      maps: one frame.

    Returns:
      `[N]` confidence and `[N]` IoU with the true box, float64.
    """
    xyxy = np.asarray(maps.xyxy, np.float64).reshape(-1, 4)
    confidence = np.asarray(maps.confidence, np.float64).reshape(-1)
    is_sound = np.isfinite(confidence) & np.all(np.isfinite(xyxy), axis=1)
    xyxy, confidence = xyxy[is_sound], confidence[is_sound]
    wh = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0.0)
    truth = np.concatenate([maps.truth[:2], maps.truth[2:] - maps.truth[:2]])
    boxes = np.concatenate([xyxy[:, :2], wh], axis=1)
    return confidence, overlap.iou_xywh(boxes, truth[None])


def competing_cells(
    confidence: np.ndarray, iou: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Picks the 100 most confident of the cells whose box overlaps the truth.

    Args:
      confidence: `[N]` of all cells.
      iou: `[N]` with the true box.

    Returns:
      `[K]` confidence and `[K]` IoU, the most confident first.
    """
    confidence, iou = confidence[iou > 0], iou[iou > 0]
    top = np.argsort(-confidence, kind="stable")[: METHOD["top_cells"]]
    return confidence[top], iou[top]


def summarize(entries: Mapping[str, Mapping]) -> dict:
    """Means over sequences.

    Args:
      entries: sequence -> what `align` returned.

    Returns:
      The numbers of `align` (but points) over the sequences that have them, None where
      none has; sums of its counts; "num_sequences".
    """
    counts = ("num_frames", "num_left_out")
    return {
        **{
            key: _mean(np.array([e[key] for e in entries.values()], float))
            for key in NUMBERS
        },
        **{key: sum(e[key] for e in entries.values()) for key in counts},
        "num_sequences": len(entries),
    }


def _spearman(confidence: np.ndarray, iou: np.ndarray) -> float:
    """Rank correlation; NaN where there is too little to rank."""
    if len(iou) < METHOD["least_cells"]:
        return math.nan
    return statistics.spearman(confidence, iou)


def _mean(values: np.ndarray) -> float | None:
    """Mean of the numbers that are none NaN."""
    values = values[np.isfinite(values)]
    return float(np.mean(values)) if len(values) else None


def _read(folder: Path, name: str) -> dict:
    """What is kept of a sequence."""
    path = folder / f"{name}.json"
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as fault:
        raise InputError(f"{path} cannot be read: {fault}") from fault
