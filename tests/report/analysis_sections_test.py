"""Tests for jaxtrack.report.analysis_sections."""

import cv2
import numpy as np

from jaxtrack.evaluation.analysis.outcome import (
    Analyses,
    FrameMaps,
    Heatmaps,
    Sweep,
    View,
)
from jaxtrack.report import analysis_sections

NUMBERS = ("correlation", "all_correlation", "regret", "best_iou", "chosen_iou")


def aligned(correlation, regret, points=((0.1, 0.2), (0.9, 0.8))):
    """What `alignment.read` gives of a tracker on two sequences."""
    numbers = dict.fromkeys(NUMBERS, 0.5)
    numbers |= {"correlation": correlation, "regret": regret}
    counts = {"num_frames": 9, "num_left_out": 2}
    one = {**numbers, **counts, "hash": "ab", "points": list(points)}
    return {"overall": numbers | counts, "sequences": {"a": one, "b": one}}


def view(frame=3):
    """Maps of 4 x 4 cells over a picture of 20 x 20 px."""
    box = np.array([4.0, 4, 12, 12])
    maps = {"cls": np.eye(4), "quality": np.eye(4), "confidence": np.eye(4)}
    image, xyxy = np.full((20, 20, 3), 90, np.uint8), np.tile(box + 1, (4, 4, 1))
    look = FrameMaps(frame, image, box - 1, box, xyxy=xyxy, **maps)
    return View(look, np.array([0.0, 0, 20, 20]), np.array([2.0, 2, 18, 18]))


def test_alignment_has_a_row_and_a_plot_a_tracker():
    section = analysis_sections.alignment_section(
        {"x": aligned(0.75, 0.1), "y": aligned(None, None, points=())}
    )
    assert [p.path for p in section.pictures] == ["alignment_x.png", "alignment_y.png"]
    assert section.tables[0].rows[1][::2] == ("y", 1)
    heads = [column.head for column in section.tables[1].columns]
    assert heads[:2] == ["x: rank corr.", "x: regret"]
    by_sequence = {row.name: row.values for row in section.tables[1].rows}
    assert by_sequence["b"] == [0.75, 0.1, None, None]


def test_sweep_states_spread_zero_and_best():
    auc = {"otb": (0.25, 0.5, 0.375), "no_first": (0.2, 0.3, 0.25)}
    section = analysis_sections.sweep_section({"x": Sweep((0.0, 0.4, 0.8), auc, 0.44)})
    overall, by_share = section.tables
    assert overall.rows[0].values == (0.25, 0.25, 0.5, 0.4, 0.44)
    assert by_share.rows[1][:2] == ("0.4", [0.5])
    (picture,) = section.pictures
    png = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_COLOR)
    assert png.shape[1] > 500


def test_heatmaps_have_a_picture_a_sequence():
    name = "b <1>"
    found = Heatmaps({name: [3], "gone": []}, {name: {"x": [view(3)]}})
    section = analysis_sections.heatmaps_section(found)
    (picture,) = section.pictures
    assert (picture.path, picture.caption) == (f"heatmaps/{name}.jpg", name)
    assert section.is_wide


def test_only_what_was_asked_for_is_there():
    assert analysis_sections.analyses(Analyses()) == []
    found = Analyses(alignment={"x": aligned(0.5, 0.1)}, heatmaps=Heatmaps({}, {}))
    made = analysis_sections.analyses(found)
    assert [section.key for section in made] == ["alignment", "heatmaps"]
