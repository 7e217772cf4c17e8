"""Tests for the labels of jaxtrack.assign.dynamic."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import dynamic, regions

from .conftest import FIVE, NO_BOXES, TILES, box_at, positives


@functools.cache
def labeller(tiles, **options):
    """Compiles the labels of many keys and targets, likewise."""

    def label(key, box):
        return dynamic.dynamic_labels(key, TILES[tiles], box, **options)

    return jax.jit(jax.vmap(label))


def keys(count, seed=0):
    return jax.random.split(jax.random.key(seed), count)


def test_no_box_has_no_labels(targets):
    boxes = np.concatenate([np.float32(NO_BOXES), targets[len(NO_BOXES) :]])
    labels = labeller("five")(keys(1000), boxes)[: len(NO_BOXES)]
    np.testing.assert_array_equal(labels, regions.IGNORE)


@pytest.mark.parametrize("tiles", TILES)
@pytest.mark.parametrize("options", [{}, {"empty": "skip", "negative_ratio": 2}])
def test_four_negatives_a_positive(targets, tiles, options):
    labels = np.asarray(labeller(tiles, **options)(keys(1000), targets))
    assert labels.dtype == np.int32
    positive = np.asarray(
        positives(tiles, empty=options.get("empty", "clamp"))(targets)
    )
    np.testing.assert_array_equal(labels == regions.POSITIVE, positive)
    is_negative = labels == regions.NEGATIVE
    ratio = options.get("negative_ratio", 4)
    np.testing.assert_array_equal(
        is_negative.sum((1, 2, 3)), ratio * positive.sum((1, 2, 3))
    )
    np.testing.assert_array_equal(labels == regions.IGNORE, ~positive & ~is_negative)


@pytest.mark.parametrize(
    ("options", "rest"),
    [
        # The plateau above: 9 of 25 are positive, and the other 16 are less than 36.
        ({}, regions.NEGATIVE),
        ({"num_points": 25}, None),
        ({"negative_ratio": 0}, regions.IGNORE),
    ],
    ids=["few", "none", "unwanted"],
)
def test_negatives_are_all_the_rest_where_that_is_too_few(options, rest):
    tiles, box = dynamic.virtual_anchors(FIVE, side=8.0), box_at(20.0, 20.0, 20, 20)
    label = jax.jit(functools.partial(dynamic.dynamic_labels, **options))
    expected = np.full((5, 5), 1 if rest is None else rest)
    expected[1:4, 1:4] = regions.POSITIVE
    np.testing.assert_array_equal(
        label(jax.random.key(0), tiles, box)[..., 0], expected
    )


@pytest.mark.parametrize("tiles", TILES)
def test_every_other_anchor_is_as_likely_to_be_negative(tiles):
    draws, box = 4000, np.float32([100, 90, 150, 170])
    draw = labeller(tiles)  # As compiled for 1,000.
    labels = np.concatenate(
        [draw(keys(1000, seed), np.tile(box, (1000, 1))) for seed in range(4)]
    )
    positive = labels[0] == regions.POSITIVE
    times = (labels == regions.NEGATIVE).sum(0)[~positive]
    share = 4 * positive.sum() / times.size
    mean = draws * share
    assert times.sum() == pytest.approx(mean * times.size)
    # Sum of squares over the binomial's variance: chi-square, of n - 1 degrees as the
    # sum is fixed; its standard deviation is sqrt(2 n).
    square = np.sum((times - mean) ** 2) / (mean * (1 - share))
    assert abs(square - times.size) < 5 * math.sqrt(2 * times.size)
    # Those near the target as likely as the others (D4).
    near = (labels == regions.NEGATIVE)[:, 8:14, 9:13].sum(0)[~positive[8:14, 9:13]]
    assert near.mean() == pytest.approx(mean, abs=5 * math.sqrt(mean / near.size))


def test_same_keys_agree_and_different_keys_differ(targets):
    draw = labeller("five")
    first, again, other = (
        np.asarray(draw(keys(1000, seed), targets)) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any((1, 2, 3)).all()
    np.testing.assert_array_equal(first == 1, other == 1)


@pytest.mark.parametrize("tiles", TILES)
def test_labels_do_not_depend_on_the_batch(variant, targets, tiles):
    draw, their = labeller(tiles), keys(1000)
    batch = np.asarray(draw(their, targets))
    turned = np.asarray(draw(their[::-1], targets[::-1]))
    np.testing.assert_array_equal(turned[::-1], batch)
    label = variant(dynamic.dynamic_labels)
    for k in (100, 300, 500, 700, 900):  # One of each kind.
        alone = label(their[k], TILES[tiles], jnp.asarray(targets[k]))
        np.testing.assert_array_equal(alone, batch[k])
