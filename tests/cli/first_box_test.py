"""Tests for jaxtrack.cli.first_box."""

import numpy as np
import pytest

from jaxtrack.cli import first_box
from jaxtrack.errors import InputError

HW = (40, 60)


def found(folder, *given):
    return first_box.check(first_box.first_boxes(str(folder), given), HW)


def test_boxes_given(tmp_path):
    (tmp_path / "box.txt").write_text("1 2 3 4\n5 6 7 8\n")
    boxes = found(tmp_path, "10,20,30,8.5", "[5, 6, 7, 8]", str(tmp_path / "box.txt"))
    np.testing.assert_array_equal(
        boxes, [[10, 20, 30, 8.5], [5, 6, 7, 8], [1, 2, 3, 4]]
    )


def test_box_annotated(tmp_path):
    (tmp_path / "img").mkdir()
    assert first_box.first_boxes(str(tmp_path), []) == {}
    (tmp_path / "groundtruth_rect.txt").write_text("1\t2\t3\t4\nnan,nan,nan,nan\n")
    for folder in (tmp_path, tmp_path / "img"):
        np.testing.assert_array_equal(found(folder), [[1, 2, 3, 4]])


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,four", "1|2|3|4", "missing.txt"])
def test_refuses_text_that_is_no_box(tmp_path, text):
    with pytest.raises(InputError, match=r"--box=.*is neither a box nor a file"):
        found(tmp_path, text)


def test_refuses_boxes_that_cannot_be_tracked(tmp_path):
    with pytest.raises(InputError, match=r"--box is x,y,w,h = 60,0,5,5, outside"):
        found(tmp_path, "60,0,5,5")
    (tmp_path / "groundtruth_rect.txt").write_text("nan,nan,nan,nan\n")
    with pytest.raises(InputError, match=r"groundtruth_rect\.txt, line 1, is"):
        found(tmp_path)


def test_notices_fractions(tmp_path, capsys):
    found(tmp_path, "0.2,0.3,0.5,0.5")
    assert "were fractions of the picture's sides" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("box", "is_noticed"),
    [
        # 20 x 10 of 40 x 30 pixels are seen: most is outside.
        ("40,30,40,30", True),
        # 30 x 20 of 40 x 20: most is inside.
        ("30,20,40,20", False),
    ],
)
def test_notices_corners(tmp_path, capsys, box, is_noticed):
    found(tmp_path, box)
    assert ("were corners x1,y1,x2,y2 meant?" in capsys.readouterr().err) == is_noticed
