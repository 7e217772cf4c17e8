"""Tests for jaxtrack.evaluation.lock."""

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import lock


def test_a_folder_takes_one_process_at_a_time(tmp_path):
    with lock.locked(tmp_path / "out"):
        with pytest.raises(InputError, match="another study"):
            with lock.locked(tmp_path / "out"):
                pass
    with lock.locked(tmp_path / "out"):
        pass
    with lock.locked(tmp_path / "out", "tuning"):
        with pytest.raises(InputError, match="another tuning is at work in there"):
            with lock.locked(tmp_path / "out", "tuning"):
                pass
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        with lock.locked(tmp_path / "file"):
            pass
