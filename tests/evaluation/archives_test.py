"""Tests for jaxtrack.evaluation.archives."""

import warnings
import zipfile

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import archives


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "tree"
    (folder / "b").mkdir(parents=True)
    (folder / "b/2.txt").write_text("two")
    (folder / "a.txt").write_text("one")
    return folder


def test_files_with_slashes(tree):
    assert archives.files(tree) == {"a.txt", "b/2.txt"}


def test_zip_is_sorted_and_without_dates(tmp_path, tree):
    archives.pack(tree, tmp_path / "1.zip")
    for path in (tree / "a.txt", tree / "b/2.txt"):
        path.write_text(path.read_text())  # Another date.
    (tree / "a.txt").chmod(0o600)
    archives.pack(tree, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert archive.namelist() == ["a.txt", "b/2.txt"]
        assert {i.date_time[0] for i in archive.infolist()} == {1980}


def test_unpacked_again(tmp_path, tree):
    archives.pack(tree, tmp_path / "a.zip")
    archives.unpack(tmp_path / "a.zip", tmp_path / "again")
    assert archives.files(tmp_path / "again") == {"a.txt", "b/2.txt"}
    assert (tmp_path / "again/b/2.txt").read_text() == "two"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["../a.txt"], "leads out of the folder"),
        (["/a.txt"], "leads out of the folder"),
        (["a.txt", "a.txt"], r"a\.txt comes 2 times"),
    ],
)
def test_odd_names_are_not_unpacked(tmp_path, names, message):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            archive.writestr(name, "x")
    with pytest.raises(InputError, match=message):
        archives.unpack(tmp_path / "a.zip", tmp_path / "in")
    assert not (tmp_path / "in").exists() and not (tmp_path / "a.txt").exists()


def test_no_zip(tmp_path):
    (tmp_path / "a.zip").write_text("text")
    for name in ("a.zip", "none.zip"):
        with pytest.raises(InputError, match="no zip that can be read"):
            archives.unpack(tmp_path / name, tmp_path / "in")
