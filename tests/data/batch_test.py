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
