"""Tests for jaxtrack.evaluation.findings."""

import json

import cv2
import numpy as np
import pytest

from jaxtrack.evaluation import alignment, findings, sections, sweep


def aligned(correlation, regret, points=((0.1, 0.2), (0.9, 0.8))):
    numbers = dict.fromkeys(alignment.NUMBERS, 0.5)
    numbers |= {"correlation": correlation, "regret": regret}
    counts = {"num_frames": 9, "num_left_out": 2}
    one = {**numbers, **counts, "hash": "ab", "points": list(points)}
    return {"overall": numbers | counts, "sequences": {"a": one, "b": one}}


def test_alignment_has_a_row_and_a_plot_a_tracker():
    section = findings.alignment_section(
        {"x": aligned(0.75, 0.1), "y": aligned(None, None, points=())}
    )
    left_out = "2 of 9 frames left out"
    assert section.lines == [
        f"alignment of x: rank correlation 0.750, regret 0.100 IoU, {left_out}",
        f"alignment of y: rank correlation none, regret none IoU, {left_out}",
    ]
    assert [p.path for p in section.pictures] == ["alignment_x.png", "alignment_y.png"]
    assert section.tables[0].rows[1][0] == (1, "y")
    by_sequence = dict(section.tables[1].rows)
    assert by_sequence["b"] == [0.75, 0.1, None, None]
    # Points and hashes stay in the analysis' own file.
    assert "points" not in json.dumps(section.numbers, allow_nan=False)
    assert section.numbers["x"]["sequences"]["a"]["correlation"] == 0.75
    assert "x: rank corr." in sections.as_html(section)


def test_sweep_states_spread_zero_and_best():
    auc = {"otb": (0.25, 0.5, 0.375), "no_first": (0.2, 0.3, 0.25)}
    one = sweep.Sweep((0.0, 0.4, 0.8), auc, 0.44)
    without = sweep.Sweep((0.1, 0.4, 0.8), auc, 0.44)
    section = findings.sweep_section({"x": one})
    assert section.lines == [
        "window sweep of x: AUC spread 0.250, at 0 0.250, best 0.500 at 0.4"
    ]
    numbers = json.loads(json.dumps(section.numbers))["x"]
    assert numbers["spread"] == 0.25 and numbers["at_zero"] == 0.25
    assert numbers["auc"]["no_first"] == [0.2, 0.3, 0.25]
    assert numbers["windows"] == [0.0, 0.4, 0.8] and numbers["own_window"] == 0.44
    assert section.tables[1].rows[1] == ("0.4", [0.5])
    (picture,) = section.pictures
    png = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR)
    assert png.shape[1] > 500
    assert "at 0 none" in findings.sweep_section({"x": without}).lines[0]


@pytest.mark.parametrize("name", ["a", "b <1>"])
def test_heatmaps_name_their_frames(name):
    section = findings.heatmaps_section({name: b"x"}, {name: [3, 9], "gone": []})
    assert section.lines == [
        f"heat maps of {name}: frames 3, 9",
        "heat maps of gone: no later frame has a true box",
    ]
    assert [p.path for p in section.pictures] == [f"heatmaps/{name}.jpg"]
    assert section.numbers == {name: [3, 9], "gone": []}
    assert section.is_wide
