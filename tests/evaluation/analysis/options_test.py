"""Tests for jaxtrack.evaluation.analysis.options."""

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation.analysis.options import Options


def test_nothing_is_asked_for_by_default():
    assert Options().flags == []
    Options().check([], [])


@pytest.mark.parametrize(
    ("asked", "flag"),
    [
        ({"alignment": True}, "--alignment"),
        ({"heatmaps": True}, "--heatmaps"),
        ({"heatmaps_of": ("dog",)}, "--heatmaps_of"),
        ({"windows": (0.0,)}, "--window_sweep"),
    ],
)
def test_result_files_are_not_enough(asked, flag, videos):
    assert Options(**asked).flags == [flag]
    with pytest.raises(InputError, match=f"{flag} needs a --checkpoint"):
        Options(**asked).check([], videos)
    Options(**asked).check(["lite0"], videos)


def test_unknown_sequence(videos):
    with pytest.raises(InputError, match="--heatmaps_of=cat: .* the 3 that"):
        Options(heatmaps_of=("dog", "cat")).check(["lite0"], videos)
