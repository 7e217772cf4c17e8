"""Tests for jaxtrack.evaluation.wanted."""

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import wanted
from jaxtrack.evaluation.wanted import Wanted


def test_windows():
    assert wanted.windows([], is_asked=False) == ()
    tenths = wanted.windows([], is_asked=True)
    assert tenths == pytest.approx([k / 10 for k in range(10)])
    # Naming them asks for them; each once, in order.
    assert wanted.windows(["0.5", " 0", "-0", "1e-1", "0.5"], is_asked=False) == (
        *(0.0, 0.1),
        0.5,
    )
    assert str(wanted.windows(["-0.0"], is_asked=True)[0]) == "0.0"


@pytest.mark.parametrize("text", ["", "x", "nan", "-0.1", "1.1", "inf"])
def test_windows_are_shares(text):
    with pytest.raises(InputError, match=f"--windows '{text}'"):
        wanted.windows(["0.1", text], is_asked=True)


def test_nothing_is_asked_for_by_default():
    assert Wanted().flags == []
    Wanted().check([], [])


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
    assert Wanted(**asked).flags == [flag]
    with pytest.raises(InputError, match=f"{flag} needs a --checkpoint"):
        Wanted(**asked).check([], videos)
    Wanted(**asked).check(["lite0"], videos)


def test_unknown_sequence(videos):
    with pytest.raises(InputError, match="--heatmaps_of=cat: .* the 3 that"):
        Wanted(heatmaps_of=("dog", "cat")).check(["lite0"], videos)
