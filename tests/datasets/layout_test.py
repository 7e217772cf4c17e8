"""Tests for jaxtrack.datasets.layout."""

import pytest

from jaxtrack.datasets import layout
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake


def test_contents(tmp_path):
    assert layout.contents(tmp_path / "x") == "no such folder"
    assert layout.contents(tmp_path) == "an empty folder"
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
    assert layout.contents(tmp_path) == "a/, b/, c/, d/, e/, f/ and 2 more"
    fake.text(tmp_path / "f.txt", "")
    assert layout.contents(tmp_path / "f.txt") == "a file"


def test_first_folder_and_subfolders(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".hidden").mkdir()
    fake.text(tmp_path / "a", "")
    found = layout.first_folder([tmp_path / "a", tmp_path / "b"], tmp_path, "x")
    assert found == tmp_path / "b"
    assert layout.subfolders(tmp_path) == {"b": tmp_path / "b"}
    with pytest.raises(InputError, match="expected x; found"):
        layout.first_folder([tmp_path / "c"], tmp_path, "x")
