"""From a network's maps to the target's new position, size and score.

All functions take ONE example (vmap for more), never branch on values, and take
`penalty`, `window` and `size_rate` as numbers or traced scalars, so that many settings
can be a batch axis. A cell's box is `ltrb`, distances from its point in search-crop
pixels.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops import boxes, grid, resize
from jaxtrack.tracking import decoding

# Smallest and largest half side of the refinement window, relative to the template's
# side: REGION_S and REGION_L of the released code.
_REGION = (0.1, 0.44)
# Smallest width and height of reported boxes, pixels of the picture.
_LEAST_SIZE = {"clean": 4.0, "pysot": 10.0, "video_analyst": 10.0, "opencv": 10.0}
_LEAST_SIZE |= {"released": 0.0}


class Selection(NamedTuple):
    """The chosen box relative to the last one.

    Attributes:
      shift: `[2]` xy, motion of the center, pixels of the picture.
      wh: `[2]` new width and height after smoothing, pixels of the picture.
      score: `[]` confidence in [0, 1].
    """

    shift: jax.Array
    wh: jax.Array
    score: jax.Array


def change_penalty(
    wh: jax.Array, previous_wh: jax.Array, penalty: float | jax.Array
) -> jax.Array:
    """Returns the penalty factor for a change of size and shape, 1 for no change.

    `exp(-(max(r, 1/r) * max(s, 1/s) - 1) * penalty)` with r the ratio of the aspects
    and s that of the context sides. SiamRPN (Li et al., CVPR 2018), section 4.3, with
    the sign and the -1 of pysot's code.

    Args:
      wh: `[..., 2]` width and height.
      previous_wh: `[2]` width and height in the last frame, in the same unit.
      penalty: strength, at least 0.

    Returns:
      `[...]` in (0, 1].
    """
    wh = jnp.maximum(wh, 1e-6)
    previous_wh = jnp.maximum(previous_wh, 1e-6)
    size = boxes.context_side(wh) / boxes.context_side(previous_wh)
    aspect = (previous_wh[0] / previous_wh[1]) / (wh[..., 0] / wh[..., 1])
    change = jnp.maximum(size, 1 / size) * jnp.maximum(aspect, 1 / aspect)
    return jnp.exp(-(change - 1) * penalty)


def calibrated_score(score: jax.Array, *, slope: float, middle: float) -> jax.Array:
    """Converts a network's score to the expected IoU of its box.

        sigmoid(slope (score - middle))

    Platt, Probabilistic Outputs for Support Vector Machines (Advances in Large Margin
    Classifiers, 1999), applied to the score; see `metrics.calibration.fit_logistic`.

    Args:
      score: `[]` in [0, 1].
      slope: 0 leaves the score unchanged.
      middle: the score that becomes 0.5.

    Returns:
      `[]` in [0, 1]; monotonic in the score.
    """
    return jax.nn.sigmoid(slope * (score - middle)) if slope else score


def select_clean(
    cls: jax.Array,
    ltrb: jax.Array,
    quality: jax.Array,
    previous_wh: jax.Array,
    scale: jax.Array,
    *,
    geometry: grid.Geometry,
    penalty: float | jax.Array = 0.1,
    window: float | jax.Array = 0.45,
    size_rate: float | jax.Array = 0.5,
    quality_power: float | jax.Array = 0.5,
    num_boxes: int = 1,
    boxes_from: str = "neighbors",
    rate_by_quality: bool = True,
) -> Selection:
    """Selects the best cell's box (or a mean around it) after penalty and window.

    `s = cls * quality ** quality_power`; the cell is the argmax of
    `(1 - window) * penalty * s + window * hann`; the center is the box's, the size
    moves by the fraction `penalty * s * size_rate` from the old to the new one. As in
    pysot (siamrpn_tracker), with the box's center, where SiamCAR takes the peak of the
    score. Each cell is represented by its highest-ranked anchor.

    With `quality_power=1, num_boxes=3, rate_by_quality=False` this is SiamLA (Nie et
    al., Eqs. 12 and 13, as resolved in S14 to S16): the box is the plain mean over the
    three best-ranked cells among the best cell and its eight neighbors (or in the whole
    map, `boxes_from="map"`, where the three may show different objects), and the size
    rate is `penalty * cls * size_rate`, as in pysot's and SiamCAR's code.

    Args:
      cls: `[H, W]` probability of the target, or `[H, W, A]` of A anchors.
      ltrb: `[H, W, 4]` distances to the box's sides, crop pixels, or `[H, W, A, 4]`.
      quality: `[H, W]` centerness or IoU, in [0, 1], or `[H, W, A]`.
      previous_wh: `[2]` last width and height, pixels of the picture.
      scale: `[]` crop pixels per picture pixel.
      geometry: positions of the cells in the crop.
      penalty: cost of a change of size or shape.
      window: weight of the Hann window, in [0, 1].
      size_rate: largest weight of the new size.
      quality_power: exponent of the quality.
      num_boxes: number of boxes averaged, 1 to 9; fewer at the border of the map.
      boxes_from: "neighbors", or "map".
      rate_by_quality: whether the size rate is multiplied by `s`, or by `cls`.

    Returns:
      The selection; its score is `s` at the best cell.
    """
    score = cls * quality**quality_power
    points, hann = grid.points(geometry), grid.hann_window(cls.shape[0])
    if cls.ndim == 3:
        points, hann = points[:, :, None], hann[:, :, None]
    xyxy = boxes.ltrb_to_xyxy(points, ltrb)
    wh = xyxy[..., 2:] - xyxy[..., :2]
    cost = change_penalty(wh, previous_wh * scale, penalty)
    ranked = cost * score * (1 - window) + hann * window
    ranked, xyxy, cost, score, cls = decoding.best_anchors(
        ranked, ranked, xyxy, cost, score, cls
    )
    best = jnp.argmax(ranked)
    average = _mean_of_map if boxes_from == "map" else _mean_of_neighbors
    box = average(ranked, xyxy, best, num_boxes)
    trust = (score if rate_by_quality else cls).reshape(-1)[best]
    score, cost = score.reshape(-1)[best], cost.reshape(-1)[best]
    rate = jnp.clip(cost * trust * size_rate, 0.0, 1.0)
    center = (box[:2] + box[2:]) / 2
    return Selection(
        shift=(center - geometry.search_size / 2) / scale,
        wh=(1 - rate) * previous_wh + rate * (box[2:] - box[:2]) / scale,
        score=jnp.clip(score, 0.0, 1.0),
    )


def _mean_of_map(ranked, xyxy, best, count):
    """Averages the boxes of the best-ranked cells."""
    del best
    return jnp.mean(xyxy.reshape(-1, 4)[lax.top_k(ranked.reshape(-1), count)[1]], 0)


def _mean_of_neighbors(ranked, xyxy, best, count):
    """Averages the boxes of the best-ranked cells among `best` and its neighbors."""
    if count == 1:
        return xyxy.reshape(-1, 4)[best]
    row, column = jnp.unravel_index(best, ranked.shape)
    near = jnp.pad(ranked, 1, constant_values=-jnp.inf)
    near = lax.dynamic_slice(near, (row, column), (3, 3)).reshape(9)
    values, places = lax.top_k(near, count)
    is_cell = (values > -jnp.inf).astype(jnp.float32)[:, None]
    cells = jnp.pad(xyxy, ((1, 1), (1, 1), (0, 0)))
    cells = lax.dynamic_slice(cells, (row, column, 0), (3, 3, 4)).reshape(9, 4)
    return jnp.sum(is_cell * cells[places], axis=0) / jnp.sum(is_cell)


def select_released(
    cls: jax.Array,
    ltrb: jax.Array,
    quality: jax.Array,
    previous_wh: jax.Array,
    scale: jax.Array,
    *,
    geometry: grid.Geometry,
    penalty: float | jax.Array = 0.04,
    window: float | jax.Array = 0.44,
    size_rate: float | jax.Array = 0.33,
) -> Selection:
    """Selects like SiamCAR's released code, including its quirks.

    Scores are upsampled bicubically to one value per crop pixel. The peak of the
    windowed score gives a coarse position, the nearby peak of the score without the
    window (`_refine`) the center. These quirks are kept, so that public weights and
    settings behave as published:

    - centerness is the raw logit, `decoding.stretched` (by the caller; a localization
      branch's sigmoid is passed unchanged, SiamLA's S15);
    - the center is the peak of the score, not the center of the box there;
    - upsampling aligns pixel centers, but the peak is read as if it aligned the corner
      cells: displacements are 3.5 % too short;
    - the size rate compares the new size in picture pixels with the old one in crop
      pixels.

    One difference: a flat centerness map counts as 0, where the released code divides
    by 0. SiamCAR (Guo et al., CVPR 2020), section 3.3, differs from its code; this
    follows the code.

    Args:
      cls: `[H, W]` probability of the target.
      ltrb: `[H, W, 4]` distances to the box's sides, crop pixels.
      quality: `[H, W]` in [0, 1].
      previous_wh: `[2]` last width and height, pixels of the picture.
      scale: `[]` crop pixels per picture pixel.
      geometry: sizes of crops and response.
      penalty: cost of a change of size or shape.
      window: weight of the Hann window, in [0, 1].
      size_rate: largest weight of the new size.

    Returns:
      The selection; its score is the upsampled `cls` at the peak.
    """
    cell_wh = ltrb[..., :2] + ltrb[..., 2:]
    cost = change_penalty(cell_wh, previous_wh * scale, penalty)
    plain = cost * cls * quality
    windowed = plain * (1 - window) + grid.hann_window(cls.shape[0]) * window

    size = (geometry.response_size - 1) * geometry.stride + 1
    stacked = jnp.stack([windowed, plain, cls], axis=-1)
    fine = resize.resize_bicubic(jnp.concatenate([stacked, ltrb], axis=-1), size)
    peak = _refine(fine[..., 0], fine[..., 1], ltrb, template=geometry.template_size)

    at = fine[peak[0], peak[1]]
    wh = (at[3:5] + at[5:7]) / scale
    rate = change_penalty(wh, previous_wh * scale, penalty) * at[2] * size_rate
    margin = int((geometry.search_size - (size - 1)) / 2)
    yx = peak.astype(jnp.float32) + (margin - (geometry.search_size - 1) / 2)
    return Selection(
        shift=yx[::-1] / scale,
        wh=rate * wh + (1 - rate) * previous_wh,
        score=jnp.clip(at[2], 0.0, 1.0),
    )


def _refine(
    windowed: jax.Array, plain: jax.Array, ltrb: jax.Array, *, template: int
) -> jax.Array:
    """Finds `plain`'s peak near `windowed`'s; both `[S, S]`; returns `[2]` row, column.

    Near means within half the box of the coarse peak's cell, with each side limited by
    `_REGION` and the map's border, truncated to whole pixels. The cell's index is
    rounded half to even and clipped, since it may be one past the end.
    """
    size, cells = windowed.shape[0], ltrb.shape[0]
    coarse = jnp.stack(jnp.unravel_index(jnp.argmax(windowed), windowed.shape))
    cell = jnp.round(coarse.astype(jnp.float32) / (size / cells)).astype(jnp.int32)
    cell = jnp.minimum(cell, cells - 1)
    least, largest = (int(share * template) for share in _REGION)
    sides = jnp.clip(ltrb[cell[0], cell[1]], least, largest)
    border = jnp.stack([coarse[1], coarse[0], size - coarse[1], size - coarse[0]])
    halves = jnp.minimum(sides, border.astype(jnp.float32)) / 2
    left, top, right, bottom = halves.astype(jnp.int32)
    rows = lax.broadcasted_iota(jnp.int32, (size, size), 0) - coarse[0]
    columns = lax.broadcasted_iota(jnp.int32, (size, size), 1) - coarse[1]
    inside = (rows >= -top) & (rows <= bottom)
    inside &= (columns >= -left) & (columns <= right)
    best = jnp.argmax(jnp.where(inside, plain, -jnp.inf))
    return jnp.stack(jnp.unravel_index(best, plain.shape))


def bounding(name: str) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """Returns how a selection keeps boxes inside the picture.

    Args:
      name: of the selection, a value of the setting `tracking.selection`.

    Returns:
      `(box [4] cxcywh px, hw [2]) -> box`.
    """
    return functools.partial(clip, least=_LEAST_SIZE[name])


def clip(box: jax.Array, hw: jax.Array, *, least: float = 4.0) -> jax.Array:
    """Clips a box's center to the picture, and its size to `least` and the picture's.

    Public trackers also clip the center of their crops to [0, W] and [0, H].

    Args:
      box: `[4]` cxcywh, pixels.
      hw: `[2]` height and width of the picture, pixels.
      least: smallest width and height, pixels, 10 in pysot's code, 0 in SiamCAR's; also
        in a smaller picture.

    Returns:
      `[4]` cxcywh, pixels.
    """
    wh = hw[::-1].astype(jnp.float32)
    size = jnp.maximum(jnp.minimum(box[2:], wh), least)
    return jnp.concatenate([jnp.clip(box[:2], 0.0, wh), size])
