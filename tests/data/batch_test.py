"""Tests for jaxtrack.data.batch."""

import numpy as np
import pytest

from jaxtrack.data import batch as batch_lib
from jaxtrack.errors import InputError


def make_batch(size=6):
    rng = np.random.default_rng(0)
    return {
        "z_image": rng.integers(0, 256, (size, 8, 8, 3), dtype=np.uint8),
        "x_image": rng.integers(0, 256, (size, 16, 16, 3), dtype=np.uint8),
        "xyxy": rng.random((size, 4), np.float32),
        "z_xyxy": rng.random((size, 4), np.float32),
        "is_positive": np.ones(size, np.bool_),
    }


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("xyxy", np.zeros((6, 4)), "xyxy is float64"),
        ("xyxy", np.zeros((6, 5), np.float32), "xyxy .* not \\[B, 4\\]"),
        ("z_xyxy", np.zeros((6, 4)), "z_xyxy is float64"),
        ("z_xyxy", np.zeros((5, 4), np.float32), "z_xyxy .* 6 pairs"),
        ("z_xyxy", np.zeros((6, 5), np.float32), "z_xyxy .* not \\[B, 4\\]"),
        ("z_image", np.zeros((5, 8, 8, 3), np.uint8), "6 pairs"),
        ("x_image", np.zeros((6, 8, 9, 3), np.uint8), "side, side, 3"),
        ("extra", np.zeros(6), "needs"),
    ],
)
def test_a_wrong_batch_is_named(name, array, message):
    batch_lib.check(make_batch())
    with pytest.raises(ValueError, match=message):
        batch_lib.check({**make_batch(), name: array})


def test_shards_hold_the_pairs_in_order():
    batch = make_batch(6)
    shards = batch_lib.shard(batch, 3)
    assert shards["z_image"].shape == (3, 2, 8, 8, 3)
    # Device 1 of 3 gets pairs 2 and 3.
    for name in ("z_xyxy", "xyxy"):
        np.testing.assert_array_equal(shards[name][1], batch[name][2:4])


def test_an_indivisible_batch_is_refused():
    with pytest.raises(InputError, match="6 pairs cannot be split over 4 devices"):
        batch_lib.shard(make_batch(6), 4)
