"""Tests for jaxtrack.training.signals."""

import os
import signal
import threading
import time

import jax
import numpy as np
import pytest

from jaxtrack.training import signals


def until(condition):
    """Waits for what another thread does."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert condition()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_becomes_a_flag_and_goes_back_where_it_came_from(number):
    before, said = signal.getsignal(number), []
    with signals.Stopper(say=said.append) as stopper:
        assert not stopper.is_set(1)
        os.kill(os.getpid(), number)
        assert stopper.is_set(2)
        until(lambda: said)
    assert signal.getsignal(number) == before
    assert signal.set_wakeup_fd(-1) == -1
    assert said == [
        "stopping after this step, then saving; press Ctrl-C again to stop now (no "
        "checkpoint is saved yet)"
    ]


def test_a_second_interrupt_is_not_held_back():
    said = []
    with pytest.raises(KeyboardInterrupt), signals.Stopper(say=said.append):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    assert len(said) == 1


@pytest.fixture
def deaf(monkeypatch):
    """Stands for a main thread that compiles: no handler of Python's runs."""
    monkeypatch.setattr(signals, "_PATIENCE", 0.01)
    monkeypatch.setattr(signals.Stopper, "_catch", lambda *_: None)


def test_during_a_compilation_it_answers_and_the_second_interrupt_ends(deaf):
    said, ended = [], []
    with signals.Stopper(say=said.append, end=ended.append) as stopper:
        stopper.until, stopper.saved = "the compilation", 300
        os.kill(os.getpid(), signal.SIGINT)
        until(lambda: said)
        assert "after the compilation, then saving; press Ctrl-C again" in said[0]
        assert "(the last checkpoint is step 300)" in said[0]
        assert not ended
        os.kill(os.getpid(), signal.SIGINT)
        until(lambda: ended)
    assert ended == [130]
    assert said[1:] == ["stopped without saving: the last checkpoint is step 300"]


def test_the_third_interrupt_ends_what_the_second_could_not():
    said, ended = [], []
    with signals.Stopper(say=said.append, end=ended.append):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        until(lambda: ended)
    assert ended == [130]


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
