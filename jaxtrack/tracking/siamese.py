"""The Siamese tracker: crop, encode, correlate, select, one frame at a time."""

import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes, grid
from jaxtrack.tracking import cropping, decoding, opencv, selection, temporal
from jaxtrack.tracking.state import Crop, Probe, Tracker, TrackerOutput, TrackerState

# Similar to pysot's search (0.001 to 0.6, 0.05 to 0.65 and 0.1 to 0.8), including
# trackers that need no window.
RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"penalty": (0.0, 0.6), "window": (0.0, 0.8), "size_rate": (0.05, 1.0)}
)


class Settings(NamedTuple):
    """Numbers of the selection; as arrays, vmap tries many at once.

    Attributes:
      penalty: cost of a change of size or shape.
      window: weight of the Hann window, in [0, 1].
      size_rate: largest weight of the new size.
      quality_power: exponent of the quality; not in the "released" selection.
    """

    penalty: float | jax.Array
    window: float | jax.Array
    size_rate: float | jax.Array
    quality_power: float | jax.Array


def make(config: ConfigDict, network: nn.Module) -> Tracker:
    """Makes the functions that track with a network.

    `selection="released"` (SiamCAR) and "pysot" (SiamRPN++, SiamBAN) also use pysot's
    crops (sides rounded to whole pixels, corners at whole pixels, plain bilinear
    sampling, padding truncated to whole gray levels) and bounds, so that converted
    public weights behave as published. They share the bias of pysot's test driver, up
    to a pixel: see `cropping.whole_pixel_square`. "video_analyst" (SiamFC++) selects
    like pysot, with crops that have no bias: see `cropping.corner_to_corner`; they
    start at multiples of an eighth of a pixel, like those of "clean", whose squares are
    exact and which averages before shrinking. "opencv" crops and selects like OpenCV's
    TrackerNano: see `jaxtrack.tracking.opencv`.

    Args:
      config: settings; `tracking`, `model.preprocessing` and `data.context` are read.
      network: see `jaxtrack.models.siamese.Siamese`.

    Returns:
      The tracker, whose settings are `Settings`.
    """
    geometry, selected = network.geometry, config.tracking.selection
    view, is_released = view_of(config, geometry), selected == "released"
    parts = _Parts(
        network=network,
        view=view,
        places=places(network),
        select=_select(config, geometry),
        bound=selection.bounding(selected),
        rules=_rules(config),
        is_released=is_released,
        is_opencv=selected == "opencv",
    )
    defaults = Settings(*(float(config.tracking[name]) for name in Settings._fields))

    def update(
        variables, state: TrackerState, crop: Crop, settings: Settings = defaults
    ) -> tuple[TrackerState, TrackerOutput]:
        return _update(parts, variables, state, crop, settings)

    # Networks with anchors predict no quality; the released selection has no exponent.
    has_power = not is_released and not network.anchors
    return Tracker(
        aim_first=lambda box, hw: (view.template(box, hw),),
        aim=lambda state, hw: view.search(_expected(state), hw),
        cut=view.cut,
        fill=view.fill,
        start=functools.partial(_start, parts),
        update=update,
        probe=functools.partial(_probe, parts, power=defaults.quality_power),
        settings=defaults,
        ranges=RANGES | ({"quality_power": (0.0, 2.0)} if has_power else {}),
    )


class _Parts(NamedTuple):
    """What the functions of a tracker have in common; all of it is static."""

    network: nn.Module
    view: cropping.View
    places: jax.Array
    select: Callable[..., tuple[jax.Array, jax.Array]]
    bound: Callable[[jax.Array, jax.Array], jax.Array]
    rules: temporal.Rules | None
    is_released: bool
    is_opencv: bool


def _start(
    parts: _Parts, variables, crops: Sequence[Crop], fill: jax.Array
) -> TrackerState:
    """Starts on a target."""
    z_image = parts.view.template_image(crops[0], fill)
    template = parts.network.apply(variables, z_image, method="encode_template")
    box = crops[0].aim.box
    memory = temporal.start(box, parts.rules) if parts.rules else None
    return TrackerState(template, box, fill, memory)


def _predict(parts, variables, state, crop):
    """Returns the maps of one example."""
    x_image = parts.view.search_image(crop, state.fill)
    apply = functools.partial(parts.network.apply, variables)
    search = apply(x_image, method="encode_search")
    outputs = apply(state.template, search, method="predict")
    return decoding.scores_and_boxes(outputs, parts.places, stretch=parts.is_released)


def _update(parts, variables, state, crop, settings):
    """Finds the target in a crop."""
    aim, memory, rules = crop.aim, state.memory, parts.rules
    maps = _predict(parts, variables, state, crop)
    if rules:
        probed = _probed(parts, maps, aim, settings.quality_power)
        maps, settings = _weighed(maps, settings, memory, probed.xyxy, rules)
    box, score = parts.select(maps, state.box, aim, settings)
    if rules:
        result = temporal.Result(box, score, probed.confidence, probed.xyxy)
        memory, box, score = temporal.update(memory, result, rules)
        memory = memory.replace(expected=parts.bound(memory.expected, aim.hw))
    shown = opencv.whole_pixels(box) if parts.is_opencv else box
    return state.replace(box=box, memory=memory), TrackerOutput(box=shown, score=score)


