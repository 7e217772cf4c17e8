"""Tests for jaxtrack.metrics.vot_input."""

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.metrics import vot_input

BOX = [1.0, 2.0, 3.0, 4.0]


def rows(*entries):
    """Codes and boxes, as a file has them."""
    return [np.atleast_1d(np.array(entry, np.float64)) for entry in entries]


def checked(*entries, length=None):
    run = rows(*entries)
    return vot_input.unique_runs("ball", [run], length or len(run))[0][0]


def test_rows_become_arrays():
    polygon = np.arange(8.0)
    run = checked(1, BOX, polygon, 2)
    np.testing.assert_array_equal(run.codes, [1, -1, -1, 2])
    np.testing.assert_array_equal(np.isnan(run.corners).all((1, 2)), [1, 0, 0, 1])
    np.testing.assert_array_equal(run.corners[1], [[1, 2], [4, 2], [4, 6], [1, 6]])
    np.testing.assert_array_equal(run.corners[2].ravel(), polygon)


def test_finds_identical_repetitions():
    a, b = rows(1, BOX), rows(1, 2)
    unique, which = vot_input.unique_runs("ball", [a, b, rows(1, BOX), a], 2)
    assert which == [0, 1, 0, 0]
    assert [run.copies for run in unique] == [3, 1]
    # The same numbers cut into other rows are another run.
    eight = rows(1, [*BOX, *BOX], 2, 0)
    four = rows(1, BOX, BOX, 2)
    assert vot_input.unique_runs("ball", [eight, four], 4)[1] == [0, 1]


def test_accepts_what_the_protocol_writes():
    for entries in [
        (1, BOX, 2, 0, 0, 0, 0, 1, 2, 0, 0),
        # A start that comes later than five frames after the failure.
        (1, 2, 0, 0, 0, 0, 0, 0, 1, BOX),
        (1,),
    ]:
        assert len(checked(*entries).codes) == len(entries)


def test_refuses_what_it_cannot_have_written():
    for entries, message in [
        ((BOX, BOX), "begins with a region, but .* begins with the code 1"),
        ((0, 1), "begins with the code 0"),
        ((1, 1), r"frame 1: a start \(1\) without a failure"),
        ((1, BOX, 0), r"frame 2: a skipped frame \(0\) without a failure"),
        ((1, 2, 0, 0, 0, 1), "frame 5: after the failure at frame 1 come zeros"),
        ((1, 2, BOX), "frame 2: after the failure at frame 1"),
        ((1, 2, 2), "frame 2: after the failure at frame 1"),
        ((1, 7), r"frame 1: \[7.0\] is no code"),
        ((1, [1, 2, np.nan, 4]), "frame 1: .* is not finite"),
        ((1, [1, 2, 3]), "frame 1: .* is not a code"),
        ((1, [1, 2, 3, -4]), "frame 1: .* negative size"),
    ]:
        with pytest.raises(InputError, match=f"sequence ball, run 1.*{message}"):
            checked(*entries)


def test_refuses_other_lengths():
    with pytest.raises(InputError, match="run 1: 2 rows of results, 3 of ground truth"):
        checked(1, BOX, length=3)
    with pytest.raises(InputError, match="run 2: 1 rows"):
        vot_input.unique_runs("ball", [rows(1, BOX), rows(1)], 2)
    with pytest.raises(InputError, match="sequence ball: no repetition"):
        vot_input.unique_runs("ball", [], 2)


def test_truth():
    truth = vot_input.truth_polygons("ball", [BOX])
    np.testing.assert_array_equal(truth, [[[1, 2], [4, 2], [4, 6], [1, 6]]])
    for bad in (np.zeros((2, 5)), np.zeros((0, 4)), np.zeros(4)):
        with pytest.raises(InputError, match="sequence ball: ground truth is"):
            vot_input.truth_polygons("ball", bad)
    with pytest.raises(InputError, match="ball: ground truth of frame 1 is not finite"):
        vot_input.truth_polygons("ball", [BOX, [np.nan] * 4])


def test_short_tags_are_padded():
    flags = vot_input.tag_flags("ball", {"dark": [0, 1]}, ["dark", "fast"], 3)
    np.testing.assert_array_equal(flags["dark"], [False, True, False])
    np.testing.assert_array_equal(flags["fast"], [False] * 3)
    with pytest.raises(InputError, match=r"sequence ball: tag dark is \(4,\), for 3"):
        vot_input.tag_flags("ball", {"dark": [0] * 4}, ["dark"], 3)


def test_given():
    vot_input.check_names({"a": 0}, {"a": 0, "b": 0}, {"a": (4, 3)})
    with pytest.raises(InputError, match="no sequences to score"):
        vot_input.check_names({}, {}, {})
    with pytest.raises(InputError, match="no results for 1 of 2 .* 'b'"):
        vot_input.check_names({"a": 0, "b": 0}, {"a": 0}, {})
    with pytest.raises(InputError, match="no image size for 1 of 1 .* 'a'"):
        vot_input.check_names({"a": 0}, {"a": 0}, {})
    for size in ((0, 3), (3,), (np.nan, 3)):
        with pytest.raises(InputError, match="sequence a: image size"):
            vot_input.check_names({"a": 0}, {"a": 0}, {"a": size})
