"""Tests for jaxtrack.cli.first_box."""

import cv2
import numpy as np
import pytest

from jaxtrack.cli.first_box import first_box
from jaxtrack.errors import InputError
from jaxtrack.tracking import video

FRAME = video.pad(np.zeros((40, 60, 3), np.uint8), (256, 256))


def test_box_given(tmp_path):
    box = first_box(str(tmp_path), FRAME, box="10,20,30,8.5")
    np.testing.assert_array_equal(box, [10, 20, 30, 8.5])


def test_box_annotated(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "groundtruth_rect.txt").write_text("1\t2\t3\t4\nnan,nan,nan,nan\n")
    for folder in (tmp_path, tmp_path / "img"):
        np.testing.assert_array_equal(first_box(str(folder), FRAME), [1, 2, 3, 4])


def test_box_drawn(tmp_path, monkeypatch):
    seen = []

    def select(window, picture, **options):
        seen.append((window, picture.shape))
        return 1, 2, 3, 4

    monkeypatch.setattr(cv2, "selectROI", select)
    box = first_box(str(tmp_path), FRAME, window="a")
    np.testing.assert_array_equal(box, [1, 2, 3, 4])
    assert seen == [("a", (40, 60, 3))]


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,four", "1 2 3 4"])
def test_refuses_text_that_is_no_box(tmp_path, text):
    with pytest.raises(InputError, match=r"--box=.*is not a box"):
        first_box(str(tmp_path), FRAME, box=text)


def test_refuses_boxes_that_cannot_be_tracked(tmp_path):
    with pytest.raises(InputError, match=r"--box is x,y,w,h = 60,0,5,5, outside"):
        first_box(str(tmp_path), FRAME, box="60,0,5,5")
    with pytest.raises(InputError, match="no first box: give --box"):
        first_box(str(tmp_path), FRAME)
    (tmp_path / "groundtruth_rect.txt").write_text("nan,nan,nan,nan\n")
    with pytest.raises(InputError, match=r"groundtruth_rect\.txt, line 1, is"):
        first_box(str(tmp_path), FRAME)


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
    first_box(str(tmp_path), FRAME, box=box)
    assert ("were corners x1,y1,x2,y2 meant?" in capsys.readouterr().err) == is_noticed
