"""Tests for jaxtrack.training.clock."""

import jax

from jaxtrack.training import clock


def test_it_goes_on_where_it_stood():
    times = iter((100.0, 103.0, 107.0))
    resumed = clock.Clock(50.0, now=lambda: next(times))
    assert resumed.seconds() == 53.0
    assert resumed.agreed(1) == 57.0


def test_several_processes_read_the_first_ones_now_and_then(monkeypatch):
    asked = []

    def broadcast(seconds):
        asked.append(float(seconds))
        return seconds + 1  # The first process is a second ahead.

    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(clock.multihost_utils, "broadcast_one_to_all", broadcast)
    times = iter((0.0, 10.0, 20.0))
    shared = clock.Clock(5.0, every=2, now=lambda: next(times))
    assert [shared.agreed(step) for step in range(4)] == [16.0, 16.0, 26.0, 26.0]
    assert asked == [15.0, 25.0]
