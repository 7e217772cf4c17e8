"""The two-stage tracker: proposals that are refined and classified twice."""

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import struct
from ml_collections import ConfigDict

from jaxtrack.models import refine as refine_network
from jaxtrack.online import update
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import boxes, grid, proposals
from jaxtrack.tracking import cropping, decoding, selection
from jaxtrack.tracking.siamese import RANGES, probe_maps, view_of
from jaxtrack.tracking.state import Crop, Probe, Tracker, TrackerOutput


@struct.dataclass
class TwoStageState:
    """The state of a two-stage tracker between frames.

    Attributes:
      template: features of the target, from `model.encode_template`.
      box: `[4]` cxcywh of the last frame, pixels of the picture.
      fill: `[3]` RGB mean of the first frame, for padding.
      online: state of the discriminator, or None without one.
    """

    template: Any
    box: jax.Array
    fill: jax.Array
    online: update.OnlineState | None


class Settings(NamedTuple):
    """Numbers of the selection; arrays of them under vmap try many at once.

    Attributes:
      penalty: cost of a change of size or shape, for the RPN's boxes.
      window: weight of the Hann window in the RPN's scores, in [0, 1].
      size_rate: weight of the new size (1: no smoothing).
      refined_weight: of the refined score, beta.
      refined_window: weight of a Hann window in the final score.
      nms_iou: NMS removes boxes whose IoU with a better one is above this.
    """

    penalty: float | jax.Array
    window: float | jax.Array
    size_rate: float | jax.Array
    refined_weight: float | jax.Array
    refined_window: float | jax.Array
    nms_iou: float | jax.Array


# Without the identifier's weight, which decides whether there is a discriminator, and
# without the settings of the discriminator, which are compiled into it.
_RANGES = MappingProxyType(
    {
        **RANGES,
        "refined_weight": (0.0, 1.0),
        "refined_window": (0.0, 0.8),
        "nms_iou": (0.3, 0.9),
    }
)


def make(config: ConfigDict, network: nn.Module) -> Tracker:
    """Makes the functions that track by proposal selection.

        s~_i = alpha v_i + (1 - alpha) tau_i,  b = argmax beta s~_i + (1 - beta) c_i

    Fan and Ling, CRACT (arXiv:2011.12483), Algorithm 1, Eqs. 9 and 10: v_i is the
    identifier's probability, tau_i the discriminator's score clipped to [0, 1] (C1),
    c_i the RPN's probability, here after penalty and window, which the paper's settings
    disable (C2). c_i also ranks the N proposals. Everything, including the
    discriminator's learning, is one function of fixed shapes.

    Args:
      config: settings; those of `jaxtrack.tracking.siamese`, and `online`.
      network: see `jaxtrack.models.two_stage.TwoStage`.

    Returns:
      The tracker, whose settings are `Settings`.
    """
    rules = _rules(config)
    view = view_of(config, network.geometry)
    parts = _Parts(
        model=network,
        size=network.geometry.search_size,
        view=view,
        bound=selection.bounding(config.tracking.selection),
        anchors=anchor_boxes.tile(grid.points(network.geometry), network.anchors),
        count=config.tracking.proposals,
        identifier=config.tracking.identifier_weight,
        rules=rules,
        pool=_pool(network.refiner),
    )
    defaults = Settings(*(float(config.tracking[name]) for name in Settings._fields))

    def follow(
        variables, state: TwoStageState, crop: Crop, settings: Settings = defaults
    ) -> tuple[TwoStageState, TrackerOutput]:
        return _update(parts, variables, state, crop, settings)

    start, probe = partial(_start, parts), partial(_probe, parts)

    def aim_first(box: jax.Array, hw: jax.Array) -> tuple[cropping.Aim, ...]:
        template = view.template(box, hw)
        return (template,) if rules is None else (template, view.search(box, hw))

    return Tracker(
        aim_first=aim_first,
        aim=lambda state, hw: view.search(state.box, hw),
        cut=view.cut,
        fill=view.fill,
        start=start,
        update=follow,
        probe=probe,
        settings=defaults,
        ranges=_RANGES,
    )


class _Parts(NamedTuple):
    """The parts of a two-stage tracker."""

    model: nn.Module
    size: int  # Of the search crop, pixels.
    view: cropping.View
    bound: Callable[[jax.Array, jax.Array], jax.Array]
    anchors: jax.Array
    count: int  # Of proposals.
    identifier: float  # Alpha.
    rules: update.Rules | None
    pool: Callable[[jax.Array, jax.Array], jax.Array]


def _start(parts, variables, crops, fill):
    """Encodes the target, and trains the discriminator on the first frame."""
    model, size = parts.model, parts.size
    box = crops[0].aim.box
    z_size = model.geometry.template_size
    z_image = parts.view.template_image(crops[0], fill)
    z_xyxy = boxes.cxcywh_to_xyxy(_centered(box[2:] * crops[0].aim.scale, z_size))
    template = model.apply(variables, z_image, z_xyxy[None], method="encode_template")
    state = TwoStageState(template, box, fill, None)
    if parts.rules is None:
        return state
    aim, x_image = crops[1].aim, parts.view.search_image(crops[1], fill)
    x = model.apply(variables, x_image, method="encode_search")
    of_crop = partial(parts.pool, x["fused"][0])
    middle = (box[:2] - aim.center) * aim.scale + size / 2
    target = jnp.concatenate([middle, box[2:] * aim.scale])
    online = update.start(of_crop, target, size, parts.rules)
    return state.replace(online=online)


