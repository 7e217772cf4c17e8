"""Tests for jaxtrack.training.schedule."""

import math

import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.training.schedule import (
    Schedule,
    rate_factor,
    rate_jump,
    warmup_schedule,
)


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


def settings(**changes):
    """Ten epochs of ten steps: two of warm-up, the backbone joins after five."""
    config = get_config()
    config.run.batch_size, config.run.pairs_per_epoch, config.run.num_epochs = 8, 80, 10
    config.optimizer.warmup_epochs, config.optimizer.backbone_from_epoch = 2.0, 5.0
    config.update_from_flattened_dict(changes)
    return config


def test_the_backbone_joins_at_a_tenth_of_the_heads_rate():
    schedule = Schedule(settings())
    assert schedule.place(49, 1e9) == 49  # No clock.
    assert schedule.rates(49)["lr_backbone"] == 0
    rates = schedule.rates(50)
    assert rates["lr_backbone"] == pytest.approx(0.1 * rates["lr"])
    # Log space from 0.005 at step 20 to 0.0005 at step 99: 30 / 79 of the way.
    assert rates["lr"] == pytest.approx(0.005 * 0.1 ** (30 / 79))


def test_a_clock_fits_the_whole_schedule_into_its_time():
    schedule = Schedule(settings(**{"run.minutes": 5.0}))
    # A fifth of the time is the end of warm-up, however few steps were done.
    assert schedule.place(3, 60.0) == 20.0
    assert schedule.rates(20.0)["lr"] == pytest.approx(0.005)
    assert schedule.trains_backbone(schedule.place(3, 150.0))
    assert schedule.place(3, 300.0) == schedule.total == 100
    assert schedule.place(40, 60.0) == 40  # The steps are ahead of the clock.
    assert schedule.seconds_left(60.0) == 240 and schedule.seconds_left(400.0) == 0
    assert math.isinf(Schedule(settings()).seconds_left(60.0))


def test_a_jump_of_the_rate_is_said():
    saved = settings()
    more = settings(**{"run.num_epochs": 20})
    told = rate_jump(saved, more, 100, 0.0)
    # u = 80 / 179: 0.005 * 0.1^0.447 = 0.00179.
    assert told.endswith(
        "from 0.0005 to 0.0018 here: config.run.num_epochs is 20, not 10"
    )
    assert not rate_jump(saved, settings(**{"run.seed": 3}), 50, 0.0)
    told = rate_jump(saved, settings(**{"optimizer.lr": 0.01}), 50, 0.0)
    assert "config.optimizer.lr is 0.01, not 0.005" in told
    assert not rate_jump(saved, settings(**{"run.num_epochs": 5}), 50, 0.0)  # It ends.
