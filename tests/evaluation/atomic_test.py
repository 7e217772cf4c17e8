"""Tests for jaxtrack.evaluation.atomic."""

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic


def test_a_folder_takes_one_process_at_a_time(tmp_path):
    with atomic.locked(tmp_path / "out"):
        with pytest.raises(InputError, match="another study"):
            with atomic.locked(tmp_path / "out"):
                pass
    with atomic.locked(tmp_path / "out"):
        pass
    with atomic.locked(tmp_path / "out", "tuning"):
        with pytest.raises(InputError, match="another tuning is at work in there"):
            with atomic.locked(tmp_path / "out", "tuning"):
                pass
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        with atomic.locked(tmp_path / "file"):
            pass


def test_failed_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    atomic.write_text(tmp_path / "a.txt", "old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "replace", fail)
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: No space left"):
        atomic.write_text(tmp_path / "a.txt", "new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        atomic.write_text(tmp_path / "out/a.txt", "new")
