"""How well a tracker's confidence ranks its boxes by how good they are.

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
from pathlib import Path

import numpy as np
from tqdm import tqdm

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation import atomic, loading, manifest, results, run
from jaxtrack.evaluation.analysis import probing
from jaxtrack.metrics import overlap, statistics

# Part of what a kept sequence must agree on.
METHOD = {"least_cells": 5, "top_cells": 100, "points": 400, "seed": 0}

NUMBERS = ("correlation", "all_correlation", "regret", "best_iou", "chosen_iou")


def measure(
    checkpoint: str | Path,
    videos: Sequence[Video],
    out_dir: str | Path,
    *,
    name: str = "",
) -> dict[str, float]:
    """Measures a checkpoint, keeping the sequences that are measured already.

    Everything is in `<out_dir>/alignment/<name>.json`, written after every sequence:
    the `overall` numbers of the sequences asked for, and for each sequence those of
    `align`. A sequence is kept where weights, settings, frames and ground truth are the
    same.

    Args:
      checkpoint: what `training.inference.load_for_inference` takes.
      videos: the sequences.
      out_dir: results go to a folder in it.
      name: of the tracker; "" takes the run's folder.

    Returns:
      Sequence -> mean rank correlation; NaN where no frame could be ranked.

    Raises:
      InputError: the checkpoint or a frame is missing or damaged, a first box is
        unusable, a file cannot be written.
    """
    run.check_videos(videos)
    name = results.checked_name(name or results.tracker_name(checkpoint))
    path = file_of(out_dir, name)
    opened = loading.open_checkpoint(checkpoint)
    identity = opened.identity | {"alignment": METHOD}
    entries = _kept(path, identity)
    hashes = manifest.hash_sequences(videos)
    pending = [
        v for v in videos if entries.get(v.name, {}).get("hash") != hashes[v.name]
    ]
    if len(pending) < len(videos):
        print(f"{len(videos) - len(pending)} of {len(videos)} sequences kept: {path}")
    prober = probing.make_prober(opened.tracker, opened.variables)
    total = sum(len(probing.usable_frames(v)) - 1 for v in pending)
    with tqdm(total=total, unit="frame", desc="alignment", disable=not total) as bar:
        for video in pending:
            looks = probing.teacher_forced(prober, video)
            entry = align(video.name, looks, len(video.frames), advance=bar.update)
            entries[video.name] = entry | {"hash": hashes[video.name]}
            _write(path, identity, opened.around, entries, hashes)
    _write(path, identity, opened.around, entries, hashes)
    return {v.name: _number(entries[v.name]["correlation"]) for v in videos}


def file_of(out_dir: str | Path, name: str) -> Path:
    """Where the measurement of a tracker lies."""
    return Path(out_dir) / "alignment" / f"{name}.json"


def align(
    name: str,
    looks: Iterable[probing.Look],
    num_frames: int,
    *,
    advance: Callable[[int], object] = lambda count: None,
) -> dict:
    """Measures one sequence.

    Args:
      name: of the sequence; seeds the choice of points.
      looks: what the tracker sees, frame after frame.
      num_frames: of the sequence, about as many as `looks`.
      advance: told of every frame done.

    Returns:
      As JSON holds it, None where there is no number: "correlation" and
      "all_correlation" (see `rank_frame`; means over the frames that have one),
      "regret", "best_iou", "chosen_iou" (means over all frames), "num_frames" looked
      at, "num_left_out" of the correlation, and "points", a random sample of at most
      400 (confidence, IoU) of the cells it is taken over.
    """
    rng = np.random.default_rng([METHOD["seed"], zlib.crc32(name.encode())])
    share = math.ceil(METHOD["points"] / max(1, num_frames - 1))
    ranks, costs, points = [], [], [np.empty((0, 2))]
    for look in looks:
        confidence, iou = sound_cells(look)
        ranks.append(rank_frame(confidence, iou))
        costs.append(cost_of(confidence, iou))
        pairs = np.stack(competing_cells(confidence, iou), axis=1)
        points.append(rng.permutation(pairs)[:share])
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


def sound_cells(look: probing.Look) -> tuple[np.ndarray, np.ndarray]:
    """Confidence and IoU of all cells whose numbers are finite.

    Args:
      look: one frame.

    Returns:
      `[N]` confidence and `[N]` IoU with the true box, float64.
    """
    xyxy = np.asarray(look.xyxy, np.float64).reshape(-1, 4)
    confidence = np.asarray(look.confidence, np.float64).reshape(-1)
    is_sound = np.isfinite(confidence) & np.all(np.isfinite(xyxy), axis=1)
    xyxy, confidence = xyxy[is_sound], confidence[is_sound]
    wh = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0.0)
    truth = np.concatenate([look.truth[:2], look.truth[2:] - look.truth[:2]])
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


def rank_frame(confidence: np.ndarray, iou: np.ndarray) -> tuple[float, float]:
    """Rank correlation of confidence and IoU in one frame.

    Args:
      confidence: `[N]` of all cells.
      iou: `[N]` with the true box.

    Returns:
      Over `competing_cells`, and over all cells with an IoU above 0; NaN where they are
      fewer than 5, or all of one confidence or IoU.
    """
    everything = confidence[iou > 0], iou[iou > 0]
    return _spearman(*competing_cells(confidence, iou)), _spearman(*everything)


def cost_of(confidence: np.ndarray, iou: np.ndarray) -> tuple[float, float]:
    """What the choice by confidence costs in one frame.

    Args:
      confidence: `[N]` of all cells.
      iou: `[N]` with the true box.

    Returns:
      IoU of the best cell and of the most confident one; NaN where there is no cell.
    """
    if not len(iou):
        return math.nan, math.nan
    return float(np.max(iou)), float(iou[np.argmax(confidence)])


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
            key: _mean(np.array([_number(e[key]) for e in entries.values()]))
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


def _number(value: float | None) -> float:
    """NaN for what JSON holds as null."""
    return math.nan if value is None else float(value)


def _kept(path: Path, identity: Mapping) -> dict[str, dict]:
    """Sequences measured before, of the same weights, settings and method."""
    found = read(path)
    if found is None or found["made"].get("hash") != manifest.hash_json(identity):
        return {}
    is_whole = {*NUMBERS, "hash", "points"}.issubset
    return {n: e for n, e in found["sequences"].items() if is_whole(e)}


def read(path: str | Path) -> dict | None:
    """What `measure` wrote.

    Args:
      path: from `file_of`.

    Returns:
      "made" (identity, environment), "overall" and "sequences"; None where there is no
      such file, or it is damaged.
    """
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return None
    parts = ("made", "overall", "sequences")
    if not isinstance(found, dict):
        return None
    return found if all(isinstance(found.get(p), dict) for p in parts) else None


def _write(path: Path, identity, around, entries, asked: Iterable[str]) -> None:
    """Writes the measurement, whole or not at all."""
    made = {"hash": manifest.hash_json(identity), "identity": identity}
    found = {
        "made": made | {"environment": around},
        "overall": summarize({n: entries[n] for n in asked if n in entries}),
        "sequences": entries,
    }
    atomic.write_text(path, json.dumps(found, allow_nan=False) + "\n")
