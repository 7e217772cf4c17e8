"""The tiny network's training step on some devices, for tests."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack.config import get_config
from jaxtrack.data import batch as batch_lib
from jaxtrack.models.backbones import param_group
from jaxtrack.ops.preprocess import Preprocessing
from jaxtrack.trackers import siamcar
from jaxtrack.training import optimizer, state, step
from jaxtrack.training.division import UNDIVIDED

from .conftest import TinyTracker, make_batch

PREPROCESSING = Preprocessing("RGB", (127.0,) * 3, (128.0,) * 3)


RATES = {"lr": np.float32(0.05), "lr_backbone": np.float32(0.005)}


def sgd():
    return optimizer.make_optimizer(
        kind="sgd",
        group=param_group,
        momentum=0.9,
        weight_decay=1e-4,
        clip_norm=10.0,
    )


@cache
def drawn(model):
    """Returns a network's first variables, on the host: a step donates its state."""
    network = model(axis_name=None)
    sizes = (network.geometry.template_size, network.geometry.search_size)
    images = [jnp.zeros((1, size, size, 3)) for size in sizes]
    return jax.device_get(jax.jit(network.init)(jax.random.key(0), *images))


def make(num_devices, *, model=TinyTracker, config=None, **options):
    """Returns the first state and the step; a step is traced once for all tests."""
    first = state.create(drawn(model), sgd(), keep_ema=True)
    if config is None:
        return first, _default_step(num_devices, model, **options)
    return first, _make_step(num_devices, model, config, **options)


@cache
def _default_step(num_devices, model, **options):
    return _make_step(num_devices, model, get_config(), **options)


def _make_step(
    num_devices,
    model,
    config,
    *,
    train_backbone=True,
    division=UNDIVIDED,
    family=siamcar.FAMILY,
    loss=None,
    seed=0,
    augmentation=None,
):
    network = model(axis_name=step.AXIS)
    train_step = partial(
        step.train_step,
        model=step.Model(
            network,
            family.forward(config, network),
            loss or family.loss(config, network),
            PREPROCESSING,
        ),
        optimizer=sgd(),
        train_backbone=train_backbone,
        ema_decay=0.9,
        division=division,
        seed=seed,
        augmentation=augmentation,
    )
    return step.pmap_step(train_step, devices=jax.devices()[:num_devices])


def train(num_devices, *, steps=3, batches=make_batch, **options):
    current, mapped = make(num_devices, **options)
    for number in range(steps):
        batch = batch_lib.shard(batches(number), num_devices)
        current, metrics = mapped(current, batch, RATES)
    # NumPy's comparisons take NaN as equal to NaN.
    assert np.isfinite(metrics.get("loss", 0)).all()
    return jax.device_get(current), jax.device_get(metrics)
