"""What a recording computes of a tracker: one function a part."""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack import configs, trackers
from jaxtrack.metrics import ope
from jaxtrack.models.backbones import BACKBONES
from jaxtrack.ops.preprocess import normalize
from jaxtrack.portability import inputs, plan
from jaxtrack.portability.miniature import Miniature
from jaxtrack.tracking import run, video
from jaxtrack.tracking.host_boxes import xywh_from_cxcywh
from jaxtrack.training import state as train_state
from jaxtrack.training import step
from jaxtrack.weights import shipped

_PAIRS = 4
_STEPS = 3
_RATE = 1e-3
_FRAMES = 60
_APART = 15  # Frames between those that drawn weights track.
_SIDE = 64  # Of the crop that a backbone sees, pixels.
# Settings that change results; of them those that a recording sets itself.
_READ = (
    "model.",
    "labels.",
    "loss.",
    "refine.",
    "tracking.",
    "online.",
    "data.context",
)
_FREE = ("model.dtype", "model.pretrained")
# Kind, name and value; see `recording.Key`.
Values = Iterator[tuple[str, str, Any]]


class Subject(NamedTuple):
    """Inputs of a computation, the same on every platform.

    Attributes:
      item: what to compute.
      config: its settings; None of a backbone.
      network: with its training crops, or tracking crops.
      variables: of the network.
      batch: of training, or of tracking "frames" and "boxes".
      outputs: shapes of the network's outputs, for one pair.
    """

    item: plan.Item
    config: ConfigDict | None
    network: nn.Module
    variables: Any
    batch: Mapping[str, np.ndarray]
    outputs: Any = None

    def checksum(self) -> int:
        """Returns a checksum of weights, inputs, and settings that are not default."""
        found = zlib.crc32(_told(self.config).encode()) if self.config else 0
        for path, leaf in jax.tree_util.tree_leaves_with_path(
            (self.variables, dict(self.batch))
        ):
            found = zlib.crc32(jax.tree_util.keystr(path).encode(), found)
            found = zlib.crc32(np.ascontiguousarray(leaf), found)
        return found


def prepare(item: plan.Item, *, full: bool = False) -> Subject:
    """Draws a tracker's weights and what it is shown.

    Args:
      item: what to compute.
      full: keep the tracker's own backbone instead of a miniature.
    """
    dtype = "bfloat16" if item.condition == "bfloat16" else "float32"
    if item.part == "backbone":
        network = BACKBONES[item.tracker].build(dtype=np.dtype(dtype))
        image = jax.ShapeDtypeStruct((1, _SIDE, _SIDE, 3), np.float32)
        shapes = jax.eval_shape(network.init, jax.random.key(0), image)
        variables = inputs.draw_variables(shapes)
        image = inputs.uniform(image.shape, seed="image")
        return Subject(item, None, network, variables, {"x_image": image})
    if item.tracker == plan.SHIPPED:
        saved = shipped.load(item.tracker)
        config = trackers.with_preprocessing(saved.config)
        config = _with_dtype(config, dtype)
        network = trackers.network_of(config)
        return Subject(item, config, network, saved.variables, _video())
    config = trackers.with_preprocessing(configs.load(item.tracker))
    config = _with_dtype(config, dtype)
    network = network_of(
        config,
        training=item.part != "tracking",
        full=full,
        axis_name=step.AXIS if item.part == "training" else None,
    )
    outputs, shapes = inputs.shapes_of(network)
    variables = inputs.draw_variables(shapes)
    if item.part == "tracking":
        batch = _video()
    else:
        batch = inputs.draw_batch(network.geometry, _PAIRS)
    return Subject(item, config, network, variables, batch, outputs)


def network_of(
    config: ConfigDict, *, training: bool, full: bool, axis_name: str | None = None
) -> nn.Module:
    """Builds a tracker's network, with a miniature in its backbone's place.

    Args:
      config: the config.
      training: whether search crops have the training size or the tracking size.
      full: keep the tracker's own backbone.
      axis_name: mapped axis over which batch normalization shares its statistics.
    """
    network = trackers.network_of(config, training=training, axis_name=axis_name)
    if full:
        return network
    backbone = BACKBONES[config.model.backbone]
    shared = {"axis_name": axis_name, "dtype": np.dtype(config.model.dtype)}
    return network.clone(
        backbone=Miniature(backbone.strides, backbone.margin, **shared)
    )


def _losses(subject: Subject) -> Values:
    """Yields a loss, its terms, and its slopes by the network's outputs."""
    config, network = subject.config, subject.network
    loss = trackers.family_of(config).loss(config, network)
    images = ("z_image", "x_image")
    batch = {name: a for name, a in subject.batch.items() if name not in images}
    outputs = inputs.draw_outputs(subject.outputs, network.geometry, batch)
    batch["key"] = jax.random.split(jax.random.key(0), _PAIRS)
    call = jax.value_and_grad(loss, has_aux=True)
    if subject.item.condition == "eager":
        outputs, batch = jax.device_put((outputs, batch))
    else:
        call = jax.jit(call)
    (value, terms), slopes = call(outputs, batch)
    yield "loss", "loss", value
    for name in sorted(terms.keys() - {"loss"}):
        yield "loss", name, terms[name]
    for name, slope in slopes.items():
        yield "slope", name, slope


