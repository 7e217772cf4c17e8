"""Label assignment for one example; `ASSIGNERS` lists the assigners by name."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Protocol

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from jaxtrack.assign import anchors as anchor_labels
from jaxtrack.assign import dynamic, regions
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid


class Assigner(Protocol):
    """Labels the cells, or anchors, of one example."""

    def __call__(
        self,
        key: jax.Array,
        xyxy: jax.Array,
        is_positive: jax.Array,
        *,
        hidden: jax.Array | None = None,
    ) -> jax.Array:
        """Returns labels, `[H, W]`, or `[H, W, A]` of A anchors.

        Args:
          key: random key.
          xyxy: `[4]`, pixels of the search crop: the target, or another object.
          is_positive: `[]` bool, whether it is the target.
          hidden: pixels of the search crop where something is in front of the target,
            `[S, S]` bool; what would be positive there is IGNORE. None hides nothing.
        """


class TargetLabels(Protocol):
    """Labels the cells, or anchors, of a crop that shows the target."""

    def __call__(self, key: jax.Array, xyxy: jax.Array) -> jax.Array:
        """Returns labels, `[H, W]` or `[H, W, A]`, for the box `[4]` xyxy."""


class BuildLabels(Protocol):
    """Binds a label assigner to a config and positions."""

    def __call__(
        self, config: ConfigDict, points: jax.Array, anchors: jax.Array
    ) -> TargetLabels:
        """Returns the labels of points `[H, W, 2]` or anchors `[H, W, A, 4]`."""


def make_assigner(
    config: ConfigDict,
    geometry: grid.Geometry,
    *,
    anchors: tuple[tuple[float, float], ...] = (),
) -> Assigner:
    """Returns the assigner named in the config, bound to a network's grid.

    Every assigner can be used with every network. Those that label points
    ("rectangle", "circle", "ellipse") give all anchors of a point the same label; those
    that label anchors ("iou", "dla") use squares of `labels.virtual_anchor` pixels
    where the network has none.

    Args:
      config: the config; its group `labels` is read.
      geometry: the network's geometry, which gives the positions of cells.
      anchors: width and height of the network's anchors, pixels; () where it has none.

    Returns:
      See `Assigner`: labels of ONE example, int32 of POSITIVE, NEGATIVE and IGNORE,
      `[H, W]`, or `[H, W, A]` where the network has anchors. Where the search crop does
      not show the target, `xyxy` is another object's box, and none is POSITIVE.
    """
    points = grid.points(geometry)
    boxes = (
        anchor_boxes.tile(points, anchors)
        if anchors
        else dynamic.virtual_anchors(points, side=config.labels.virtual_anchor)
    )
    of_target = ASSIGNERS[config.labels.assigner](config, points, boxes)
    of_other = _of_other(config, geometry, boxes, of_target)

    def assign(
        key: jax.Array,
        xyxy: jax.Array,
        is_positive: jax.Array,
        *,
        hidden: jax.Array | None = None,
    ) -> jax.Array:
        labels = of_target(key, xyxy)
        if hidden is not None:
            column, row = jnp.moveaxis(points.astype(jnp.int32), -1, 0)
            is_hidden = hidden[row, column][..., None]
            labels = jnp.where(
                is_hidden & (labels == regions.POSITIVE), regions.IGNORE, labels
            )
        labels = jnp.where(is_positive, labels, of_other(key, xyxy))
        return labels if anchors else labels[..., 0]

    return assign


def label_batch(
    assign: Assigner, batch: Mapping[str, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """Labels every example of a batch.

    Args:
      assign: labels one example.
      batch: "key" `[B]`, "xyxy" `[B, 4]` pixels of the search crop, "is_positive"
        `[B]`, perhaps "hidden" `[B, S, S]`, and perhaps "is_labeled" `[B]`: where that
        is False, all labels are IGNORE.

    Returns:
      The targets, `[B, 4]` xyxy, empty where the crop does not show it or it is not
      labeled, and labels `[B, H, W]` or `[B, H, W, A]`.
    """
    is_positive = batch["is_positive"]
    # The random numbers of the loss, from the pair's key, are independent of these.
    keys = jax.vmap(jax.random.fold_in, (0, None))(batch["key"], 1)
    told = {"hidden": batch["hidden"]} if "hidden" in batch else {}
    labels = jax.vmap(assign)(keys, batch["xyxy"], is_positive, **told)
    if "is_labeled" in batch:
        is_labeled = batch["is_labeled"]
        is_positive = is_positive & is_labeled
        is_labeled = jnp.expand_dims(is_labeled, range(1, labels.ndim))
        labels = jnp.where(is_labeled, labels, regions.IGNORE)
    return jnp.where(is_positive[:, None], batch["xyxy"], 0), labels


def _rectangle(config, points, anchors):
    """Binds a rectangle around the target's center."""
    label = partial(
        regions.center_region,
        points,
        size=config.labels.positive_size,
        min_half=config.labels.positive_min_half,
        ignore_inside=config.labels.ignore_inside,
    )
    return _of_points(config, label, anchors)


