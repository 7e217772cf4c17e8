"""Tests for jaxtrack.training.prefetch."""

import threading
import time

import jax
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.training.prefetch import DevicePrefetcher

from .conftest import MemoryLoader, make_batch


def test_batches_come_in_order_with_the_position_after_them():
    loader = MemoryLoader()
    batches = DevicePrefetcher(loader)
    for number in (1, 2, 3):
        batch, position = batches.next()
        assert position == {"position": number}
        expected = make_batch(number)["x_image"]
        assert batch["x_image"].shape == (jax.local_device_count(), 1, 32, 32, 3)
        np.testing.assert_array_equal(
            batch["x_image"].reshape(expected.shape), expected
        )
    batches.close()
    assert loader.is_closed


def test_it_draws_ahead_but_not_without_end():
    loader = MemoryLoader()
    batches = DevicePrefetcher(loader, depth=2)
    deadline = time.monotonic() + 10
    while loader.position < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert loader.position == 3  # Two wait in the queue, one in the hand.
    batches.close()


def test_faults_of_the_loader_reach_the_loop():
    class Broken(MemoryLoader):
        def __next__(self):
            raise InputError("a.jpg is damaged")

    batches = DevicePrefetcher(Broken())
    with pytest.raises(InputError, match=r"a\.jpg"):
        batches.next()
    batches.close()


def test_close_ends_the_thread():
    before = threading.active_count()
    batches = DevicePrefetcher(MemoryLoader())
    batches.close()
    assert threading.active_count() <= before


def test_a_batch_that_cannot_be_split_is_refused():
    batches = DevicePrefetcher(MemoryLoader(size=7))
    with pytest.raises(InputError, match="7 pairs cannot be split over 8 devices"):
        batches.next()
    batches.close()


class Held(MemoryLoader):
    """Gives nothing before it is let go."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()

    def __next__(self):
        assert self.go.wait(10)
        return super().__next__()


class Busy:
    """Stands for an array that takes a while, whose end lets the loader go."""

    def __init__(self, loader):
        self.loader = loader

    def block_until_ready(self):
        time.sleep(0.3)
        self.loader.go.set()
        return self


def test_waiting_counts_only_while_devices_have_nothing_to_do():
    with DevicePrefetcher(Held()) as batches:
        batches.next(Busy(batches._loader))
        assert batches.waited < 0.25

    loader = Held()
    with DevicePrefetcher(loader) as batches:
        threading.Timer(0.3, loader.go.set).start()
        batches.next()
        assert 0.2 < batches.waited