def _layers(subject: Subject) -> Values:
    """Yields what the modules of a network return, in the order of their execution."""
    network, images = subject.network, [subject.batch["x_image"]]
    if subject.config is not None:
        pixels = config_lib.preprocessing(subject.config)
        pair = (subject.batch[name][:1] for name in ("z_image", "x_image"))
        images = [normalize(image, pixels) for image in pair]
    order = []

    def is_kept(module, method):
        if method == "__call__":
            order.append(module.path)
        return method == "__call__"

    def apply(variables, *images):
        options = {"capture_intermediates": is_kept, "mutable": "intermediates"}
        return network.apply(variables, *images, **options)[1]["intermediates"]

    captured = jax.jit(apply)(subject.variables, *images)
    calls: dict[tuple[str, ...], int] = {}
    for path in order:
        call = calls[path] = calls.get(path, -1) + 1
        node = captured
        for name in path:
            node = node[name]
        leaves = jax.tree_util.tree_leaves_with_path(node["__call__"][call])
        for inner, leaf in leaves:
            name = "/".join(path) or "outputs"
            name += jax.tree_util.keystr(inner) + f" ({call + 1})" * (call > 0)
            yield "layer", name, leaf


def _training(subject: Subject) -> Values:
    """Yields losses, the first gradient, and by how much three steps move all."""
    devices = jax.local_devices()[:1]
    if subject.item.condition == "devices":
        devices = jax.local_devices()[: num_devices()]
    optimizer = optax.sgd(_RATE, momentum=0.9)
    model = model_of(subject.config, subject.network)
    options = {"model": model, "optimizer": optimizer, "train_backbone": True}
    train_step = partial(step.train_step, **options)
    train_step = step.pmap_step(train_step, devices=devices)
    batch = {
        key: value.reshape(len(devices), -1, *value.shape[1:])
        for key, value in subject.batch.items()
    }
    # In numpy, since the step takes the buffers of what it is given.
    state = train_state.create(subject.variables, optimizer, keep_ema=False)
    state = jax.tree.map(np.array, state)
    for number in range(_STEPS):
        state, metrics = train_step(state, batch, {})  # It has its rate.
        yield "loss", f"loss of step {number + 1}", metrics["loss"]
        if number == 0:
            momentum = optax.tree.get(state.opt_state, "trace")
            for path, leaf in jax.tree_util.tree_leaves_with_path(momentum):
                name = "/".join(str(part.key) for part in path)
                yield "gradient", name, leaf
    moved = jax.tree.map(np.subtract, state.params, subject.variables["params"])
    moved = [np.ravel(leaf) for leaf in jax.tree.leaves(moved)]
    yield "update", "parameters", np.concatenate(moved)


def model_of(config: ConfigDict, network: nn.Module) -> step.Model:
    """Returns a tracker's network with its loss.

    Args:
      config: the config.
      network: its network.
    """
    family = trackers.family_of(config)
    return step.Model(
        network,
        family.forward(config, network),
        family.loss(config, network),
        config_lib.preprocessing(config),
    )


def num_devices() -> int:
    """Returns the largest number of local devices that share the pairs evenly."""
    return max(n for n in (1, 2, 4) if n <= jax.local_device_count())


def _tracking(subject: Subject) -> Values:
    """Yields boxes of the frames of a video, and the AUC of trained weights."""
    family = trackers.family_of(subject.config)
    drivers = run.compile_tracker(family.tracker(subject.config, subject.network))
    variables = subject.variables
    if subject.item.tracker == plan.SHIPPED:
        variables = trackers.folded(subject.config, variables)
    variables = jax.device_put(variables)
    frames, boxes = subject.batch["frames"], subject.batch["boxes"]
    canvas = video.canvas_size(frames.shape[1:3])
    frames = [video.pad(frame, canvas) for frame in frames]
    if subject.item.tracker != plan.SHIPPED:
        for time in range(0, len(frames) - 1, _APART):
            state = drivers.init(variables, frames[time], boxes[time])
            output = drivers.step(variables, state, frames[time + 1])[1]
            yield "box", f"frame {time + 1}", output.box
        return
    outputs = list(run.track_video(drivers, variables, frames, boxes[0]))
    found = np.stack([output.box for output in outputs])
    for time, box in enumerate(found[1:], start=1):
        yield "box", f"frame {time}", box
    truth, found = ({"video": xywh_from_cxcywh(b)} for b in (boxes, found))
    report = ope.score(truth, found, protocol="otb")
    yield "auc", "AUC", np.float32(report.auc)


PARTS: Mapping[str, Callable[[Subject], Values]] = MappingProxyType(
    {
        "losses": _losses,
        "backbone": _layers,
        "layers": _layers,
        "training": _training,
        "tracking": _tracking,
    }
)


def _told(config):
    """Returns what settings change of what is computed, as text."""
    default = config_lib.flat(config_lib.get_config())
    changed = {
        name: value
        for name, value in config_lib.flat(config).items()
        if value != default[name] and name.startswith(_READ) and name not in _FREE
    }
    return json.dumps(changed, sort_keys=True)


def _video():
    """Returns the frames and true boxes to track."""
    frames, boxes = inputs.draw_video(_FRAMES)
    return {"frames": frames, "boxes": boxes}


def _with_dtype(config, dtype):
    """Returns settings that compute in a type, without weights to start from."""
    config = config.copy_and_resolve_references()
    config.model.dtype, config.model.pretrained = dtype, ""
    return config
