"""Tests for jaxtrack.training.schedule."""

import numpy as np
import pytest

from jaxtrack.training.schedule import rate_factor, warmup_schedule


def test_log_schedule_is_pysots_at_whole_epochs():
    # One step an epoch: 0.001 * 5^(e / 5) for five epochs, then 15 points from 0.005
    # to 0.0005 that are evenly spaced in log space.
    schedule = warmup_schedule(
        warmup=0.001, peak=0.005, end=0.0005, warmup_steps=5, total_steps=20
    )
    rates = [float(schedule(step)) for step in range(20)]
    expected = [*(0.001 * 5 ** (np.arange(5) / 5)), *np.geomspace(0.005, 0.0005, 15)]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)
    assert rates[1] == pytest.approx(0.001380, abs=1e-6)


def test_cosine_schedule_by_hand():
    schedule = warmup_schedule(
        warmup=0.1, peak=1.0, end=0.2, warmup_steps=2, total_steps=7, kind="cosine"
    )
    # Warm-up 0.1 * 10^(1/2); then u = 0, 1/4, ..., 1: 0.2 + 0.4 (1 + cos(pi u)).
    expected = [0.1, 0.1 * 10**0.5, 1.0, 0.6 + 0.4 * 0.5**0.5, 0.6]
    expected += [0.6 - 0.4 * 0.5**0.5, 0.2, 0.2]
    rates = [float(schedule(step)) for step in range(8)]
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_no_warmup_starts_at_the_peak():
    schedule = warmup_schedule(
        warmup=0.1, peak=1.0, end=0.5, warmup_steps=0, total_steps=3
    )
    assert float(schedule(0)) == pytest.approx(1.0)


def test_rates_grow_with_the_batch():
    # 512 pairs where 32 were meant: 16 times, or its root 4.
    batch = {"batch_size": 512, "reference": 32}
    factors = [rate_factor(name, **batch) for name in ("none", "linear", "sqrt")]
    assert factors == [1.0, 16.0, 4.0]
    assert rate_factor("linear", batch_size=8, reference=32) == 0.25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: rate_factor("cubic", batch_size=2, reference=1),
            "scaling must be none, linear or sqrt",
        ),
        (
            lambda: warmup_schedule(
                warmup=0, peak=1, end=1, warmup_steps=1, total_steps=2
            ),
            "positive",
        ),
        (
            lambda: warmup_schedule(
                warmup=1, peak=1, end=1, warmup_steps=1, total_steps=2, kind="linear"
            ),
            "kind must be log or cosine",
        ),
    ],
)
def test_unknown_choices(call, message):
    with pytest.raises(ValueError, match=message):
        call()
