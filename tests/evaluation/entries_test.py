"""Tests for jaxtrack.evaluation.entries."""

import pathlib

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import entries


def test_results_need_a_name():
    found = entries.parse_results(["a=x/y", "b=z=1"])
    assert found == {"a": pathlib.Path("x/y"), "b": pathlib.Path("z=1")}
    for bad in ("mine", "=x", "a="):
        with pytest.raises(InputError, match="expected NAME=DIR"):
            entries.parse_results([bad])
    with pytest.raises(InputError, match="'a' is given twice"):
        entries.parse_results(["a=x", "a=y"])


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        ("", "", {}),
        ([], "mine", {}),
        ("runs/lite0", "", {"lite0": "runs/lite0"}),
        (["runs/lite0/checkpoints/300"], "", {"lite0": "runs/lite0/checkpoints/300"}),
        ("runs/lite0", "mine", {"mine": "runs/lite0"}),
        (["b=runs/1", "a=runs/2"], "", {"b": "runs/1", "a": "runs/2"}),
        (["b=runs/1", "runs/2/lite0"], "", {"b": "runs/1", "lite0": "runs/2/lite0"}),
        (["a=runs/x=3"], "", {"a": "runs/x=3"}),
        (["runs/lr=3"], "", {"lr=3": "runs/lr=3"}),
    ],
)
def test_checkpoints_are_named_or_take_their_folders_name(given, name, expected):
    found = entries.parse_checkpoints(given, name=name)
    assert list(found.items()) == list(expected.items())


def test_a_folder_that_exists_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert entries.parse_checkpoints("lr=3") == {"lr": "3"}
    (tmp_path / "lr=3").mkdir()
    assert entries.parse_checkpoints("lr=3") == {"lr=3": "lr=3"}


@pytest.mark.parametrize(
    ("given", "name", "message"),
    [
        (["=runs/a"], "", "'=runs/a': expected DIR or NAME=DIR"),
        (["a="], "", "'a=': expected DIR or NAME=DIR"),
        (["a=x", "a=y"], "", "'a' is given twice"),
        (["x/lite0", "y/lite0"], "", "'lite0' is given twice"),
        (["x", "y"], "mine", "--name 'mine' is for one"),
        (["a=x"], "mine", "--name 'mine' is for one"),
    ],
)
def test_faults(given, name, message):
    with pytest.raises(InputError, match=message):
        entries.parse_checkpoints(given, name=name)
