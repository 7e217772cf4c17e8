"""Decodes a network's raw maps for the selection."""

import jax
import jax.numpy as jnp

from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes


def scores_and_boxes(
    outputs: dict[str, jax.Array], places: jax.Array, *, stretch: bool = False
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Decodes a network's raw maps of one example for the selection.

    Two classification logits go through a softmax, a single one (SiamLA, S8) through a
    sigmoid, like the quality (S15) unless it is stretched. Without a predicted quality
    it is 1 everywhere.

    Args:
      outputs: "cls" `[1, H, W, 2 or 1]`, "ltrb" `[1, H, W, 4]`, and perhaps
        "localization" or "centerness" `[1, H, W, 1]` logits; or, of A anchors, "cls"
        `[1, H, W, A, 2]` and "deltas" `[1, H, W, A, 4]`.
      places: points of the cells `[H, W, 2]` xy, or anchors `[H, W, A, 4]` xyxy,
        pixels of the search crop.
      stretch: whether centerness logits are stretched to [0, 1] over the map, as in
        SiamCAR's released code.

    Returns:
      Probability of the target `[H, W]`, ltrb `[H, W, 4]` as distances from the cell's
      point, and quality in [0, 1] `[H, W]`, float32; with anchors all have an axis A
      after W.
    """
    outputs = {name: value[0].astype(jnp.float32) for name, value in outputs.items()}
    logits = outputs["cls"]
    if logits.shape[-1] == 1:
        cls = jax.nn.sigmoid(logits[..., 0])
    else:
        cls = jax.nn.softmax(logits, axis=-1)[..., 1]
    if "deltas" in outputs:
        xyxy = anchor_boxes.decode(places, outputs["deltas"])
        ltrb = boxes.xyxy_to_ltrb((places[..., :2] + places[..., 2:]) / 2, xyxy)
    else:
        ltrb = outputs["ltrb"]
    if "localization" in outputs:
        quality = jax.nn.sigmoid(outputs["localization"][..., 0])
    elif "centerness" not in outputs:
        quality = jnp.ones_like(cls)
    elif stretch:
        quality = stretched(outputs["centerness"][..., 0])
    else:
        quality = jax.nn.sigmoid(outputs["centerness"][..., 0])
    return cls, ltrb, quality


def best_anchors(ranked: jax.Array, *maps: jax.Array) -> tuple[jax.Array, ...]:
    """Keeps the highest-ranked anchor of each cell, the first of equal ones.

    Args:
      ranked: `[H, W, A]`, or `[H, W]` without anchors.
      *maps: `[H, W, A, ...]`, or `[H, W, ...]`, which are returned unchanged.

    Returns:
      Maps `[H, W, ...]`.
    """
    if ranked.ndim == 2:
        return maps
    best = jnp.argmax(ranked, axis=2, keepdims=True)

    def kept(values):
        index = best.reshape(*best.shape, *(1,) * (values.ndim - 3))
        return jnp.take_along_axis(values, index, axis=2)[:, :, 0]

    return tuple(map(kept, maps))


def stretched(logits: jax.Array) -> jax.Array:
    """Stretches a map to [0, 1]: `(x - min) / (max - min)`, 0 if it is flat.

    SiamCAR's released code does this to centerness logits instead of a sigmoid.

    Args:
      logits: `[H, W]`.

    Returns:
      `[H, W]`.
    """
    low = jnp.min(logits)
    spread = jnp.max(logits) - low
    return (logits - low) / jnp.where(spread > 0, spread, 1.0)