def _predict(parts, variables, state, crop):
    """Returns the search crop's features, and the RPN's maps."""
    x_image = parts.view.search_image(crop, state.fill)
    x = parts.model.apply(variables, x_image, method="encode_search")
    outputs = parts.model.apply(variables, state.template, x, method="predict")
    return x, outputs


def _update(parts, variables, state, crop, settings):
    """Tracks through a frame: Algorithm 1, lines 4 to 12."""
    size, rules, scale = parts.size, parts.rules, crop.aim.scale
    x, outputs = _predict(parts, variables, state, crop)
    wh = state.box[2:]
    candidates, coarse = _propose(parts, outputs, wh * scale, settings)
    refined = parts.model.apply(
        variables, state.template, x, candidates, method="refine"
    )
    refined = {name: value[0] for name, value in refined.items()}
    aligned, tau = refined["aligned"], None
    if rules is not None:
        tau = update.scores(state.online.params, refined["pooled"])
    fine, final = _scores(
        refined, tau, coarse, parts.identifier, settings.refined_weight
    )
    final = _windowed(final, aligned, size, settings.refined_window)
    best = jnp.argmax(final)
    in_crop = boxes.xyxy_to_cxcywh(aligned[best])
    center = crop.aim.center + (in_crop[:2] - size / 2) / scale
    rate = jnp.clip(settings.size_rate, 0.0, 1.0)
    new_wh = (1 - rate) * wh + rate * in_crop[2:] / scale
    box = parts.bound(jnp.concatenate([center, new_wh]), crop.aim.hw)
    # A network that overflows loses one frame, not the target.
    is_sound = jnp.all(jnp.isfinite(box)) & jnp.isfinite(final[best])
    box = jnp.where(is_sound, box, state.box)
    online = state.online
    if rules is not None:
        trust = jnp.where(is_sound, fine[best], 0.0)
        result = update.Result(in_crop, trust, aligned, tau)
        fused = x["fused"][0]
        online = update.learn(online, result, fused, size, rules, parts.pool)
    output = TrackerOutput(box, jnp.where(is_sound, final[best], 0.0))
    return state.replace(box=box, online=online), output


def _probe(parts, variables, state, crop) -> Probe:
    """Returns the RPN's maps for analyses."""
    _, outputs = _predict(parts, variables, state, crop)
    maps = decoding.scores_and_boxes(outputs, parts.anchors)
    return probe_maps(*maps, crop.aim, geometry=parts.model.geometry, power=1.0)


def _rules(config: ConfigDict) -> update.Rules | None:
    """Returns how the discriminator learns, or None if it is not used."""
    if not config.online.learns or config.tracking.identifier_weight == 1:
        return None
    names = update.Rules._fields
    return update.Rules(**{name: config.online[name] for name in names})


def _pool(
    refiner: refine_network.Refiner,
) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """Returns `(feature_map [H, W, C], xyxy [N, 4]) -> [N, P, P, L C]`."""
    return partial(
        refine_network.pool,
        output_sizes=refiner.output_sizes,
        stride=refiner.stride,
        offset=refiner.offset,
        # Without gradients, for hundreds of boxes: on a CPU gathering is faster.
        method="gather" if jax.default_backend() == "cpu" else "matmul",
    )


def _propose(parts, outputs, wh, settings):
    """Returns proposals `[1, N, 4]` and their ranking scores `[N]`."""
    xyxy, ranked = _ranked(outputs, parts.anchors, wh, settings)
    limits = {"count": parts.count, "iou_threshold": settings.nms_iou}
    best = proposals.best(xyxy, ranked, **limits)
    return xyxy[best][None], ranked[best]


def _scores(refined, tau, coarse, identifier, weight):
    """Returns the proposals' refined scores (Eq. 9) and final ones (Eq. 10)."""
    fine = proposals.target_probability(refined["identity"])
    if tau is not None:
        fine = identifier * fine + (1 - identifier) * tau
    return fine, weight * fine + (1 - weight) * coarse


def _ranked(outputs, anchors, wh, settings):
    """Returns all anchors' boxes `[M, 4]` and their ranking scores `[M]`."""
    xyxy = proposals.decode_maps(outputs["deltas"][0], anchors)
    cls = proposals.target_probability(outputs["cls"][0])
    cost = selection.change_penalty(xyxy[:, 2:] - xyxy[:, :2], wh, settings.penalty)
    hann = jnp.broadcast_to(grid.hann_window(len(cls))[..., None], cls.shape)
    weight = settings.window
    return xyxy, (1 - weight) * cost * cls.reshape(-1) + weight * hann.reshape(-1)


def _windowed(scores, xyxy, size, weight):
    """Favors boxes near the crop's center: SPM-Tracker's final window."""
    center = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    hann = 0.5 - 0.5 * jnp.cos(2 * jnp.pi * jnp.clip(center / size, 0, 1))
    return (1 - weight) * scores + weight * jnp.prod(hann, axis=-1)


def _centered(wh, size):
    """Returns the box of a given size at a crop's center, cxcywh."""
    middle = jnp.full((2,), size / 2)
    return jnp.concatenate([middle, wh])
