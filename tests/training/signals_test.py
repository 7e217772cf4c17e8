"""Tests for jaxtrack.training.signals."""

import os
import signal
import threading

import jax
import numpy as np
import pytest

from jaxtrack.training import signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_becomes_a_flag_and_goes_back_where_it_came_from(number):
    before = signal.getsignal(number)
    with signals.Stopper() as stopper:
        assert not stopper.is_set(1)
        os.kill(os.getpid(), number)
        assert stopper.is_set(2)
    assert signal.getsignal(number) == before


def test_a_second_interrupt_is_not_held_back():
    with pytest.raises(KeyboardInterrupt), signals.Stopper():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_it_is_harmless_in_a_thread():
    seen = []

    def body():
        with signals.Stopper() as stopper:
            seen.append(stopper.is_set(1))

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert seen == [False]


def test_processes_ask_each_other_seldom(monkeypatch):
    asked = []

    def gather(flag):
        asked.append(bool(flag))
        return np.array([flag, True])  # The other process got a signal.

    monkeypatch.setattr(jax, "process_count", lambda: 2)
    monkeypatch.setattr(signals.multihost_utils, "process_allgather", gather)
    with signals.Stopper(every=4) as stopper:
        assert [stopper.is_set(step) for step in range(1, 9)] == [
            *(False, False, False, True),
            *(False, False, False, True),
        ]
    assert asked == [False, False]
