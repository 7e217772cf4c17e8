"""Tests for experiments.figures.distractors_table."""

import pytest

from experiments.figures import distractors_table


@pytest.fixture
def found():
    """What distractors.json holds of two ways on two videos."""
    change = {"difference": 0.1, "interval": [-0.0254, 0.2], "share_above": 0.9}
    videos = {"num": 2, "length": 60, "seed": 3, "photos": None, "difference": 0.25}
    return {
        "step": 200,
        "videos": videos,
        "baseline": "without",
        "confidence": 0.95,
        "last_frames": 10,
        "settings": {
            "discriminator": {
                "auc": 0.6,
                "lost": 0.0,
                "frames_per_second": 20.44,
                "sequences": {
                    "b": {"auc": 0.4, "lost": False},
                    "a": {"auc": 0.8, "lost": False},
                },
                "change": change,
            },
            "without": {
                "auc": 0.5,
                "lost": 0.5,
                "frames_per_second": None,
                "sequences": {
                    "a": {"auc": 0.9, "lost": False},
                    "b": {"auc": 0.1, "lost": True},
                },
                "change": None,
            },
        },
    }


def test_rows(found):
    lines = distractors_table.markdown(found).splitlines()
    assert "| tracked by | AUC | change to without | lost | frames/s |" in lines
    wanted = "| discriminator | 0.600 | +0.100 (-0.025 to +0.200) | 0% | 20.4 |"
    assert wanted in lines
    assert "| without | 0.500 | - | 50% | - |" in lines
    # In the order of what is compared with.
    at = lines.index("| a | 0.800 | 0.900 |")
    assert lines[at + 1] == "| b | 0.400 | 0.100 (lost) |"
    assert lines[at - 2] == "| video | discriminator | without |"


def test_says_what_was_measured(found):
    text = distractors_table.markdown(found)
    assert "(200 steps of training) on 2 videos of 60 frames" in text
    assert "scikit-image's photographs" in text
    assert "(difference 0.25, seed 3)" in text
    assert "last 10 frames" in text and "95% interval" in text
    found["videos"]["photos"] = "/photos"
    assert "composed of the given photographs" in distractors_table.markdown(found)
