"""Tests for jaxtrack.locks."""

import fcntl
import json
import os
import socket

import pytest

from jaxtrack import locks
from jaxtrack.errors import InputError


def test_a_folder_takes_one_process_at_a_time_and_names_it(tmp_path, capsys):
    folder = tmp_path / "a" / "out"
    with locks.locked(folder, "training", option="--workdir"):
        here = f"process {os.getpid()} on {socket.gethostname()} since 2"
        message = rf"out: another training \({here}.* is at work .* another --workdir$"
        with pytest.raises(InputError, match=message) as refused:
            with locks.locked(folder, "evaluation", option="--workdir"):
                pass
        assert "\n" not in str(refused.value)
        with locks.locked(folder, "packing", name="lock-0-of-2"):
            pass  # Another lock.
    with locks.locked(folder, "training"):
        pass
    assert capsys.readouterr().err == ""


def test_what_a_dead_process_left_is_taken_over(tmp_path, capsys):
    told = {"what": "tuning", "pid": 7, "host": "h", "since": "s", "command": "a\nb"}
    (tmp_path / locks.FILE).write_text(json.dumps(told))
    with locks.locked(tmp_path, "training"):
        pass
    (line,) = capsys.readouterr().err.splitlines()
    assert "from the tuning (process 7 on h since s: a b)" in line
    assert (tmp_path / locks.FILE).read_text() == ""


def test_a_group_works_together_and_strangers_wait(tmp_path, capsys):
    with locks.locked(tmp_path, "evaluation", group="a"):
        with locks.locked(tmp_path, "evaluation", group="a"):
            for group in ("", "b"):
                with pytest.raises(locks.BusyError, match="another evaluation"):
                    with locks.locked(tmp_path, "evaluation", group=group):
                        pass
        assert locks.is_held(tmp_path)
        with pytest.raises(locks.BusyError):
            with locks.locked(tmp_path, "training"):
                pass
    assert not locks.is_held(tmp_path)
    # The last one leaves nothing behind.
    assert (tmp_path / locks.FILE).read_text() == ""
    with locks.locked(tmp_path, "evaluation", group="b"):
        pass
    assert capsys.readouterr().err == ""
    assert not locks.is_held(tmp_path / "none")


def test_a_fault_leaves_no_empty_folders_and_what_others_wrote(tmp_path):
    for kept in ("", "out/other"):
        with pytest.raises(InputError, match="lost"):
            with locks.locked(tmp_path / "out/below", "tuning"):
                if kept:
                    (tmp_path / kept).touch()
                raise InputError("lost")
        left = [str(place.relative_to(tmp_path)) for place in tmp_path.rglob("*")]
        assert sorted(left) == (["out", kept] if kept else [])


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"pid": 1}', "\0\0"])
def test_a_lock_that_names_nobody_serves(tmp_path, text, capsys):
    (tmp_path / locks.FILE).write_text(text)
    with locks.locked(tmp_path, "training"):
        pass
    assert capsys.readouterr().err == ""


def test_places_that_cannot_be_written_to(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="cannot write into .*another --out$"):
            with locks.locked(folder, "training"):
                pass

    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    for group in ("", "a"):
        with locks.locked(tmp_path, "training", group=group) as is_alone:
            assert not is_alone
    assert "no locks" in capsys.readouterr().err
