"""Tests for jaxtrack.training.meter."""

import pathlib
import time
import types

import jax.numpy as jnp
import pytest

from jaxtrack.errors import InputError
from jaxtrack.training.meter import Meter


class Clock:
    """Time that passes when it is told to."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    return clock


def make(good=None):
    batches = types.SimpleNamespace(waited=0.0)
    store = types.SimpleNamespace(
        latest_step=lambda: good, folder=pathlib.Path("run/checkpoints")
    )
    return Meter(8, batches, store), batches


def metrics(loss):
    return {"loss": jnp.float32(loss), "grad_norm": jnp.float32(1)}


def test_means_and_speeds_by_hand(clock):
    meter, batches = make()
    meter.add(1, metrics(1.0))  # Compiles: the clock starts behind it.
    clock.now, batches.waited = 102.0, 0.5
    meter.add(2, metrics(2.0))
    meter.add(3, metrics(6.0))
    clock.now = 104.0
    # Losses (1 + 2 + 6) / 3; two timed steps of 8 pairs and 0.5 s of waiting in 4 s.
    assert meter.read(3) == {
        "loss": 3.0,
        "grad_norm": 1.0,
        "pairs_per_second": 4.0,
        "data_wait": 0.125,
        "seconds": 4.0,
    }
    meter.add(4, metrics(5.0))
    clock.now = 105.0
    again = meter.read(4)
    assert (again["loss"], again["pairs_per_second"], again["data_wait"]) == (5, 8, 0)
    assert again["seconds"] == 5.0


def test_a_compilation_is_left_out(clock):
    meter, _ = make()
    meter.leave_out(40.0)  # Before the first step nothing is counted yet.
    meter.add(1, metrics(1.0))
    clock.now = 102.0
    meter.add(2, metrics(1.0))
    clock.now = 132.0
    meter.leave_out(30.0)
    meter.add(3, metrics(1.0))
    clock.now = 134.0
    # Two steps of 8 pairs in 34 s, 30 of which it compiled.
    read = meter.read(3)
    assert (read["pairs_per_second"], read["seconds"]) == (4.0, 4.0)


class Unready:
    """Stands for a scalar that a device has not finished."""

    def __array__(self, *_):
        raise AssertionError("read before it was finished")


def test_the_step_under_way_is_not_read():
    meter, _ = make()
    meter.add(1, metrics(1.0))
    meter.add(2, metrics(2.0))
    meter.add(3, {"loss": Unready(), "grad_norm": Unready()})
    assert meter.read(2)["loss"] == 1.5
    assert meter.newest.keys() == {"loss", "grad_norm"}


def test_nothing_to_read():
    meter, _ = make()
    assert meter.newest is None
    assert meter.read(5) is None
    meter.add(6, metrics(1.0))
    assert meter.read(5) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_is_named_with_its_step(value):
    meter, _ = make(good=2)
    for step, loss in ((3, 1.0), (4, value), (5, 1.0)):
        meter.add(step, metrics(loss))
    message = f"not finite at step 4 .loss {value}.: .* is run/checkpoints/2;"
    with pytest.raises(InputError, match=message):
        meter.read(5)


def test_a_fault_before_the_first_checkpoint():
    meter, _ = make()
    meter.add(1, metrics(float("nan")))
    with pytest.raises(InputError, match="no checkpoint is saved yet"):
        meter.read(1)