def _circle(config, points, anchors):
    """Binds a circle around the target's center."""
    label = partial(
        regions.circle,
        points,
        radius=config.labels.positive_radius,
        ignore_radius=config.labels.ignore_radius or None,
    )
    return _of_points(config, label, anchors)


def _ellipse(config, points, anchors):
    """Binds an ellipse inside the target's box."""
    return _of_points(config, partial(regions.ellipse, points), anchors)


def _iou(config, points, anchors):
    """Binds thresholds of the anchors' IoU with the target."""
    del points
    limits = {"high": config.labels.iou_high, "low": config.labels.iou_low}
    label = partial(anchor_labels.iou_labels, anchors, **limits)
    return _subsampled(config, label)


def _dla(config, points, anchors):
    """Binds dynamic label assignment."""
    del points
    return lambda key, xyxy: dynamic.dynamic_labels(
        key,
        anchors,
        xyxy,
        num_points=config.labels.dla_points,
        ddof=config.labels.dla_ddof,
        empty=config.labels.dla_empty,
        negative_ratio=config.labels.dla_negatives,
    )


# Setting `assigner` -> function that binds it; jaxtrack.config has the same names.
ASSIGNERS: Mapping[str, BuildLabels] = MappingProxyType(
    {
        "rectangle": _rectangle,
        "circle": _circle,
        "ellipse": _ellipse,
        "iou": _iou,
        "dla": _dla,
    }
)


def _of_points(config, label, anchors):
    """Gives all anchors of a point the same label."""

    def of_anchors(xyxy):
        return jnp.broadcast_to(label(xyxy)[..., None], anchors.shape[:3])

    return _subsampled(config, of_anchors)


def _subsampled(config, label):
    """Subsamples the labels of `xyxy -> labels`, if set in the config."""
    most = config.labels.sampled_positives, config.labels.sampled_negatives

    def assign(key, xyxy):
        labels = label(xyxy)
        if not any(most):
            return labels
        return anchor_labels.subsample(
            key,
            labels,
            num_positives=most[0] or labels.size,
            num_negatives=most[1] or labels.size,
        )

    return assign


def _of_other(config, geometry, anchors, of_target):
    """Returns `(key, xyxy) -> labels [H, W, A]` where the crop shows another object."""
    if config.labels.negative_pairs == "window":
        return lambda key, xyxy: anchor_labels.window_negatives(
            key,
            grid.points(geometry),
            xyxy,
            num_anchors=anchors.shape[2],
            stride=geometry.stride,
            search_size=geometry.search_size,
        )
    if config.labels.negative_pairs == "positives":
        return lambda key, xyxy: jnp.where(
            of_target(key, xyxy) == regions.POSITIVE, regions.NEGATIVE, regions.IGNORE
        )
    return lambda key, xyxy: jnp.full(anchors.shape[:3], regions.NEGATIVE)
