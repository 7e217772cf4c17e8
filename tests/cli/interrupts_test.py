"""Tests for jaxtrack.cli.interrupts."""

import contextlib
import os
import signal
import sys
import time

import pytest

from jaxtrack.cli import interrupts
from jaxtrack.cli.interrupts import Interrupts


def press():
    os.kill(os.getpid(), signal.SIGINT)


def until(condition):
    """Waits for what another thread does."""
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert condition()


@pytest.fixture
def ended():
    return []


@pytest.fixture
def caught(ended):
    before = signal.getsignal(signal.SIGINT)
    with contextlib.closing(Interrupts(end=ended.append)) as opened:
        yield opened
    assert signal.getsignal(signal.SIGINT) == before
    assert signal.set_wakeup_fd(-1) == -1


def test_it_raises_without_a_word_and_the_third_time_ends(caught, ended, capsys):
    for count in (1, 2, 3):
        assert not ended
        with pytest.raises(KeyboardInterrupt):
            press()
        until(lambda count=count: caught.presses == count)
    until(lambda: ended)
    assert (ended, capsys.readouterr().err) == ([130], "interrupted\n")


def test_during_a_compilation_it_answers_and_the_second_time_ends(
    monkeypatch, ended, capsys
):
    monkeypatch.setattr(interrupts, "_PATIENCE", 0.01)
    monkeypatch.setattr(interrupts, "_PAUSE", 0.001)
    monkeypatch.setattr(Interrupts, "_catch", lambda *_: None)  # Python hears nothing.
    said = ""
    with contextlib.closing(Interrupts(end=ended.append)):
        press()
        while not said:
            said = capsys.readouterr().err
        assert said == "stopping as soon as possible; press Ctrl-C again to stop now\n"
        assert not ended
        press()
        until(lambda: ended)
    assert ended == [130]


def test_an_import_is_not_cut_short(caught, tmp_path, monkeypatch):
    path = tmp_path / "imported_while_pressed.py"
    path.write_text(
        "import os, signal, time\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "time.sleep(0.12)\n"  # Longer than until it looks again.
        "is_whole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        __import__(path.stem)
        time.sleep(5)
    assert sys.modules.pop(path.stem).is_whole
