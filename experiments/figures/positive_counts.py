"""Counts of positive labels over the boxes that a training would see."""

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax
from ml_collections import ConfigDict
from tqdm import tqdm

from jaxtrack import trackers
from jaxtrack.assign import dynamic, make_assigner, regions
from jaxtrack.data import pipeline
from jaxtrack.data.iterator import PairIterator
from jaxtrack.errors import InputError
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid

RULES = ("clamp", "argmax", "skip")  # Where no anchor reaches the threshold.
_PAIRS_AT_ONCE = 50  # Drawn; the bar moves as often.
_BOXES_AT_ONCE = 256  # Labeled.


class Estimate(NamedTuple):
    """A mean over images, and its standard error (0 for one image)."""

    mean: float
    error: float


def estimate(counts: np.ndarray) -> Estimate:
    """Returns the mean of `[N]` counts, and std (ddof 1) / sqrt(N)."""
    spread = np.std(counts, ddof=1) if len(counts) > 1 else 0.0
    return Estimate(float(np.mean(counts)), float(spread / np.sqrt(len(counts))))


def draw_boxes(config: ConfigDict, *, num_pairs: int) -> np.ndarray:
    """Draws the first boxes of a training's stream, in its order.

    Pair `i` of the stream depends on the seed and `i` alone, so these are the boxes
    that a training with the same settings and seed learns from.

    Returns:
      `[N, 4]` xyxy, pixels of the search crop, of the pairs that show the target.

    Raises:
      InputError: there is nothing to draw from, or no pair shows its target.
    """
    config = config.copy_and_resolve_references()
    config.run.batch_size = min(_PAIRS_AT_ONCE, num_pairs)
    boxes, num_drawn = [], 0
    with (
        contextlib.closing(_loader(config)) as loader,
        tqdm(total=num_pairs, desc="drawing pairs", unit="pair") as bar,
    ):
        while num_drawn < num_pairs:
            batch = next(loader)
            xyxy = batch["xyxy"][: num_pairs - num_drawn]
            boxes.append(xyxy[batch["is_positive"][: len(xyxy)]])
            num_drawn += len(xyxy)
            bar.update(len(xyxy))
    xyxy = np.concatenate(boxes)
    if not len(xyxy):
        raise InputError(
            f"none of {num_pairs} pairs shows its target: raise --pairs, or lower "
            f"config.data.negative_ratio, which is {config.data.negative_ratio}"
        )
    return xyxy


def _loader(config: ConfigDict) -> PairIterator:
    """Opens the stream of pairs that a training with the settings would see."""
    config = config.copy_and_resolve_references()
    config.data.bank = "off"  # Too few pairs are drawn for one.
    geometry = trackers.network_of(config, training=True).geometry
    return pipeline.make(
        config, template_size=geometry.template_size, search_size=geometry.search_size
    )


def count_fixed(config: ConfigDict, model: nn.Module, xyxy: np.ndarray) -> np.ndarray:
    """Counts the positive labels that settings give targets `[N, 4]` xyxy: `[N]`."""
    assign = make_assigner(config, model.geometry, anchors=model.anchors)
    key = jax.random.key(config.run.seed)

    def count(place, box):
        labels = assign(jax.random.fold_in(key, place), box, True)
        return jnp.sum(labels == regions.POSITIVE)

    return _of_each(count, xyxy)


def count_dynamic(
    config: ConfigDict, model: nn.Module, xyxy: np.ndarray, points: Sequence[int]
) -> dict[int, np.ndarray]:
    """Counts the dynamic positives of every target, for several K and for each rule.

    Args:
      config: the other settings of the labels.
      model: whose own anchors are labeled, or virtual ones where it has none.
      xyxy: targets, `[N, 4]` xyxy, pixels of the search crop.
      points: values of K.

    Returns:
      K -> `[3, N]` int, in the order of `RULES`.
    """
    cells = grid.points(model.geometry)
    anchors = (
        anchor_boxes.tile(cells, model.anchors)
        if model.anchors
        else dynamic.virtual_anchors(cells, side=config.labels.virtual_anchor)
    )
    counts = {}
    for num in tqdm(points, desc="labeling", unit="K"):
        options = {"num_points": num, "ddof": config.labels.dla_ddof}

        def count(place, box, options=options):
            del place
            rules = (
                dynamic.dynamic_positives(anchors, box, empty=r, **options)
                for r in RULES
            )
            return jnp.stack([jnp.sum(mask) for mask in rules])

        counts[num] = _of_each(count, xyxy).T
    return counts


def _of_each(count, xyxy):
    """Returns `count(place, box)` of all boxes, as an array."""
    size = min(_BOXES_AT_ONCE, len(xyxy))
    missing = -len(xyxy) % size  # All parts are of one size: compiled once.
    padded = np.pad(xyxy, ((0, missing), (0, 0)), mode="edge")
    parts = (np.arange(len(padded)).reshape(-1, size), padded.reshape(-1, size, 4))
    counts = np.asarray(lax.map(lambda part: jax.vmap(count)(*part), parts))
    return counts.reshape(len(padded), *counts.shape[2:])[: len(xyxy)]


def over_stream(counts: np.ndarray, num_parts: int) -> dict[str, Any]:
    """Follows the mean of `[N]` counts along the stream: does more than chance move it?

    Returns:
      "parts": an `Estimate` of each of `num_parts` equal parts; "spread": standard
      deviation of their means; "expected": that of equal parts that differ by chance
      alone (the parts' mean squared standard error, rooted).
    """
    parts = [estimate(part) for part in np.array_split(counts, num_parts)]
    means = [part.mean for part in parts]
    return {
        "parts": parts,
        "spread": float(np.std(means, ddof=1)) if num_parts > 1 else 0.0,
        "expected": float(np.sqrt(np.mean([part.error**2 for part in parts]))),
    }
