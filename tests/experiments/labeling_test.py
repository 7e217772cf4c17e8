"""Tests for experiments.figures.labeling, with a scripted tracker."""

import numpy as np
import pytest

from experiments.figures import labeling
from jaxtrack.datasets.sequence import Sequence
from jaxtrack.errors import InputError
from tests.annotation_test import TRUTH, Follower, write_frames


def test_labels_are_compared_with_the_truth_that_was_not_given(tmp_path):
    # Frames 1 to 9 and 1 to 8 of ten; the look-alike is followed from frame 6 on, and
    # lies elsewhere. From both ends 1 to 5 agree, as from the start alone, and in
    # frame 8 of 9 the mean lies 20 / 9 px right of the target and 10 / 9 px below.
    xyxy = np.concatenate([TRUTH[:, :2], TRUTH[:, :2] + TRUTH[:, 2:]], axis=1)
    video = Sequence("a", write_frames(tmp_path / "img"), xyxy)
    found = labeling.measure([video], Follower(lost_at=6))
    first, both = (found[told] for told in labeling.KNOWN)
    assert list(first.iou) == list(first.agreement) == [1] * 5 + [0] * 4
    assert list(both.agreement) == [1] * 5 + [0] * 3
    common = (10 - 20 / 9) * (10 - 10 / 9)
    assert both.iou[:5] == pytest.approx([1] * 5)
    assert both.iou[7] == pytest.approx(common / (200 - common))
    told = labeling.markdown(found, "lite", 1)
    assert "9 frames of 1 sequences" in told
    assert "| the first box | 0 | 0 | 100% | 0.56 | 0.56 | 0.56 |" in told
    assert "| the first box | 0.5 | 0.5 | 56% | 1.00 | 1.00 | 1.00 |" in told
    assert "| the first and last box | 0.5 | 0.5 | 62% | 1.00 | 1.00 | 1.00 |" in told

    nothing = Sequence("b", video.frames[:2], xyxy[:2])
    with pytest.raises(InputError, match="no sequence has a box between"):
        labeling.measure([nothing], Follower())
