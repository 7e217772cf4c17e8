"""From a network's maps to the target's new place, size and score.

All functions see ONE example (vmap for more), branch on no value, and take `penalty`,
`window` and `size_rate` as numbers or traced scalars, so that many settings can be a
batch axis. A cell's box is `ltrb`, distances from its point in search-crop pixels.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops import boxes, grid, resize
from jaxtrack.tracking import decoding

# The refinement window's least and largest half side over the template's side: the
# release's REGION_S and REGION_L.
_REGION = (0.1, 0.44)


class Selection(NamedTuple):
    """The chosen box relative to the last one.

    Attributes:
      shift: `[2]` xy, how far the centre moved, pixels of the picture.
      wh: `[2]` new width and height after smoothing, pixels of the picture.
      score: `[]` confidence in [0, 1].
    """

    shift: jax.Array
    wh: jax.Array
    score: jax.Array


def change_penalty(
    wh: jax.Array, previous_wh: jax.Array, penalty: float | jax.Array
) -> jax.Array:
    """Returns what a change of size and shape costs, 1 where nothing changed.

    `exp(-(max(r, 1/r) * max(s, 1/s) - 1) * penalty)` with r the ratio of the aspects
    and s that of the context sides. SiamRPN (Li et al., CVPR 2018), section 4.3, with
    the sign and the -1 of pysot's code.

    Args:
      wh: `[..., 2]` width and height.
      previous_wh: `[2]` those of the last frame, in the same unit.
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
    """Turns a network's score into the IoU that is to be expected of its box.

        sigmoid(slope (score - middle))

    Platt, Probabilistic Outputs for Support Vector Machines (Advances in Large Margin
    Classifiers, 1999), of the score itself; see `metrics.calibration.fit_logistic`.

    Args:
      score: `[]` in [0, 1].
      slope: 0 leaves the score as it is.
      middle: the score that becomes 0.5.

    Returns:
      `[]` in [0, 1]; it ranks frames as the score does.
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
    """Takes the best cell's box (or a mean around it) after penalty and window.

    `s = cls * quality ** quality_power`; the cell is the argmax of
    `(1 - window) * penalty * s + window * hann`; the centre is the box's, the size
    moves by the share `penalty * s * size_rate` from the old to the new one. pysot
    (siamrpn_tracker), with the box's centre where SiamCAR takes the score's peak. Of
    the anchors of a cell the one that ranks highest stands for it.

    With `quality_power=1, num_boxes=3, rate_by_quality=False` this is SiamLA (Nie et
    al., Eqs. 12 and 13, as resolved in S14 to S16): the box is the plain mean of those
    of the three best-ranked cells among the best cell and its eight neighbours (or of
    the whole map, `boxes_from="map"`, where the three may belong to different objects),
    and the size's rate is `penalty * cls * size_rate`, as in pysot's and SiamCAR's
    code.

    Args:
      cls: `[H, W]` probability of the target, or `[H, W, A]` of A anchors.
      ltrb: `[H, W, 4]` distances to the box's sides, crop pixels, or `[H, W, A, 4]`.
      quality: `[H, W]` centre-ness or IoU, in [0, 1], or `[H, W, A]`.
      previous_wh: `[2]` last width and height, pixels of the picture.
      scale: `[]` crop pixels per picture pixel.
      geometry: which crop pixel each cell looks at.
      penalty: cost of a change of size or shape.
      window: share of the Hann window, in [0, 1].
      size_rate: largest share of the new size.
      quality_power: exponent of the quality.
      num_boxes: boxes averaged, 1 to 9; of neighbours fewer where the map ends.
      boxes_from: "neighbors", or "map".
      rate_by_quality: whether the size's rate falls with `s`, or with `cls` alone.

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
    if boxes_from == "map":
        box = jnp.mean(
            xyxy.reshape(-1, 4)[lax.top_k(ranked.reshape(-1), num_boxes)[1]], 0
        )
    else:
        box = _mean_box(ranked, xyxy, best, num_boxes)
    trust = (score if rate_by_quality else cls).reshape(-1)[best]
    score, cost = score.reshape(-1)[best], cost.reshape(-1)[best]
    rate = jnp.clip(cost * trust * size_rate, 0.0, 1.0)
    center = (box[:2] + box[2:]) / 2
    return Selection(
        shift=(center - geometry.search_size / 2) / scale,
        wh=(1 - rate) * previous_wh + rate * (box[2:] - box[:2]) / scale,
        score=jnp.clip(score, 0.0, 1.0),
    )


def _mean_box(ranked, xyxy, best, count):
    """Averages the boxes of the best-ranked cells among `best` and its neighbours."""
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
    """Selects as SiamCAR's released code does, quirks included.

    Scores are upsampled bicubically to one value a crop pixel. The windowed score's
    peak gives a coarse place, the unwindowed one's peak near it (`_refine`) the
    centre. Kept on purpose, so that public weights and settings behave as published:

    - centre-ness is the raw logit, `decoding.stretched` (so the caller does; a
      localization branch's sigmoid is passed as it is, SiamLA's S15);
    - the centre is the score's peak, not the middle of the box there;
    - upsampling aligns pixel centres, while the peak is read off as if it aligned the
      corner cells: displacements come out 3.5 % short;
    - the size's rate compares the new size in picture pixels with the old one in crop
      pixels.

    One difference: a flat centre-ness map counts as 0, where the release divides by 0.
    SiamCAR (Guo et al., CVPR 2020), section 3.3, differs from its code, which is
    followed here.

    Args:
      cls: `[H, W]` probability of the target.
      ltrb: `[H, W, 4]` distances to the box's sides, crop pixels.
      quality: `[H, W]` in [0, 1].
      previous_wh: `[2]` last width and height, pixels of the picture.
      scale: `[]` crop pixels per picture pixel.
      geometry: sizes of crops and response.
      penalty: cost of a change of size or shape.
      window: share of the Hann window, in [0, 1].
      size_rate: largest share of the new size.

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

    Near means within half the box of the coarse peak's cell, each side bounded by
    `_REGION` and by the map's border, truncated to whole pixels. The cell's index
    rounds half to even and may fall one past the end; it is then clipped.
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
