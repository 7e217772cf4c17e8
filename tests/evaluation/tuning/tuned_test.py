"""Tests for jaxtrack.evaluation.tuning.tuned."""

import json

import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation.tuning import tuned

ABOUT = {
    "split": "val",
    "is_test": False,
    "sequences": ["ball", "car"],
    "hashes": ["b" * 64, "c" * 64],
    "trials": 4,
    "sampler": "tpe",
    "seed": 3,
    "checkpoint": {"weights": "w"},
}
OUTCOME = {"tracking": {"tracking.window": 0.25}, "tuned_on": ABOUT}


def of(**values):
    return {name: {"auc": value, "ao": 0.0} for name, value in values.items()}


def test_gain_is_paired_by_name_not_by_place():
    a = of(x=0.1, y=0.5, z=0.9)
    found = tuned.gain(a, of(z=0.95, x=0.15, y=0.55), "auc")
    # Each gains 0.05, so every resample does.
    assert found["difference"] == pytest.approx(0.05)
    assert found["interval"] == pytest.approx([0.05, 0.05])
    assert found["untuned"] == pytest.approx(0.5)
    assert found["tuned"] == pytest.approx(0.55)
    assert found["sequences"] == 3 and found["confidence"] == 0.95
    assert tuned.gain(a, a, "ao")["difference"] == 0


def test_what_a_report_says():
    clean, said = tuned.describe(OUTCOME, {"dog": "d" * 64})
    assert clean["tracking"] == {"tracking.window": 0.25} and clean["overlap"] == []
    assert (clean["split"], clean["trials"], clean["seed"]) == ("val", 4, 3)
    assert said == [] and "hashes" not in clean
    # The name is the same, the content is not; and the other way round.
    hashes = {"ball": "x" * 64, "renamed": "c" * 64}
    seen, (line,) = tuned.describe(OUTCOME, hashes)
    assert seen["overlap"] == ["renamed"]
    assert line.startswith("1 of the 2 sequences scored were tuned on (renamed)")
    test = {**OUTCOME, "tuned_on": ABOUT | {"is_test": True, "split": "otb100 all"}}
    _, (line,) = tuned.describe(test, {})
    assert line.startswith("tuned on a test split (otb100 all)")


def test_read(tmp_path):
    path = tmp_path / "tuned.json"
    path.write_text(json.dumps(OUTCOME))
    assert tuned.read(path) == OUTCOME
    for text, message in (
        ("{", "cannot be read"),
        ("[]", "is no outcome"),
        ('{"tracking": {}}', "is no outcome"),
        ('{"tracking": {}, "tuned_on": {"split": "val"}}', "lacks is_test, trials"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            tuned.read(path)
    with pytest.raises(InputError, match="No such file"):
        tuned.read(tmp_path / "none.json")
