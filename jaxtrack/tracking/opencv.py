"""OpenCV's TrackerNano: its crops and its selection, for any network.

As in OpenCV 5.0, modules/video, `TrackerNano`; boxes agree with it frame by frame
up to rounding. Differences from pysot:

- the search crop's side is a whole multiple of the template's, rounded down, although
  boxes are scaled by the ratio of the crops' pixels;
- sides and corners are truncated to whole pixels, and crops are `cv2.resize`'s;
- padding is the mean of the current frame, not of the first one;
- the window is the root of Hann's;
- a change of size is measured relative to the target's *position*: the code passes its
  center instead of its size, so that penalties vary over the picture.
"""

import functools

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops import boxes, crop, fixed_resize, grid, preprocess
from jaxtrack.tracking import decoding
from jaxtrack.tracking.cropping import Aim, View
from jaxtrack.tracking.selection import Selection
from jaxtrack.tracking.state import Crop, Frame


def make_view(
    geometry: grid.Geometry, *, context: float, preprocessing: preprocess.Preprocessing
) -> View:
    """Returns how OpenCV's tracker crops frames.

    Args:
      geometry: sizes of the crops.
      context: factor c of the context; see `jaxtrack.ops.boxes.context_side`.
      preprocessing: of the network's weights.

    Returns:
      The functions; their crops are already padded.
    """
    sizes = geometry.template_size, geometry.search_size
    growth = sizes[1] // sizes[0]

    def side(wh: jax.Array) -> jax.Array:
        return jnp.maximum(boxes.context_side(wh, context=context), 1.0)

    def aim(box, extent, scale, size, hw) -> Aim:
        extent = extent.astype(jnp.int32)  # Truncated, like the position.
        corner = box[:2].astype(jnp.int32) - (extent + 1) // 2
        taps = fixed_resize.list_taps(corner, extent, size, cells=max(sizes))
        return Aim(taps, box, box[:2], scale, jnp.asarray(hw))

    def template(box: jax.Array, hw: jax.Array) -> Aim:
        box = jnp.asarray(box).astype(jnp.float32)
        # OpenCV takes a box of whole pixels, rounded to nearest.
        corner, size = jnp.round(box[:2] - box[2:] / 2), jnp.round(box[2:])
        box = jnp.concatenate([corner + size / 2, size])
        extent = side(box[2:])
        return aim(box, extent, sizes[0] / extent, sizes[0], hw)

    def search(box: jax.Array, hw: jax.Array) -> Aim:
        box = jnp.asarray(box).astype(jnp.float32)
        # As `side`, but the sum of width and height is truncated.
        around = box[2:] + context * jnp.floor(jnp.sum(box[2:]))
        extent = jnp.maximum(jnp.sqrt(jnp.prod(around)), 1.0)
        return aim(box, growth * extent, sizes[0] / extent, sizes[1], hw)

    def cut(frame: Frame, aim: Aim) -> jax.Array:
        # The mean takes as long as the crop; most crops are inside the picture.
        wh = jnp.asarray(frame.hw)[::-1, None, None]
        hangs_over = jnp.any((aim.taps.index < 0) | (aim.taps.index >= wh))
        mean = lax.cond(
            hangs_over,
            lambda: jnp.round(crop.mean_color(frame.image, frame.hw)),
            lambda: jnp.zeros(3),
        )
        return fixed_resize.sample(frame.image, frame.hw, aim.taps, mean)

    def image(size, cut: Crop, fill: jax.Array) -> jax.Array:
        del fill
        return preprocess.normalize(cut.pixels[:size, :size], preprocessing)[None]

    images = [functools.partial(image, size) for size in sizes]
    return View(side, template, search, cut, lambda frame: jnp.zeros(3), *images)


def select(
    cls: jax.Array,
    ltrb: jax.Array,
    quality: jax.Array,
    box: jax.Array,
    scale: jax.Array,
    *,
    geometry: grid.Geometry,
    penalty: float | jax.Array = 0.055,
    window: float | jax.Array = 0.455,
    size_rate: float | jax.Array = 0.37,
    quality_power: float | jax.Array = 1.0,
) -> Selection:
    """Selects the best cell's box after penalty and window, like OpenCV's tracker.

        cost = exp(-(max(r, 1/r) max(s, 1/s) - 1) penalty),  score = cls quality^power
        ranked = (1 - window) cost score + window sqrt(hann)

    r is the ratio of the aspects, s the ratio of the predicted box's context side and
    the one computed from the target's position instead of its size (see above). The
    size moves by the fraction `cost score size_rate` from the old to the new one.

    Args:
      cls: `[H, W]` probability of the target, or `[H, W, A]` of A anchors.
      ltrb: `[H, W, 4]` distances to the box's sides, crop pixels, or `[H, W, A, 4]`.
      quality: `[H, W]` in [0, 1], or `[H, W, A]`; 1 for a network without quality.
      box: `[4]` cxcywh, the last one, pixels of the picture.
      scale: `[]` crop pixels per picture pixel.
      geometry: positions of the cells in the crop.
      penalty: cost of a change of shape.
      window: weight of the window, in [0, 1].
      size_rate: largest weight of the new size.
      quality_power: exponent of the quality.

    Returns:
      The selection; its score is the best cell's. (OpenCV reports the ranked score.)
    """
    score = cls * quality**quality_power
    points, hann = grid.points(geometry), jnp.sqrt(grid.hann_window(cls.shape[0]))
    if cls.ndim == 3:
        points, hann = points[:, :, None], hann[:, :, None]
    xyxy = boxes.ltrb_to_xyxy(points, ltrb)
    wh = jnp.maximum(xyxy[..., 2:] - xyxy[..., :2], 1e-6)
    place = jnp.maximum(box[:2], 1e-6)
    size = boxes.context_side(wh) / boxes.context_side(place)
    aspect = (box[2] / box[3]) / (wh[..., 0] / wh[..., 1])
    change = jnp.maximum(size, 1 / size) * jnp.maximum(aspect, 1 / aspect)
    cost = jnp.exp(-(change - 1) * penalty)
    ranked = cost * score * (1 - window) + hann * window
    ranked, xyxy, cost, score = decoding.best_anchors(ranked, ranked, xyxy, cost, score)
    best = jnp.argmax(ranked)
    chosen, score = xyxy.reshape(-1, 4)[best], score.reshape(-1)[best]
    rate = cost.reshape(-1)[best] * score * size_rate
    center = (chosen[:2] + chosen[2:]) / 2
    return Selection(
        shift=(center - geometry.search_size / 2) / scale,
        wh=(1 - rate) * box[2:] + rate * (chosen[2:] - chosen[:2]) / scale,
        score=jnp.clip(score, 0.0, 1.0),
    )


def whole_pixels(box: jax.Array) -> jax.Array:
    """Truncates a box's corner and size to whole pixels, like OpenCV's output.

    This subtracts half a pixel on average, about as much as tracked boxes are too far
    to the right and bottom, since crops start too far to the left and top. The state
    of the tracker does not change.

    Args:
      box: `[4]` cxcywh, pixels.

    Returns:
      `[4]` cxcywh of a box `xywh` of whole pixels.
    """
    corner, size = jnp.trunc(box[:2] - box[2:] / 2), jnp.trunc(box[2:])
    return jnp.concatenate([corner + size / 2, size])
