"""What a tracker sees of a frame: square crops around the target."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops import boxes, crop, fixed_resize, grid, preprocess
from jaxtrack.tracking.state import Crop, Frame

# Selections of public code, which also crop as that code does: SiamCAR's and pysot's on
# whole pixels, video_analyst's not.
_ON_WHOLE_PIXELS = ("released", "pysot")
PUBLIC = (*_ON_WHOLE_PIXELS, "video_analyst")


# Steps a pixel of a search crop's centre and side. A step of tracking depends on the
# last one through its crop: on a grid, the rounding errors of float32, which differ
# between compilations, mostly vanish there instead of growing from frame to frame.
_STEPS = 8.0


class Aim(NamedTuple):
    """Where a crop is cut; shapes are those of all crops of a tracker.

    Attributes:
      taps: the pixels that are read.
      box: `[4]` cxcywh that is looked around, pixels of the picture.
      center: `[2]` xy of the crop's middle, pixels of the picture.
      scale: `[]` crop pixels per picture pixel.
      hw: `[2]` int32, height and width of the picture, pixels.
    """

    taps: crop.Taps | fixed_resize.FixedTaps
    box: jax.Array
    center: jax.Array
    scale: jax.Array
    hw: jax.Array


class View(NamedTuple):
    """Functions that look at frames.

    Attributes:
      side: `(wh [2]) -> []`, side of the template crop, pixels of the picture.
      template: `(box [4] cxcywh px, hw [2]) -> Aim` of the template crop.
      search: `(box [4] cxcywh px, hw [2]) -> Aim` of the search crop.
      cut: `(frame, aim) -> pixels` of a crop.
      fill: `(frame) -> [3]`, RGB seen outside the picture.
      template_image: `(crop, fill) -> [1, Z, Z, 3]`, preprocessed.
      search_image: `(crop, fill) -> [1, S, S, 3]`, preprocessed.
    """

    side: Callable[[jax.Array], jax.Array]
    template: Callable[[jax.Array, jax.Array], Aim]
    search: Callable[[jax.Array, jax.Array], Aim]
    cut: Callable[[Frame, Aim], Any]
    fill: Callable[[Frame], jax.Array]
    template_image: Callable[[Crop, jax.Array], jax.Array]
    search_image: Callable[[Crop, jax.Array], jax.Array]


def make_view(
    geometry: grid.Geometry,
    *,
    context: float,
    selection: str,
    preprocessing: preprocess.Preprocessing,
) -> View:
    """Returns how a tracker looks at frames.

    Args:
      geometry: sizes of the crops.
      context: share c of the context; see `jaxtrack.ops.boxes.context_side`.
      selection: whose crops: "released", "pysot", "video_analyst" or "clean"; see
        `jaxtrack.tracking.siamese.make`.
      preprocessing: what the network's weights expect.

    Returns:
      The functions.
    """
    sizes = geometry.template_size, geometry.search_size
    is_public = selection in PUBLIC

    def side(wh: jax.Array) -> jax.Array:
        # At least one pixel of the picture.
        return jnp.maximum(boxes.context_side(wh, context=context), 1.0)

    def aim(box, center, scale, size, hw) -> Aim:
        middle, seen = center, size / scale
        if selection in _ON_WHOLE_PIXELS:
            middle, seen = whole_pixel_square(center, seen)
        elif is_public:
            seen = corner_to_corner(seen, size)
        options = {"antialias": not is_public, "cells": max(sizes)}
        taps = crop.list_taps(hw, middle, seen, size, **options)
        return Aim(taps, box, center, scale, jnp.asarray(hw))

    def template(box: jax.Array, hw: jax.Array) -> Aim:
        box = jnp.asarray(box).astype(jnp.float32)
        return aim(box, box[:2], sizes[0] / side(box[2:]), sizes[0], hw)

    def search(box: jax.Array, hw: jax.Array) -> Aim:
        box = jnp.asarray(box).astype(jnp.float32)
        center, z_side = box[:2], side(box[2:])
        if selection not in _ON_WHOLE_PIXELS:
            center = on_grid(center)
        if not is_public:
            z_side = on_grid(z_side)
        return aim(box, center, sizes[0] / z_side, sizes[1], hw)

    def fill(frame: Frame) -> jax.Array:
        mean = crop.mean_color(frame.image, frame.hw)
        return jnp.floor(mean) if is_public else mean

    def image(size, cut: Crop, fill: jax.Array) -> jax.Array:
        pixels = crop.fill_outside(cut.pixels, cut.aim.taps, fill)
        return preprocess.normalize(pixels[:size, :size], preprocessing)[None]

    images = [functools.partial(image, size) for size in sizes]
    return View(side, template, search, cut, fill, *images)


def cut(frame: Frame, aim: Aim) -> jax.Array:
    """Cuts a crop, which vmap on a CPU does for one video or target at a time.

    Under plain vmap the choice between averaged copies becomes a selection among all of
    them: on a CPU that costs ten times the crop, on a GPU next to nothing. A frame that
    is not mapped is not copied.

    Args:
      frame: with the target.
      aim: where it is.

    Returns:
      `[cells, cells, 3]` float32, without what is outside of the picture.
    """
    return _sample_alone(frame.image, aim.taps)


def _sample_many(axis_size, is_batched, *arguments):
    """Samples many: one after another on a CPU, together elsewhere."""
    del axis_size
    flags = jax.tree.leaves(is_batched)
    leaves, tree = jax.tree.flatten(arguments)

    def one_by_one(*leaves):
        def body(batched):
            batched = iter(batched)
            pairs = zip(leaves, flags, strict=True)
            own = [next(batched) if flag else leaf for leaf, flag in pairs]
            return crop.sample(*jax.tree.unflatten(tree, own))

        return lax.map(body, [a for a, f in zip(leaves, flags, strict=True) if f])

    def together(*leaves):
        axes = jax.tree.unflatten(tree, [0 if flag else None for flag in flags])
        return jax.vmap(crop.sample, axes)(*jax.tree.unflatten(tree, leaves))

    return lax.platform_dependent(*leaves, cpu=one_by_one, default=together), True


_sample_mapped = jax.custom_batching.custom_vmap(crop.sample)
_sample_mapped.def_vmap(_sample_many)
# custom_vmap has no reverse mode; derivatives take the plain crop.
_sample_alone = jax.custom_jvp(_sample_mapped)
_sample_alone.defjvp(lambda values, tangents: jax.jvp(crop.sample, values, tangents))


def on_grid(px: jax.Array) -> jax.Array:
    """Rounds pixels to eighths, which float32 holds exactly up to 2 million.

    Derivatives are those of the unrounded pixels. The sum is exact: the difference is
    at most a sixteenth and no finer than `px`.
    """
    return px + lax.stop_gradient(jnp.round(px * _STEPS) / _STEPS - px)


def pixel_center(selection: str) -> float:
    """Returns where a tracker has the centre of pixel 0, for regions of pixel indices.

    Args:
      selection: a value of the setting `tracking.selection`.

    Returns:
      1/2, as pixels are continuous; 0 of SiamCAR's and pysot's selections, which take
      the index itself: see `whole_pixel_square`.
    """
    return 0.0 if selection in _ON_WHOLE_PIXELS else 0.5


def whole_pixel_square(
    center: jax.Array, side: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Moves a square to whole pixels as pysot's `get_subwindow` does.

    Its left-most pixel is `floor(c - (side + 1) / 2 + 0.5)`, with the side rounded half
    to even. pysot's test driver gives `x + w / 2` of a rectangle for c, and writes
    `c - w / 2` back: no half pixel on either way, although c then counts pixels by
    index. So c is our centre itself, and what a tracker that takes c for the crop's
    middle reports, be its network exact, is right and below of the target by

        frac(c - side / 2), from 0 to 1 px, 1/2 px on average

    as in pysot. Polygons (VOT) are given and written as indices there:
    `jaxtrack.evaluation.vot_run` leaves their half pixel out.

    Args:
      center: c, `[2]` xy, pixels.
      side: `[]` pixels.

    Returns:
      Centre `[2]` and side `[]` of the square whose edges lie between pixels.
    """
    side = jnp.maximum(jnp.round(side), 1.0)
    corner = jnp.floor(center - side / 2)
    return corner + side / 2, side


def corner_to_corner(side: jax.Array, size: int) -> jax.Array:
    """Returns how much of a picture video_analyst's crop shows.

    Its affine map lays the outermost of the crop's `size` pixels on the outermost of
    the `round(side)` pixels around the target, so that a crop pixel is

        (round(side) - 1) / (size - 1)

    pixels wide, up to some 1 % off the `side / size` by which boxes are scaled back.
    The target's middle is the crop's: crops of video_analyst have no bias.

    Args:
      side: of the square that is asked for, `[]` pixels.
      size: of the crop, px.

    Returns:
      Side of the square from edge to edge of the crop, `[]` pixels.
    """
    pixels = jnp.maximum(jnp.round(side), 1.0)
    return (pixels - 1) * (size / (size - 1))
