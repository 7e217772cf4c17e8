"""Tests for experiments.progress."""

import pytest

from experiments import progress


@pytest.fixture
def always(monkeypatch):
    """Shows every move."""
    monkeypatch.setattr(progress, "_LOG_SECONDS", 0.0)
    monkeypatch.setattr(progress, "_SHOW_SECONDS", 0.0)


def test_shows_shares_and_what_is_done(always, capsys):
    done = [1.0]
    with progress.Progress(4, lambda: done[0]) as bar:
        done[0] = 2.2
        bar.show("seed 1: train")
        assert "55%" in capsys.readouterr().err  # 2.2 of 4 jobs.
        done[0] = 4.0
    assert "100%" in capsys.readouterr().err


def test_names_the_work(always, capsys):
    done = iter([0.5, 0.6, 0.7])
    with progress.Progress(2, lambda: next(done)) as bar:
        bar.show("seed 1: train")
    assert "seed 1: train" in capsys.readouterr().err


def test_is_silent_where_nothing_is_left(capsys):
    with progress.Progress(2, lambda: 2.0) as bar:
        bar.show("nothing")
    assert capsys.readouterr().err == ""


def test_asks_seldom(capsys):
    asked = []

    def done():
        asked.append(1)
        return 0.0

    with progress.Progress(2, done) as bar:
        for _ in range(50):
            bar.show("x")
    assert len(asked) <= 4  # At the start, once in between, at the end.