def _probe(parts, variables, state, crop, *, power) -> Probe:
    """Returns the maps for analyses."""
    return _probed(parts, _predict(parts, variables, state, crop), crop.aim, power)


def _probed(parts, maps, aim, power):
    """Returns maps with boxes in pixels of the picture."""
    power = 1.0 if parts.is_released else power
    return probe_maps(*maps, aim, geometry=parts.network.geometry, power=power)


def probe_maps(
    cls: jax.Array,
    ltrb: jax.Array,
    quality: jax.Array,
    aim: cropping.Aim,
    *,
    geometry: grid.Geometry,
    power: float,
) -> Probe:
    """Returns a network's maps with boxes in pixels of the picture.

    Args:
      cls: from `decoding.scores_and_boxes`.
      ltrb: likewise.
      quality: likewise.
      aim: of the search crop.
      geometry: positions of the cells in the crop.
      power: exponent of the quality.

    Returns:
      The maps, with the most confident anchor of each cell.
    """
    confidence = cls * quality**power
    best = decoding.best_anchors(confidence, cls, quality, confidence, ltrb)
    cls, quality, confidence, ltrb = best
    xyxy = boxes.ltrb_to_xyxy(grid.points(geometry), ltrb)
    xyxy = (xyxy - geometry.search_size / 2) / aim.scale
    xyxy = xyxy + jnp.tile(aim.center, 2)[None, None]
    return Probe(cls, quality, confidence, xyxy)


def places(network: nn.Module) -> jax.Array:
    """Returns the points of the response's cells, or their anchors.

    Args:
      network: see `jaxtrack.models.siamese.Siamese`.

    Returns:
      `[H, W, 2]` xy, or `[H, W, A, 4]` xyxy, pixels of the search crop.
    """
    points = grid.points(network.geometry)
    return anchor_boxes.tile(points, network.anchors) if network.anchors else points


def _rules(config):
    """Returns how to track over time, or None if that is off."""
    if not config.tracking.over_time:
        return None
    names = temporal.Rules._fields
    return temporal.Rules(*(float(config.tracking[name]) for name in names))


def _expected(state):
    """Returns the box to search around."""
    return state.box if state.memory is None else state.memory.expected


def _weighed(maps, settings, memory, xyxy, rules):
    """Returns maps and settings, changed by the memory."""
    cls, *others = maps
    window = temporal.window(memory, settings.window, rules)
    weighed = temporal.weigh(memory, cls, xyxy, rules)
    return (weighed, *others), settings._replace(window=window)


def _select(config, geometry):
    """Returns the function from maps to a box, pixels of the picture, and a score."""
    choose = _selection(config, geometry)
    bound = selection.bounding(config.tracking.selection)
    slope, middle = (float(config.tracking[f"score_{n}"]) for n in ("slope", "middle"))

    def select(maps, box, aim, settings) -> tuple[jax.Array, jax.Array]:
        chosen = choose(*maps, box, aim.scale, **settings._asdict())
        new = bound(jnp.concatenate([aim.center + chosen.shift, chosen.wh]), aim.hw)
        score = selection.calibrated_score(chosen.score, slope=slope, middle=middle)
        # A network that overflows loses one frame, not the target.
        is_sound = jnp.all(jnp.isfinite(new)) & jnp.isfinite(chosen.score)
        return jnp.where(is_sound, new, box), jnp.where(is_sound, score, 0.0)

    return select


def _selection(config, geometry):
    """Returns the selection named in the settings: `(*maps, box, scale, ...)`."""
    name = config.tracking.selection
    if name == "opencv":
        return functools.partial(opencv.select, geometry=geometry)
    if name == "released":

        def choose(cls, ltrb, quality, box, scale, *, quality_power, **settings):
            del quality_power
            maps = (cls, ltrb, quality, box[2:], scale)
            return selection.select_released(*maps, geometry=geometry, **settings)

        return choose
    options = {
        "num_boxes": int(config.tracking.num_boxes),
        "boxes_from": config.tracking.boxes_from,
        "rate_by_quality": bool(config.tracking.rate_by_quality),
    }

    def choose_clean(cls, ltrb, quality, box, scale, **settings):
        maps = (cls, ltrb, quality, box[2:], scale)
        return selection.select_clean(*maps, geometry=geometry, **options, **settings)

    return choose_clean


def view_of(config: ConfigDict, geometry: grid.Geometry) -> cropping.View:
    """Returns how the settings crop frames.

    Args:
      config: `data.context`, `tracking.selection` and `model.preprocessing` are read.
      geometry: sizes of the crops.
    """
    name, context = config.tracking.selection, float(config.data.context)
    options = {"context": context, "preprocessing": config_lib.preprocessing(config)}
    if name == "opencv":
        return opencv.make_view(geometry, **options)
    return cropping.make_view(geometry, selection=name, **options)
