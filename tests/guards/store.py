"""Reads, writes and compares the values that the guards expect."""

import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parent / "expected"


def write(name, value):
    """Writes a JSON tree, a line an entry of its first two levels."""
    lines = []
    for key, inner in value.items():
        if isinstance(inner, dict):
            rows = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in inner.items()]
            inner = "{\n" + ",\n".join(rows) + "\n }"
        else:
            inner = json.dumps(inner)
        lines.append(f" {json.dumps(key)}: {inner}")
    (FOLDER / name).write_text("{\n" + ",\n".join(lines) + "\n}\n")


def read(name):
    """Reads a JSON tree."""
    return json.loads((FOLDER / name).read_text())


def rounded(array, digits=7):
    """Rounds to significant digits, so that files stay small."""
    return [float(f"{v:.{digits}g}") for v in np.ravel(np.asarray(array, np.float64))]


def assert_close(found, expected, *, rtol=0.0, atol=0.0, where="value"):
    """Compares two trees of dicts, lists, numbers and strings, key for key."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), where
        missing, new = expected.keys() - found.keys(), found.keys() - expected.keys()
        assert not (missing or new), f"{where}: missing {missing}, new {new}"
        for key in expected:
            options = {"rtol": rtol, "atol": atol, "where": f"{where} / {key}"}
            assert_close(found[key], expected[key], **options)
    elif isinstance(expected, list) and expected and not _is_numbers(expected):
        assert isinstance(found, list) and len(found) == len(expected), where
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            options = {"rtol": rtol, "atol": atol, "where": f"{where} [{place}]"}
            assert_close(one, other, **options)
    elif isinstance(expected, str | bool | None):
        assert found == expected, f"{where}: {found!r} instead of {expected!r}"
    else:
        found, expected = np.array(found, float), np.array(expected, float)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol, err_msg=where)


def _is_numbers(values):
    return all(isinstance(v, int | float) for v in values)


def rounded_tree(tree, digits=10):
    """Rounds all fractions of a tree to significant digits."""
    if isinstance(tree, dict):
        return {str(key): rounded_tree(value, digits) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [rounded_tree(value, digits) for value in tree]
    if isinstance(tree, float | np.floating):
        return float(f"{tree:.{digits}g}")
    return tree
