"""The Siamese tracker: crop, encode, correlate, select, for one frame at a time."""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack import models
from jaxtrack.errors import InputError
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes, crop, grid, preprocess
from jaxtrack.tracking import maps, select
from jaxtrack.tracking.state import (
    Frame,
    Probe,
    Tracker,
    TrackerOutput,
    TrackerState,
)

# Least width and height, pixels of the picture, of a box that is reported.
_LEAST_SIZE = {"clean": 4.0, "pysot": 10.0, "released": 0.0}


class Settings(NamedTuple):
    """Numbers of the selection; arrays of them under vmap try many at once.

    Attributes:
      penalty: cost of a change of size or shape.
      window: share of the Hann window, in [0, 1].
      size_rate: largest share of the new size.
      quality_power: exponent of the quality; not of the "released" selection.
    """

    penalty: float | jax.Array
    window: float | jax.Array
    size_rate: float | jax.Array
    quality_power: float | jax.Array


def make_tracker(model: nn.Module, config: ConfigDict) -> Tracker:
    """Makes the functions that track with a network.

    `selection="released"` (of SiamCAR) and "pysot" (of SiamRPN++, SiamFC++, SiamBAN)
    also take pysot's crops (sides rounded to whole pixels, corners on whole pixels,
    plain bilinear sampling, the fill colour truncated to whole grey levels) and
    clipping, so that converted public weights behave as published; "clean" crops
    without rounding and averages before it shrinks.

    Args:
      model: as `jaxtrack.models.build` makes it.
      config: settings; `context`, `selection`, `penalty`, `window`, `size_rate`,
        `quality_power`, `num_boxes`, `rate_by_quality` and `preprocessing` are read.

    Returns:
      The tracker. Its `step` has a fourth argument, `settings: Settings`, whose default
      holds the configuration's numbers.
    """
    geometry = model.geometry
    context = float(config.context)
    is_released = config.selection == "released"
    is_public = config.selection in ("released", "pysot")
    least = _LEAST_SIZE[config.selection]
    places = _places(model)
    preprocessing = config_lib.preprocessing(config)
    choose = _selection(config, geometry)
    defaults = Settings(*(float(config[name]) for name in Settings._fields))

    def look(frame, center, side, size, fill):
        if is_public:
            center, side = whole_pixel_square(center, side)
        cut = _crop_alone(size, antialias=not is_public)
        pixels = cut(frame.image, frame.hw, center, side, fill)
        return preprocess.normalize(pixels, preprocessing)[None]

    def init(variables, frame: Frame, box: jax.Array) -> TrackerState:
        box = jnp.asarray(box).astype(jnp.float32)
        fill = crop.mean_color(frame.image, frame.hw)
        fill = jnp.floor(fill) if is_public else fill
        side = _side(box[2:], context)
        z_image = look(frame, box[:2], side, geometry.template_size, fill)
        template = model.apply(variables, z_image, method="encode_template")
        return TrackerState(template=template, box=box, fill=fill)

    def predict(variables, state: TrackerState, frame: Frame):
        """Returns the maps of one example and crop pixels per picture pixel."""
        scale = geometry.template_size / _side(state.box[2:], context)
        side = geometry.search_size / scale
        center = state.box[:2]
        x_image = look(frame, center, side, geometry.search_size, state.fill)
        search = model.apply(variables, x_image, method="encode_search")
        outputs = model.apply(variables, state.template, search, method="predict")
        return maps.scores_and_boxes(outputs, places, stretch=is_released), scale

    def step(
        variables, state: TrackerState, frame: Frame, settings: Settings = defaults
    ) -> tuple[TrackerState, TrackerOutput]:
        seen, scale = predict(variables, state, frame)
        center, wh = state.box[:2], state.box[2:]
        chosen = choose(*seen, wh, scale, **settings._asdict())
        box = jnp.concatenate([center + chosen.shift, chosen.wh])
        box = (clip_public if is_public else clip)(box, frame.hw, least)
        # A network that overflows loses a frame, not the target for ever.
        is_sound = jnp.all(jnp.isfinite(box)) & jnp.isfinite(chosen.score)
        box = jnp.where(is_sound, box, state.box)
        score = jnp.where(is_sound, chosen.score, 0.0)
        return state.replace(box=box), TrackerOutput(box=box, score=score)

    def probe(variables, state: TrackerState, frame: Frame) -> Probe:
        (cls, ltrb, quality), scale = predict(variables, state, frame)
        power = 1.0 if is_released else defaults.quality_power
        confidence = cls * quality**power
        seen = maps.best_anchors(confidence, cls, quality, confidence, ltrb)
        cls, quality, confidence, ltrb = seen
        xyxy = boxes.ltrb_to_xyxy(grid.points(geometry), ltrb)
        xyxy = (xyxy - geometry.search_size / 2) / scale
        xyxy = xyxy + jnp.tile(state.box[:2], 2)[None, None]
        return Probe(cls, quality, confidence, xyxy)

    return Tracker(init=init, step=step, probe=probe)


