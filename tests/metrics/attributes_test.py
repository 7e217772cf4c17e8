"""Tests for jaxtrack.metrics.attributes."""

import dataclasses

import numpy as np
import pytest

from jaxtrack.metrics import attributes, ope
from jaxtrack.metrics.ope import NUMBERS
from jaxtrack.metrics.protocols import PROTOCOLS

LENGTHS = {"a": 12, "b": 30, "c": 7, "d": 20}
CARRIED = {"a": ("fast", "Blur"), "b": ("fast",), "d": ("Blur", "fast", "Blur")}


def boxes(seed, noise):
    rng = np.random.default_rng(seed)
    truth, predicted = {}, {}
    for name, length in LENGTHS.items():
        box = np.array([40.0, 50, 30, 20])
        truth[name] = box + rng.uniform(0, 20, (length, 4)).round(1)
        worse = 2 if name == "b" else 1
        error = worse * noise * rng.standard_normal((length, 4))
        predicted[name] = truth[name] + error
    return truth, predicted


def options(truth):
    return {
        "absent": {n: np.arange(len(t)) % 7 == 5 for n, t in truth.items()},
        "cover": {n: np.arange(len(t)) % 5 for n, t in truth.items()},
        "image_size": dict.fromkeys(truth, (200, 150)),
    }


def part(mapping, names):
    return {name: mapping[name] for name in names}


def test_an_attribute_scores_as_its_sequences_alone():
    for protocol in sorted(PROTOCOLS):
        truth, predicted = boxes(0, 4.0)
        kept = options(truth)
        report = ope.score(truth, predicted, protocol=protocol, **kept)
        found = attributes.by_attribute(report, CARRIED)
        for attribute, names in {"fast": "abd", "Blur": "ad"}.items():
            some = {key: part(value, names) for key, value in kept.items()}
            boxes_of = part(truth, names), part(predicted, names)
            alone = ope.score(*boxes_of, protocol=protocol, **some)
            assert found[attribute].num_sequences == len(names)
            for number in NUMBERS:
                got, expected = (getattr(r, number) for r in (found[attribute], alone))
                # float32 curves, where a protocol has them, sum to their rounding.
                assert got == pytest.approx(expected, abs=1e-7), number
            curve = attributes.success_curves(report, CARRIED)[attribute]
            np.testing.assert_allclose(curve, alone.success_curve, atol=1e-7)
        # What tells the attributes apart from all sequences has to tell.
        assert found["fast"].auc != pytest.approx(found["Blur"].auc, abs=1e-3)


def test_by_hand():
    one = ope.score(*boxes(1, 1.0), protocol="otb")
    values = {"a": 0.2, "b": 0.4, "c": 0.9, "d": 0.6}
    scores = one.sequences.items()
    sequences = {n: dataclasses.replace(s, auc=values[n]) for n, s in scores}
    one = dataclasses.replace(one, sequences=sequences)
    found = attributes.by_attribute(one, CARRIED)
    # (0.2 + 0.4 + 0.6) / 3, and (0.2 + 0.6) / 2; d carries Blur once.
    assert found["fast"].auc == pytest.approx(0.4)
    assert found["Blur"].auc == pytest.approx(0.4)
    # Pooled, 12, 30 and 20 frames weigh: (12 * .2 + 30 * .4 + 20 * .6) / 62.
    rules = dataclasses.replace(one.protocol, averaging="frames")
    # GOT-10k's first frame is left out, here none is.
    pooled = dataclasses.replace(one, protocol=rules)
    pooled = attributes.by_attribute(pooled, CARRIED)
    assert pooled["fast"].auc == pytest.approx(26.4 / 62)


def test_zero_curves_are_left_out_where_the_protocol_does():
    one = ope.score(*boxes(2, 1.0), protocol="lasot")
    lost = dataclasses.replace(
        one.sequences["a"], auc=0.0, success_curve=np.zeros(21), ao=0.0
    )
    lost = dataclasses.replace(one, sequences={**one.sequences, "a": lost})
    carried = {"a": ("x", "alone"), "b": ("x",)}
    found = attributes.by_attribute(lost, carried)
    other = one.sequences["b"]
    assert found["x"].auc == pytest.approx(other.auc)
    # The average overlap is read off no curve, precision off another one.
    assert found["x"].ao == pytest.approx(other.ao / 2)
    both = one.sequences["a"].precision + other.precision
    assert found["x"].precision == pytest.approx(both / 2)
    assert found["x"].num_sequences == 2
    assert np.isnan(found["alone"].auc) and np.isnan(found["alone"].sr50)
    rules = dataclasses.replace(one.protocol, drops_zero_curves=False)
    kept = attributes.by_attribute(dataclasses.replace(lost, protocol=rules), carried)
    assert kept["x"].auc == pytest.approx(other.auc / 2)


def test_names_are_sorted_and_strangers_do_not_matter():
    report = ope.score(*boxes(3, 1.0), protocol="otb")
    carried = {**CARRIED, "stranger": ("fast", "unseen"), "c": ("zoom", "Arc")}
    found = attributes.by_attribute(report, carried)
    assert list(found) == ["Arc", "Blur", "fast", "zoom"]
    assert found["fast"].num_sequences == 3
    assert attributes.by_attribute(report, {}) == {}
