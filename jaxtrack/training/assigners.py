"""From settings to the labels of every cell or anchor, whatever the network."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack.assign import anchors as anchor_labels
from jaxtrack.assign import dynamic, regions
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid

# (key, xyxy [4], is_positive []) -> labels [H, W], or [H, W, A] of A anchors.
Assigner = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]


def make_assigner(config: ConfigDict, model: nn.Module) -> Assigner:
    """Returns the assigner that the settings name, bound to the network's grid.

    Every assigner serves every network. Those that label points ("rectangle", "circle",
    "ellipse") label all anchors of a point alike; those that label anchors ("iou",
    "dla") take squares of `virtual_anchor` pixels where the network has none.

    Args:
      config: see docs/settings.md.
      model: whose `geometry` places the cells, and whose `anchors` lie there.

    Returns:
      `(key, xyxy [4] px, is_positive []) -> labels` of ONE example, int32 of POSITIVE,
      NEGATIVE and IGNORE, `[H, W]`, or `[H, W, A]` where the network has anchors. Where
      the search crop does not show the target, `xyxy` is another object's box, and none
      is POSITIVE.
    """
    points = grid.points(model.geometry)
    boxes = (
        anchor_boxes.tile(points, model.anchors)
        if model.anchors
        else dynamic.virtual_anchors(points, side=config.virtual_anchor)
    )
    of_target = _of_target(config, points, boxes)
    of_other = _of_other(config, model.geometry, boxes, of_target)

    def assign(key: jax.Array, xyxy: jax.Array, is_positive: jax.Array) -> jax.Array:
        labels = of_target(key, xyxy)
        labels = jnp.where(is_positive, labels, of_other(key, xyxy))
        return labels if model.anchors else labels[..., 0]

    return assign


def _of_target(config, points, boxes):
    """Returns `(key, xyxy) -> labels [H, W, A]` where the target is seen."""
    if config.assigner == "dla":
        return lambda key, xyxy: dynamic.dynamic_labels(
            key,
            boxes,
            xyxy,
            num_points=config.dla_points,
            ddof=config.dla_ddof,
            empty=config.dla_empty,
            negative_ratio=config.dla_negatives,
        )
    label = {
        "rectangle": partial(
            regions.center_region,
            points,
            size=config.positive_size,
            min_half=config.positive_min_half,
            ignore_inside=config.ignore_inside,
        ),
        "circle": partial(
            regions.circle,
            points,
            radius=config.positive_radius,
            ignore_radius=config.ignore_radius or None,
        ),
        "ellipse": partial(regions.ellipse, points),
        "iou": partial(
            anchor_labels.iou_labels,
            boxes,
            high=config.iou_high,
            low=config.iou_low,
        ),
    }[config.assigner]

    def assign(key, xyxy):
        labels = label(xyxy)
        if labels.ndim == 2:
            labels = jnp.broadcast_to(labels[..., None], boxes.shape[:3])
        if not (config.sampled_positives or config.sampled_negatives):
            return labels
        return anchor_labels.subsample(
            key,
            labels,
            num_positives=config.sampled_positives or labels.size,
            num_negatives=config.sampled_negatives or labels.size,
        )

    return assign


def _of_other(config, geometry, boxes, of_target):
    """Returns `(key, xyxy) -> labels [H, W, A]` where another object is seen."""
    if config.negative_pairs == "window":
        return lambda key, xyxy: anchor_labels.window_negatives(
            key,
            grid.points(geometry),
            xyxy,
            num_anchors=boxes.shape[2],
            stride=geometry.stride,
            search_size=geometry.search_size,
        )
    if config.negative_pairs == "positives":
        return lambda key, xyxy: jnp.where(
            of_target(key, xyxy) == regions.POSITIVE, regions.NEGATIVE, regions.IGNORE
        )
    return lambda key, xyxy: jnp.full(boxes.shape[:3], regions.NEGATIVE)
