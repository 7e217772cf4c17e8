"""Labels of anchors by their IoU with the target, and subsampling of labels.

As in the public code of SiamRPN++ (Li et al., arXiv:1812.11703), which the SiamDLA
paper compares with. All functions take ONE example; use vmap for more.
"""

import jax
import jax.numpy as jnp

from jaxtrack.assign import regions
from jaxtrack.ops import boxes
from jaxtrack.ops.random_subset import random_subset


def iou_labels(
    anchors: jax.Array, xyxy: jax.Array, *, high: float = 0.6, low: float = 0.3
) -> jax.Array:
    """Labels anchors by their IoU with the target.

        IoU > high: positive;  IoU < low: negative;  else ignored

    SiamDLA, Eq. 1.

    Args:
      anchors: `[H, W, A, 4]` xyxy, pixels.
      xyxy: the target, `[4]` xyxy, pixels of the same image.
      high: IoU above which an anchor is positive.
      low: IoU below which an anchor is negative.

    Returns:
      `[H, W, A]` int32 of POSITIVE, NEGATIVE and IGNORE. A target that is empty or not
      finite has only NEGATIVE anchors.
    """
    iou = boxes.iou(anchors, xyxy)
    labels = jnp.where(iou > high, regions.POSITIVE, regions.IGNORE)
    labels = jnp.where(iou < low, regions.NEGATIVE, labels)
    labels = jnp.where(regions.is_box(xyxy), labels, regions.NEGATIVE)
    return labels.astype(jnp.int32)


def subsample(
    key: jax.Array,
    labels: jax.Array,
    *,
    num_positives: int = 16,
    num_negatives: int = 48,
) -> jax.Array:
    """Keeps random positives and negatives and marks the others IGNORE.

    SiamDLA, section 3.1: 64 samples a pair, up to 16 of them positive.

    Args:
      key: random key.
      labels: `[...]` of POSITIVE, NEGATIVE and IGNORE.
      num_positives: largest number of positives to keep.
      num_negatives: largest number of negatives to keep.

    Returns:
      `[...]` int32 labels.
    """
    key_positives, key_negatives = jax.random.split(key)
    is_positive = random_subset(
        key_positives, labels == regions.POSITIVE, num_positives
    )
    is_negative = random_subset(
        key_negatives, labels == regions.NEGATIVE, num_negatives
    )
    labels = jnp.where(is_negative, regions.NEGATIVE, regions.IGNORE)
    return jnp.where(is_positive, regions.POSITIVE, labels).astype(jnp.int32)


def window_negatives(
    key: jax.Array,
    points: jax.Array,
    xyxy: jax.Array,
    *,
    num_anchors: int,
    stride: float,
    search_size: float,
    count: int = 16,
    radius: int = 3,
) -> jax.Array:
    """Labels a pair whose search crop lacks the target: negatives around the object.

        column = W // 2 + ceil((cx - search_size / 2) / stride + 1/2), and rows likewise

    As in SiamRPN++'s public code, where half a stride is added before rounding up, so
    that an object at the crop's center has the window around the next cell.

    Args:
      key: random key.
      points: `[H, W, 2]` xy, pixels.
      xyxy: the object in the search crop, which is not the target, `[4]` xyxy, pixels.
        Around the map's middle cell if it is empty or not finite.
      num_anchors: A, anchors per cell.
      stride: distance of neighboring cells, pixels.
      search_size: side of the search crop, pixels.
      count: largest number of negatives.
      radius: half side of the window, cells; it is clipped to the map.

    Returns:
      `[H, W, A]` int32 of NEGATIVE and IGNORE.
    """
    height, width = points.shape[:2]
    steps = ((xyxy[:2] + xyxy[2:] - search_size) / 2) / stride
    steps = jnp.where(regions.is_box(xyxy), jnp.ceil(steps + 0.5), 0)
    rows, columns = jnp.arange(1.0 * height), jnp.arange(1.0 * width)
    in_rows = jnp.abs(rows - height // 2 - steps[1]) <= radius
    in_columns = jnp.abs(columns - width // 2 - steps[0]) <= radius
    window = in_rows[:, None, None] & in_columns[None, :, None]
    window = jnp.broadcast_to(window, (height, width, num_anchors))
    is_negative = random_subset(key, window, count)
    labels = jnp.where(is_negative, regions.NEGATIVE, regions.IGNORE)
    return labels.astype(jnp.int32)
