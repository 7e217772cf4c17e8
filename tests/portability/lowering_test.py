"""Lowers what every tracker runs for TPUs: abstract shapes, nothing is compiled.

It proves that every operation has a rule for TPUs and that none is of another
platform's library; not that XLA's compiler for TPUs takes the program, that it fits
into memory, or what it computes.
"""

import re
from functools import partial

import jax
import numpy as np
import optax
import pytest

from jaxtrack import configs, trackers
from jaxtrack.portability import compute, inputs, plan
from jaxtrack.tracking import Frame
from jaxtrack.training import state as train_state
from jaxtrack.training import step
from tests.guards.light import Tiny

PLATFORM = "tpu"
CANVAS = (256, 256)


@pytest.fixture(autouse=True)
def traced_as_there(monkeypatch):
    """What asks for the backend while it is traced is told the other one."""
    monkeypatch.setattr(jax, "default_backend", lambda: PLATFORM)


def lower(function, *shapes):
    """Lowers a function; returns the names of the library calls in it."""
    text = function.trace(*shapes).lower(lowering_platforms=(PLATFORM,)).as_text()
    return set(re.findall(r"custom_call @(\w+)", text))


def abstract(tree):
    return jax.tree.map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), tree)


def training_step(config, network):
    """Returns the mapped step of a tracker, and the shapes of what it takes."""
    optimizer = optax.sgd(0.1, momentum=0.9)
    shapes = inputs.shapes_of(network)[1]
    create = partial(train_state.create, optimizer=optimizer, keep_ema=False)
    options = {"optimizer": optimizer, "train_backbone": True}
    options["model"] = compute.model_of(config, network)
    # Alone, a mapped step lowers for the platform that is here.
    mapped = jax.jit(step.pmap_step(partial(step.train_step, **options)))
    devices = jax.local_device_count()
    batch = inputs.draw_batch(network.geometry, 2 * devices)
    batch = {key: a.reshape(devices, 2, *a.shape[1:]) for key, a in batch.items()}
    return mapped, jax.eval_shape(create, shapes), abstract(batch), {}


def tracking_steps(config, network):
    """Yields `init` and `step` of a tracker, with the shapes of what they take."""
    tracker = trackers.family_of(config).tracker(config, network)
    variables = inputs.shapes_of(network)[1]
    image = jax.ShapeDtypeStruct((*CANVAS, 3), np.uint8)
    frame = Frame(image, jax.ShapeDtypeStruct((2,), np.int32))
    first = variables, frame, jax.ShapeDtypeStruct((4,), np.float32)
    yield jax.jit(tracker.init), first
    state = jax.eval_shape(tracker.init, *first)
    yield jax.jit(tracker.step), (variables, state, frame)


def settings(name):
    return trackers.with_preprocessing(configs.load(name))


def test_a_training_step_lowers_for_a_tpu():
    network = Tiny(axis_name=step.AXIS)
    function, *shapes = training_step(settings("siamcar_lite0"), network)
    assert lower(function, *shapes) == set()


def test_tracking_lowers_for_a_tpu():
    config = settings("siamcar_lite0")
    network = compute.network_of(config, training=False, full=False)
    for function, shapes in tracking_steps(config, network):
        assert lower(function, *shapes) == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", plan.ALL[1:])
def test_every_tracker_lowers_for_a_tpu(name):
    config = settings(name)
    options = {"full": True, "axis_name": step.AXIS}
    network = compute.network_of(config, training=True, **options)
    function, *shapes = training_step(config, network)
    assert lower(function, *shapes) == set()
    network = compute.network_of(config, training=False, full=True)
    for function, shapes in tracking_steps(config, network):
        assert lower(function, *shapes) == set()
