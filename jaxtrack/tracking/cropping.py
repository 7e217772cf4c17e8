"""Crops of a tracker: squares around the target."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops import boxes, crop, fixed_resize, grid, preprocess
from jaxtrack.tracking.state import Crop, Frame

# Selections of public code, with the crops of that code: SiamCAR's and pysot's start at
# whole pixels, video_analyst's do not.
_ON_WHOLE_PIXELS = ("released", "pysot")
PUBLIC = (*_ON_WHOLE_PIXELS, "video_analyst")


# Steps per pixel of a search crop's center and side. A tracking step depends on the
# previous one through its crop: on a grid, the rounding errors of float32, which differ
# between compilations, mostly vanish there instead of growing from frame to frame.
_STEPS = 8.0


class Aim(NamedTuple):
    """Where a crop is cut; all crops of a tracker have the same shapes.

    Attributes:
      taps: the pixels to read.
      box: `[4]` cxcywh to crop around, pixels of the picture.
      center: `[2]` xy of the crop's center, pixels of the picture.
      scale: `[]` crop pixels per picture pixel.
      hw: `[2]` int32, height and width of the picture, pixels.
    """

    taps: crop.Taps | fixed_resize.FixedTaps
    box: jax.Array
    center: jax.Array
    scale: jax.Array
    hw: jax.Array


class View(NamedTuple):
    """Functions that crop frames.

    Attributes:
      side: `(wh [2]) -> []`, side of the template crop, pixels of the picture.
      template: `(box [4] cxcywh px, hw [2]) -> Aim` of the template crop.
      search: `(box [4] cxcywh px, hw [2]) -> Aim` of the search crop.
      cut: `(frame, aim) -> pixels` of a crop.
      fill: `(frame) -> [3]`, RGB for padding.
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
    """Returns how a tracker crops frames.

    Args:
      geometry: sizes of the crops.
      context: factor c of the context; see `jaxtrack.ops.boxes.context_side`.
      selection: kind of crops: "released", "pysot", "video_analyst" or "clean"; see
        `jaxtrack.tracking.siamese.make`.
      preprocessing: of the network's weights.

    Returns:
      The functions.
    """
    sizes = geometry.template_size, geometry.search_size
    is_public = selection in PUBLIC

    def side(wh: jax.Array) -> jax.Array:
        # At least one pixel of the picture.
        return jnp.maximum(boxes.context_side(wh, context=context), 1.0)

    def aim(box, center, scale, size, hw) -> Aim:
        middle, extent = center, size / scale
        if selection in _ON_WHOLE_PIXELS:
            middle, extent = whole_pixel_square(center, extent)
        elif is_public:
            extent = corner_to_corner(extent, size)
        options = {"antialias": not is_public, "cells": max(sizes)}
        taps = crop.list_taps(hw, middle, extent, size, **options)
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
    """Cuts a crop; under vmap on a CPU one video or target at a time.

    Plain vmap would compute all averaged copies and select one of them: on a CPU that
    costs ten times the crop, on a GPU almost nothing. A frame that is not mapped is not
    copied.

    Args:
      frame: the frame.
      aim: where to cut.

    Returns:
      `[cells, cells, 3]` float32, not padded.
    """
    return _sample_alone(frame.image, aim.taps)


def _sample_many(axis_size, is_batched, *arguments):
    """Samples many: one after another on a CPU, otherwise together."""
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
# custom_vmap has no reverse mode; gradients use the plain crop.
_sample_alone = jax.custom_jvp(_sample_mapped)
_sample_alone.defjvp(lambda values, tangents: jax.jvp(crop.sample, values, tangents))


def on_grid(px: jax.Array) -> jax.Array:
    """Rounds pixels to eighths, which float32 represents exactly up to 2 million.

    Gradients are those of the unrounded pixels. The sum is exact: the difference is
    at most a sixteenth and not finer than `px`.
    """
    return px + lax.stop_gradient(jnp.round(px * _STEPS) / _STEPS - px)


def pixel_center(selection: str) -> float:
    """Returns a tracker's coordinate of the center of pixel 0.

    Args:
      selection: a value of the setting `tracking.selection`.

    Returns:
      1/2 for continuous pixels; 0 for SiamCAR's and pysot's selections, which use the
      index itself: see `whole_pixel_square`.
    """
    return 0.0 if selection in _ON_WHOLE_PIXELS else 0.5


def whole_pixel_square(
    center: jax.Array, side: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Moves a square to whole pixels like pysot's `get_subwindow`.

    Its left-most pixel is `floor(c - (side + 1) / 2 + 0.5)`, with the side rounded half
    to even. pysot's test driver takes `x + w / 2` of a rectangle as c, and writes
    `c - w / 2`: without half a pixel in either direction, although c then counts pixel
    indices. So c equals our center, and a tracker that takes c as the crop's center
    reports boxes, even with an exact network, too far to the right and bottom by

        frac(c - side / 2), from 0 to 1 px, 1/2 px on average

    as in pysot. Polygons (VOT) are read and written as indices there:
    `jaxtrack.evaluation.vot_run` omits their half pixel.

    Args:
      center: c, `[2]` xy, pixels.
      side: `[]` pixels.

    Returns:
      Center `[2]` and side `[]` of the square, whose edges are between pixels.
    """
    side = jnp.maximum(jnp.round(side), 1.0)
    corner = jnp.floor(center - side / 2)
    return corner + side / 2, side


def corner_to_corner(side: jax.Array, size: int) -> jax.Array:
    """Returns how much of a picture video_analyst's crop shows.

    Its affine map places the outermost of the crop's `size` pixels on the outermost of
    the `round(side)` pixels around the target, so that a crop pixel is

        (round(side) - 1) / (size - 1)

    pixels wide, about 1 % off the `side / size` by which boxes are scaled back.
    Target and crop have the same center: crops of video_analyst have no bias.

    Args:
      side: of the requested square, `[]` pixels.
      size: of the crop, px.

    Returns:
      Side of the square from edge to edge of the crop, `[]` pixels.
    """
    pixels = jnp.maximum(jnp.round(side), 1.0)
    return (pixels - 1) * (size / (size - 1))
