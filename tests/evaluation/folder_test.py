"""Tests for jaxtrack.evaluation.folder."""

import json

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import folder
from jaxtrack.evaluation.sections import Column, Picture, Section, Table


def test_everything_is_there(tmp_path):
    picture = Picture("maps/a.png", b"png")
    part = Section("a", "A", "", {}, pictures=[picture])
    table = Table("Tracker", [Column("AUC")], [("x", [0.5])])
    folder.write(tmp_path / "out", "<p>", {"auc": 0.5}, [part], {"all": table})
    out = tmp_path / "out"
    assert (out / "report.html").read_text() == "<p>"
    assert json.loads((out / "report.json").read_text()) == {"auc": 0.5}
    assert (out / "maps/a.png").read_bytes() == b"png"
    assert "0.500" in (out / "tables/all.md").read_text()
    assert "0.500" in (out / "tables/all.tex").read_text()


def test_a_number_that_is_none_is_refused_before_the_page(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        folder.write(tmp_path, "<p>", {"auc": float("nan")}, [], {})
    assert not (tmp_path / "report.html").exists()


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="cannot write .*out"):
        folder.write(tmp_path / "out", "<p>", {}, [], {})
