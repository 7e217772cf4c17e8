"""Tests for jaxtrack.cli.arguments."""

import pathlib
import types

import numpy as np
import pytest

from jaxtrack.cli import arguments
from jaxtrack.errors import InputError
from tests.evaluation.fixtures import write_sequence


def test_results_need_a_name():
    found = arguments.parse_results(["a=x/y", "b=z=1"])
    assert found == {"a": pathlib.Path("x/y"), "b": pathlib.Path("z=1")}
    for bad in ("mine", "=x", "a="):
        with pytest.raises(InputError, match="give NAME=DIR"):
            arguments.parse_results([bad])
    with pytest.raises(InputError, match="'a' is given twice"):
        arguments.parse_results(["a=x", "a=y"])


def test_checkpoints_are_named_or_take_their_folders_name():
    for given, expected in (
        ([], {}),
        (["runs/lite0"], {"lite0": "runs/lite0"}),
        (["runs/lite0/checkpoints/300"], {"lite0": "runs/lite0/checkpoints/300"}),
        (["b=runs/1", "a=runs/2"], {"b": "runs/1", "a": "runs/2"}),
        (["b=runs/1", "runs/2/lite0"], {"b": "runs/1", "lite0": "runs/2/lite0"}),
        (["a=runs/x=3"], {"a": "runs/x=3"}),
        (["runs/lr=3"], {"lr=3": "runs/lr=3"}),
    ):
        found = arguments.parse_checkpoints(given)
        assert list(found.items()) == list(expected.items())


def test_a_folder_that_exists_is_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert arguments.parse_checkpoints(["lr=3"]) == {"lr": "3"}
    (tmp_path / "lr=3").mkdir()
    assert arguments.parse_checkpoints(["lr=3"]) == {"lr=3": "lr=3"}


def test_faults():
    for given, message in (
        (["=runs/a"], "--checkpoint==runs/a: give DIR or NAME=DIR"),
        (["a="], "--checkpoint=a=: give DIR or NAME=DIR"),
        (["a=x", "a=y"], "'a' is given twice"),
        (["x/lite0", "y/lite0"], "'lite0' is given twice"),
    ):
        with pytest.raises(InputError, match=message):
            arguments.parse_checkpoints(given)


def test_windows():
    assert arguments.parse_windows([], is_asked=False) == ()
    tenths = arguments.parse_windows([], is_asked=True)
    assert tenths == pytest.approx([k / 10 for k in range(10)])
    # Naming them asks for them; each once, in order.
    texts = ["0.5", " 0", "-0", "1e-1", "0.5"]
    assert arguments.parse_windows(texts, is_asked=False) == (0.0, 0.1, 0.5)
    assert str(arguments.parse_windows(["-0.0"], is_asked=True)[0]) == "0.0"


def test_windows_are_shares():
    for text in ("", "x", "nan", "-0.1", "1.1", "inf"):
        with pytest.raises(InputError, match=f"--windows={text}: give"):
            arguments.parse_windows(["0.1", text], is_asked=True)


def test_values_are_read_as_python_writes_them():
    values = {"tracking.window": 0.3, "tracking.selection": "clean"}
    values |= {"tracking.rate_by_quality": False, "online.every": 4}
    found = arguments.parse_settings([f"{name}={v}" for name, v in values.items()])
    assert found == values
    assert list(map(type, found.values())) == [float, str, bool, int]
    for text in ("tracking.window", "=3", "window="):
        with pytest.raises(InputError, match="give FIELD=VALUE"):
            arguments.parse_settings([text])


def sequences_of(**given):
    """Reads the sequences that options name."""
    given = {"sequences": "", "benchmark": "", "root": "", "split": ""} | given
    given = {"pattern": [], "only": "", "strict": True} | given
    return arguments.load_sequences(types.SimpleNamespace(**given))


def test_sequences_are_a_folder_or_a_benchmark(tmp_path):
    for name in ("ball", "dog"):
        write_sequence(tmp_path / name, np.tile([8.0, 9, 24, 21], (2, 1)))
    for given in (
        {"sequences": str(tmp_path)},
        {"benchmark": "folders", "root": str(tmp_path)},
    ):
        found = sequences_of(**given)
        assert [v.name for v in found.videos] == ["ball", "dog"]
        assert found.protocol == "otb"
    for given, said in (
        ({}, "no source of sequences: name"),
        ({"sequences": "a", "benchmark": "otb100"}, "two sources of sequences"),
        ({"benchmark": "otb100"}, "--benchmark=otb100: --root is missing"),
        ({"benchmark": "otb99", "root": "a"}, "unknown"),
    ):
        with pytest.raises(InputError, match=said):
            sequences_of(**given)
