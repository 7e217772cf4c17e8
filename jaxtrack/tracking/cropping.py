"""What a tracker sees of a frame: square crops around the target."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops import boxes, crop, grid, preprocess
from jaxtrack.tracking.state import Frame, TrackerState

# Selections of public code, which also crop as that code does.
PUBLIC = ("released", "pysot")


# Steps a pixel of a search crop's centre and side. A step of tracking depends on the
# last one through its crop: on a grid, the rounding errors of float32, which differ
# between compilations, mostly vanish there instead of growing from frame to frame.
_STEPS = 8.0


class Search(NamedTuple):
    """A search crop and where it was cut.

    Attributes:
      image: `[1, S, S, 3]`, preprocessed.
      scale: `[]` crop pixels per picture pixel.
      center: `[2]` xy of the crop's middle, pixels of the picture.
      hw: `[2]` int32, height and width of the picture, pixels.
    """

    image: jax.Array
    scale: jax.Array
    center: jax.Array
    hw: jax.Array


class First(NamedTuple):
    """What a tracker starts from.

    Attributes:
      image: `[1, Z, Z, 3]`, the template crop, preprocessed.
      scale: `[]` crop pixels per picture pixel.
      box: `[4]` cxcywh of the target, pixels of the picture.
      fill: `[3]` RGB mean of the frame.
      search: the search crop around the target, for trackers that learn from it.
    """

    image: jax.Array
    scale: jax.Array
    box: jax.Array
    fill: jax.Array
    search: Search | None


class View(NamedTuple):
    """Functions that cut crops out of frames.

    Attributes:
      first: `(frame, box [4] cxcywh px) -> First`.
      search: `(state, frame) -> Search`.
    """

    first: Callable[[Frame, jax.Array], First]
    search: Callable[[TrackerState, Frame], Search]


def make_view(
    geometry: grid.Geometry,
    *,
    context: float,
    is_public: bool,
    preprocessing: preprocess.Preprocessing,
    is_search_first: bool = False,
) -> View:
    """Returns how a tracker looks at frames.

    Args:
      geometry: sizes of the crops.
      context: share c of the context; see `jaxtrack.ops.boxes.context_side`.
      is_public: whether crops are pysot's; see `jaxtrack.tracking.siamese.make`.
      preprocessing: what the network's weights expect.
      is_search_first: whether the search crop is cut out of the first frame too.

    Returns:
      The functions.
    """

    def side(wh: jax.Array) -> jax.Array:
        # At least one pixel of the picture.
        return jnp.maximum(boxes.context_side(wh, context=context), 1.0)

    def surroundings(frame: Frame) -> jax.Array:
        fill = crop.mean_color(frame.image, frame.hw)
        return jnp.floor(fill) if is_public else fill

    def look(frame, center, side, size, fill):
        if is_public:
            center, side = whole_pixel_square(center, side)
        cut = crop_alone(size, antialias=not is_public)
        pixels = cut(frame.image, frame.hw, center, side, fill)
        return preprocess.normalize(pixels, preprocessing)[None]

    def cut_search(box: jax.Array, fill: jax.Array, frame: Frame) -> Search:
        center, z_side = box[:2], side(box[2:])
        if not is_public:
            center, z_side = on_grid(center), on_grid(z_side)
        scale = geometry.template_size / z_side
        size = geometry.search_size
        image = look(frame, center, size / scale, size, fill)
        return Search(image, scale, center, jnp.asarray(frame.hw))

    def first(frame: Frame, box: jax.Array) -> First:
        box = jnp.asarray(box).astype(jnp.float32)
        fill, z_side = surroundings(frame), side(box[2:])
        size = geometry.template_size
        image = look(frame, box[:2], z_side, size, fill)
        search = cut_search(box, fill, frame) if is_search_first else None
        return First(image, size / z_side, box, fill, search)

    def search(state: TrackerState, frame: Frame) -> Search:
        return cut_search(state.box, state.fill, frame)

    return View(first, search)


def crop_alone(size: int, *, antialias: bool) -> Callable[..., jax.Array]:
    """Returns `crop_and_resize`, which vmap on a CPU runs for one video at a time.

    Under plain vmap the choice between averaged copies becomes a selection among all of
    them: on a CPU that costs ten times the crop, on a GPU next to nothing.

    Args:
      size: side of the crop, cells.
      antialias: see `jaxtrack.ops.crop.crop_and_resize`.

    Returns:
      `(image, hw, center_xy, side, fill) -> [size, size, 3]` float32.
    """

    def cut(image, hw, center, side, fill):
        return crop.crop_and_resize(
            image, hw, center, side, size, fill, antialias=antialias
        )

    def cut_many(axis_size, is_batched, *arguments):
        del axis_size

        def one_by_one(*arguments):
            pairs = list(zip(arguments, is_batched, strict=True))

            def body(batched):
                batched = iter(batched)
                return cut(*(next(batched) if is_b else a for a, is_b in pairs))

            return lax.map(body, [a for a, is_b in pairs if is_b])

        together = jax.vmap(cut, [0 if is_b else None for is_b in is_batched])
        pixels = lax.platform_dependent(*arguments, cpu=one_by_one, default=together)
        return pixels, True

    alone = jax.custom_batching.custom_vmap(cut)
    alone.def_vmap(cut_many)
    # custom_vmap has no reverse mode; derivatives take the plain crop.
    differentiable = jax.custom_jvp(alone)
    differentiable.defjvp(lambda values, tangents: jax.jvp(cut, values, tangents))
    return differentiable


def on_grid(px: jax.Array) -> jax.Array:
    """Rounds pixels to eighths, which float32 holds exactly up to 2 million.

    Derivatives are those of the unrounded pixels. The sum is exact: the difference is
    at most a sixteenth and no finer than `px`.
    """
    return px + lax.stop_gradient(jnp.round(px * _STEPS) / _STEPS - px)


def whole_pixel_square(
    center: jax.Array, side: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Moves a square to whole pixels as pysot's `get_subwindow` does.

    In index coordinates the left-most pixel is `floor(c - (side + 1) / 2 + 0.5)` with
    the side rounded half to even; continuous coordinates are half a pixel more.

    Args:
      center: `[2]` xy, continuous pixels.
      side: `[]` pixels.

    Returns:
      Centre `[2]` and side `[]` of the square whose edges lie between pixels.
    """
    side = jnp.maximum(jnp.round(side), 1.0)
    corner = jnp.floor(center - (side + 1) / 2)
    return corner + side / 2, side
