"""Tests for jaxtrack.metrics.remarks."""

import re

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.metrics import remarks
from jaxtrack.metrics.frames import frame_values
from jaxtrack.metrics.protocols import PROTOCOLS

OTB, TRACKINGNET = PROTOCOLS["otb"], PROTOCOLS["trackingnet"]


def test_names():
    assert remarks.on_names({"a": 1}, {"a": 1}, OTB) == []
    (note,) = remarks.on_names({"a": 1}, {"a": 1, "c": 1, "b": 1}, OTB)
    assert "2 sequences of the results" in note and "b, c" in note
    with pytest.raises(InputError, match=r"\['a'\]; results without.*\['A'\]: run"):
        remarks.on_names({"a": 1}, {"A": 1}, OTB)
    notes = remarks.on_names({"a": 1, "b": 1}, {"b": 1}, TRACKINGNET)
    assert notes == ["sequence a: no results; scored as boxes of 0"]
    for none_fits in ({}, {"A": 1}):
        with pytest.raises(InputError, match="no results for 1 sequences"):
            remarks.on_names({"a": 1}, none_fits, TRACKINGNET)


def test_arguments():
    found = {
        name: len(remarks.on_arguments(protocol, None, None, None))
        for name, protocol in PROTOCOLS.items()
    }
    read = {"lasot": 1, "pysot_lasot": 1, "pytracking_lasot": 1, "got10k": 2}
    assert found == dict.fromkeys(PROTOCOLS, 0) | read
    for protocol in PROTOCOLS.values():
        assert remarks.on_arguments(protocol, {}, {}, {}) == []


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("otb", "2 frames.* first frame 1, never succeed and count as precise"),
        ("pysot", "2 frames.*where the centre is not above 0"),
        ("pytracking_otb", "count in normalised precision, not in precision"),
        ("got10k", r"are left out \(cover is 0 or"),
        ("got10k_lasot", r"1 frames.* first frame 2, are left out \(a number is NaN"),
        ("got10k_otb", "1 frames without ground truth.* first frame 2.*never precise"),
        ("trackingnet", "1 frames of .* first frame 1, have no size"),
    ],
)
def test_truth(protocol, said):
    rules = PROTOCOLS[protocol]
    truth = np.array([[9.0, 9, 9, 9], [9, 9, 0, 9], [np.nan] * 4, [9, 9, 9, 9]])
    predicted = np.full((4, 4), 9.0)
    found = frame_values("a", truth, predicted, rules)
    text = " | ".join(remarks.on_truth("a", truth, found, rules))
    assert text.startswith("sequence a: ")
    assert re.search(said, text)
    sound = truth[[0, 3]]
    found = frame_values("a", sound, sound, rules)
    assert remarks.on_truth("a", sound, found, rules) == []