def _places(model):
    """Returns the points of the response's cells, or their anchors."""
    points = grid.points(model.geometry)
    return anchor_boxes.tile(points, model.anchors) if model.anchors else points


def from_config(config: ConfigDict) -> Tracker:
    """Builds the network that a configuration names, and its tracker.

    Args:
      config: such as a checkpoint carries.

    Returns:
      The tracker.

    Raises:
      InputError: if the configuration names no network of this package.
    """
    return make_tracker(models.from_config(config), config)


def _crop_alone(size, *, antialias):
    """Returns `crop_and_resize`, which vmap on a CPU runs for one video at a time.

    Under plain vmap the choice between averaged copies becomes a selection among all of
    them: on a CPU that costs ten times the crop, on a GPU next to nothing.
    """

    def cut(image, hw, center, side, fill):
        return crop.crop_and_resize(
            *(image, hw, center, side, size, fill), antialias=antialias
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


def _selection(config, geometry):
    """Returns the selection that the settings name."""
    if config.selection == "released":

        def choose(*maps, quality_power, **settings):
            del quality_power
            return select.select_released(*maps, geometry=geometry, **settings)

        return choose
    return functools.partial(
        select.select_clean,
        geometry=geometry,
        # Older checkpoints lack these settings.
        num_boxes=int(config.get("num_boxes", 1)),
        rate_by_quality=bool(config.get("rate_by_quality", True)),
    )


def _side(wh, context):
    """Returns the template crop's side, at least one pixel of the picture."""
    return jnp.maximum(boxes.context_side(wh, context), 1.0)


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


def clip(box: jax.Array, hw: jax.Array, least: float = 4.0) -> jax.Array:
    """Keeps a box's centre in the picture, its size between `least` and the picture's.

    Args:
      box: `[4]` cxcywh, pixels.
      hw: `[2]` height and width of the picture, pixels.
      least: width and height, pixels; it wins over a smaller picture.

    Returns:
      `[4]` cxcywh, pixels.
    """
    wh = hw[::-1].astype(jnp.float32)
    size = jnp.maximum(jnp.minimum(box[2:], wh), least)
    return jnp.concatenate([jnp.clip(box[:2], 0.0, wh), size])


def clip_public(box: jax.Array, hw: jax.Array, least: float = 0.0) -> jax.Array:
    """Clips as pysot's code and SiamCAR's do: the centre's *index* lies in [0, W].

    Args:
      box: `[4]` cxcywh, pixels.
      hw: `[2]` height and width of the picture, pixels.
      least: width and height, pixels: 10 in pysot's code, 0 in SiamCAR's.

    Returns:
      `[4]` cxcywh, pixels.
    """
    shifted = clip(box - jnp.array([0.5, 0.5, 0, 0]), hw, least)
    return shifted + jnp.array([0.5, 0.5, 0, 0])


def check_init_box(
    box: Sequence[float], hw: Sequence[int], *, where: str = "the first box"
) -> None:
    """Refuses a first box with which tracking cannot start; for the host, not for jit.

    Args:
      box: `[4]` cxcywh, pixels.
      hw: height and width of the picture, pixels.
      where: what the message names, such as a path and line.

    Raises:
      InputError: if a number is NaN or infinite, the box is empty, or lies wholly
        outside of the picture.
    """
    cx, cy, width, height = (float(value) for value in box)
    x, y = cx - width / 2, cy - height / 2
    shown = f"{where} is x,y,w,h = {x:g},{y:g},{width:g},{height:g}"
    if not all(map(math.isfinite, (x, y, width, height))):
        raise InputError(f"{shown}: give four finite numbers")
    if width <= 0 or height <= 0:
        raise InputError(f"{shown}: width and height must be positive")
    if x >= hw[1] or y >= hw[0] or x + width <= 0 or y + height <= 0:
        raise InputError(
            f"{shown}, outside of the picture of {hw[1]} x {hw[0]} pixels: "
            "give a box that meets it"
        )
