"""Tests for jaxtrack.evaluation.atomic."""

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic


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
