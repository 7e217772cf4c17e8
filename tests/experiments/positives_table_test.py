"""Tests for experiments.figures.positives_table."""

import pytest

from experiments.figures import positives_table


@pytest.fixture
def found():
    """What `positives.run` returns, as JSON keeps it."""
    row = {"argmax": [2.0, 0.1], "skip": [1.0, 0.125]}
    stream = {"parts": [[3.2, 0.1], [2.8, 0.2]], "spread": 0.283, "expected": 0.158}
    return {
        "config": "dla_x",
        "seed": 3,
        "num_pairs": 10,
        "num_images": 8,
        "anchors": "25 x 25 cells with 5 anchors",
        "rule": "clamp",
        "points": {
            "5": {"clamp": [3.5, 0.1], **row, "empty": 0.25},
            "7": {"clamp": [2.99, 0.1], **row, "empty": 0.125},
            "9": {"clamp": [4.0, 0.1], **row, "empty": 0.0},
        },
        "stream": {"5": stream},
        "baseline": {
            "config": "x",
            "assigner": "iou",
            "positives": [8.0, 0.5],
            "empty": 0.5,
            "parts": [[9.0, 0.25]],
            "spread": 0.0,
            "expected": 0.25,
        },
        "log": None,
    }


def test_says_what_was_counted(found):
    text = positives_table.markdown(found)
    assert text.startswith("# Positives of dynamic labels: dla_x\n")
    assert "10 pairs of seed 3, of which 8 show the target; 25 x 25 cells" in text
    assert "| K | clamp | argmax | skip | empty without a rule |" in text
    assert "| 5 | 3.50 ± 0.10 | 2.00 ± 0.10 | 1.00 ± 0.12 | 25.0% |" in text
    assert "labels of x (iou): 8.00 ± 0.50, 50.0% of the images without any" in text


def test_says_where_it_agrees_with_the_paper(found):
    # 5 is no K that the paper speaks of, P is below 3 at 7, and 4 at 9.
    text = positives_table.markdown(found)
    assert "With clamp, P is in that range at K = 9 (counted there: 7, 9)" in text
    found["rule"] = "skip"
    text = positives_table.markdown(found)
    assert "With skip, P is in that range at K = none of them" in text
    found["points"] = {"5": found["points"]["5"]}
    assert "(counted there: none)" in positives_table.markdown(found)


def test_the_stream_from_its_smallest_part_to_its_largest(found):
    text = positives_table.markdown(found)
    assert "| K = 5 | 2.80 ± 0.20 | 3.20 ± 0.10 | 0.283 | 0.158 |" in text
    assert "| x | 9.00 ± 0.25 | 9.00 ± 0.25 | 0.000 | 0.250 |" in text


def test_nothing_fixed_to_compare_with(found):
    found["baseline"] = None
    text = positives_table.markdown(found)
    assert "fixed labels" not in text and "| x |" not in text
