"""Tests for jaxtrack.evaluation.settings."""

import json

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import settings
from jaxtrack.trackers import find_preset


@pytest.fixture
def tuned_file(tmp_path):
    path = tmp_path / "tuned.json"
    about = {"split": "test", "is_test": True, "sequences": ["a"], "hashes": ["12"]}
    about |= {"trials": 9, "sampler": "tpe", "seed": 0}
    outcome = {
        "tracking": {"tracking.window": 0.2, "tracking.penalty": 0.1},
        "tuned_on": about,
    }
    path.write_text(json.dumps(outcome))
    return path


def test_nothing_is_the_default():
    chosen = settings.choose()
    assert (dict(chosen.tracking), dict(chosen.source)) == ({}, {})
    assert chosen.about({"a": "12"}, {}) == ({}, [])


def test_later_ones_win(tuned_file):
    chosen = settings.choose(
        preset="siamcar_otb100",
        tuned_file=str(tuned_file),
        changes={"tracking.window": 0.3},
    )
    wanted = dict(find_preset("siamcar_otb100").settings) | {
        "tracking.window": 0.3,
        "tracking.penalty": 0.1,
    }
    assert chosen.tracking == wanted
    assert chosen.source["preset"]["preset"] == "siamcar_otb100"
    assert chosen.source["set"] == {"tracking.window": 0.3}


def test_a_tuning_says_what_it_has_seen(tuned_file):
    chosen = settings.choose(tuned_file=str(tuned_file))
    source, warnings = chosen.about({"x": "12", "y": "34"}, {})
    assert source["tuned"]["overlap"] == ["x"]
    assert source["tuned"]["file"] == str(tuned_file)
    assert len(warnings) == 2 and "test split" in warnings[0]
    json.dumps(source)
    assert chosen.about({"y": "34"}, {})[0]["tuned"]["overlap"] == []


def test_a_tuning_belongs_to_its_weights(tuned_file):
    def said(chosen, weights):
        """What is said of a tracker with these weights."""
        lines = chosen.about({}, {"mine": weights})[1]
        return [line for line in lines if "weights" in line]

    assert said(settings.choose(changes={"tracking.window": 0.1}), "12") == []
    assert said(settings.choose(tuned_file=str(tuned_file)), "12") == []
    outcome = json.loads(tuned_file.read_text())
    outcome["tuned_on"]["checkpoint"] = {"weights": "12"}
    tuned_file.write_text(json.dumps(outcome))
    chosen = settings.choose(tuned_file=str(tuned_file))
    assert said(chosen, "12") == said(chosen, None) == []
    (line,) = said(chosen, "34")
    assert line.startswith("mine is tracked") and "other weights" in line


def test_what_training_fixed_and_what_is_unknown_is_refused():
    with pytest.raises(InputError, match="model is fixed by training"):
        settings.choose(changes={"model": "siamcar_r50"})
    with pytest.raises(InputError, match="unknown preset"):
        settings.choose(preset="best")
