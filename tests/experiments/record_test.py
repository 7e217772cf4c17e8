"""Tests for experiments.record."""

import pytest

from experiments import record
from jaxtrack.errors import InputError


def test_reads_what_was_written(tmp_path):
    record.write(tmp_path / "new", {"a": "x", "seeds": (1, 2)})
    assert record.read(tmp_path / "new") == {"a": "x", "seeds": [1, 2]}


def test_refuses_none_and_damage(tmp_path):
    with pytest.raises(InputError, match="no study in"):
        record.read(tmp_path)
    (tmp_path / record.FILE).write_text('{"a": ')
    with pytest.raises(InputError, match="no study in"):
        record.read(tmp_path)
