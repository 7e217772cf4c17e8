"""Tests for jaxtrack.online.samples."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.online import samples
from jaxtrack.ops import boxes

BOX = jnp.array([100.0, 60.0, 40.0, 20.0])
KEY = jax.random.key(0)
# One program a call, not one for each operation.
NAMES = ("count", "translation", "scale", "uniform")
jitter = jax.jit(samples.jitter, static_argnames=NAMES)
draw_boxes = jax.jit(samples.draw, static_argnames=(*NAMES, "candidates", "iou_range"))


def noise_of(drawn, translation, scale):
    """Undoes the formula: what noise led to the boxes, `[N, 2]` and `[N, 2]`."""
    drawn, box = np.asarray(drawn, np.float64), np.asarray(BOX, np.float64)
    shift = (drawn[:, :2] - box[:2]) / (translation * 30)  # 30: mean of 40 and 20.
    return shift, np.log(drawn[:, 2:] / box[2:]) / np.log(scale)


@pytest.mark.parametrize(
    "uniform, std", [(False, 0.4833), (True, 3**-0.5)], ids=["gauss", "uniform"]
)
def test_noise_has_its_distribution(uniform, std, variant):
    # N(0, 1/4) cut off at 2 sigma: E min(z, 2)^2 = 2 (P(0 < z < 2) - 2 phi(2)) +
    # 4 * 2 P(z > 2) = .9545 - .2160 + .1820 = .9205, times 1/4: std .4797.
    if not uniform:
        std = 0.4797
    draw = partial(samples.jitter, count=4000, translation=0.5, scale=1.3)
    drawn = variant(partial(draw, uniform=uniform))(KEY, BOX)
    shift, growth = noise_of(drawn, 0.5, 1.3)
    for noise in (shift[:, 0], shift[:, 1], growth[:, 0]):
        assert np.abs(noise).max() <= 1 + 1e-4
        assert np.abs(noise).max() > 0.99
        assert abs(noise.mean()) < 0.04
        np.testing.assert_allclose(noise.std(), std, rtol=0.04)
    # Both sides grow alike, and nothing else hangs together.
    np.testing.assert_allclose(growth[:, 0], growth[:, 1], atol=1e-4)
    for a, b in ((shift[:, 0], shift[:, 1]), (shift[:, 0], growth[:, 0])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.06


def test_no_translation_and_scale_one_keep_the_box():
    drawn = jitter(KEY, BOX, count=5, translation=0.0, scale=1.0)
    np.testing.assert_allclose(drawn, np.tile(BOX, (5, 1)), rtol=1e-6)


POSITIVE = {"iou_range": (0.7, 1.0), "translation": 0.1, "scale": 1.3}
NEGATIVE = {
    **{"iou_range": (0.0, 0.3), "translation": 2.0, "scale": 1.3},
    "uniform": True,
}


@pytest.mark.parametrize("options", [POSITIVE, NEGATIVE], ids=["pos", "neg"])
def test_drawn_boxes_lie_in_the_range(options, variant):
    draw = partial(samples.draw, count=50, candidates=400, **options)
    drawn, is_valid = variant(draw)(KEY, BOX)
    assert drawn.shape == (50, 4) and is_valid.all()
    iou = boxes.iou(
        boxes.cxcywh_to_xyxy(drawn), boxes.cxcywh_to_xyxy(jnp.tile(BOX, (50, 1)))
    )
    low, high = options["iou_range"]
    assert iou.min() >= low and iou.max() <= high
    assert len(np.unique(drawn, axis=0)) == 50


def test_the_first_that_fit_are_taken_in_order():
    options = {"translation": 2.0, "scale": 1.3}
    drawn, is_valid = draw_boxes(
        KEY, BOX, count=9, candidates=200, iou_range=(0.2, 0.6), **options
    )
    every = jitter(KEY, BOX, count=200, **options)
    iou = boxes.iou(
        boxes.cxcywh_to_xyxy(every), boxes.cxcywh_to_xyxy(jnp.tile(BOX, (200, 1)))
    )
    fits = [i for i, value in enumerate(iou.tolist()) if 0.2 <= value <= 0.6]
    assert len(fits) > 9 and is_valid.all()
    np.testing.assert_allclose(drawn, every[jnp.array(fits[:9])], rtol=1e-6)


def test_too_few_are_marked_and_finite():
    drawn, is_valid = draw_boxes(
        KEY, BOX, count=30, candidates=60, **(NEGATIVE | {"iou_range": (0.3, 0.5)})
    )
    assert 0 < is_valid.sum() < 30
    assert not np.diff(is_valid.astype(int)).max() > 0  # Those that fit come first.
    assert np.isfinite(drawn).all()
    _, none = draw_boxes(
        KEY, BOX, count=3, candidates=10, **(POSITIVE | {"iou_range": (1.1, 2.0)})
    )
    assert not none.any()


def test_boxes_stay_in_bounds():
    bounds = jnp.array([80.0, 50.0, 120.0, 90.0])
    options = {"translation": 3.0, "scale": 8.0, "uniform": True}
    drawn, _ = draw_boxes(
        KEY,
        BOX,
        count=200,
        candidates=200,
        iou_range=(0.0, 1.0),
        bounds=bounds,
        **options,
    )
    low, high = drawn.min(0), drawn.max(0)
    # Centers reach the bounds; sizes 10 and 40 - 10.
    np.testing.assert_allclose(low, [80, 50, 10, 10])
    np.testing.assert_allclose(high, [120, 90, 30, 30])


def test_centers_anywhere_in_the_bounds(variant):
    # Evenly over 200 x 100 px: the mean is the middle, the deviation side / sqrt(12);
    # 2,000 draws tell the mean to 1.3 px and the deviation to 2 %.
    bounds = jnp.array([10.0, 20.0, 210.0, 120.0])
    draw = partial(samples.draw, count=2000, candidates=2000, iou_range=(0.0, 1.0))
    options = {"translation": None, "scale": 1.6, "uniform": True, "bounds": bounds}
    drawn, _ = variant(partial(draw, **options))(KEY, BOX)
    np.testing.assert_allclose(jnp.mean(drawn[:, :2], 0), [110, 70], atol=5)
    deviation = np.std(np.asarray(drawn[:, :2]), 0)
    np.testing.assert_allclose(deviation, np.array([200, 100]) / 12**0.5, rtol=0.06)
    growth = noise_of(drawn, 1.0, 1.6)[1]
    assert 0.98 < np.abs(growth).max() < 1 + 1e-4
    with pytest.raises(ValueError, match="needs bounds"):
        samples.draw(
            KEY, BOX, **{**NEGATIVE, "translation": None}, count=1, candidates=1
        )


def test_a_narrow_target_keeps_its_height():
    # 10 px would leave an IoU of 0.68 at most, and no positive.
    target, bounds = jnp.array([100.0, 60.0, 135.6, 6.8]), jnp.array([0.0, 0, 255, 255])
    drawn, is_valid = draw_boxes(
        KEY, target, count=20, candidates=160, bounds=bounds, **POSITIVE
    )
    assert is_valid.all()
    assert 6.8 <= drawn[:, 3].min() < drawn[:, 3].max() <= 6.8 * 1.3 + 1e-4
    # Where the target is larger than MDNet's 10 px, that is the least size.
    sizes = {"iou_range": (0.0, 1.0), "translation": 0.0, "scale": 4.0}
    options = {"count": 90, "candidates": 90, **sizes}
    drawn, _ = draw_boxes(KEY, BOX, **options)
    np.testing.assert_allclose(drawn[:, 2:].min(0), [10, 10])
    # A target without extent is one pixel large.
    drawn, _ = draw_boxes(KEY, jnp.array([5.0, 5.0, 1.0, 0.0]), **options)
    np.testing.assert_allclose(drawn[:, 2:].min(0), [1, 1])


def test_drawing_is_a_loop_under_vmap_and_its_keys_matter():
    keys = jax.random.split(KEY, 3)
    targets = jnp.stack([BOX, BOX + 1, BOX + 2])
    draw = partial(samples.draw, count=5, candidates=50, **POSITIVE)
    drawn, valid = jax.jit(jax.vmap(draw))(keys, targets)
    alone = jax.jit(draw)
    for i in range(3):
        one, is_valid = alone(keys[i], targets[i])
        np.testing.assert_allclose(drawn[i], one, rtol=1e-5)
        np.testing.assert_array_equal(valid[i], is_valid)
    assert np.abs(drawn[0] - alone(keys[1], targets[0])[0]).max() > 0.1


def test_fewer_candidates_than_boxes_are_refused():
    with pytest.raises(ValueError, match="3 candidates for 4 boxes"):
        samples.draw(KEY, BOX, count=4, candidates=3, **POSITIVE)


def test_the_hardest_by_hand(variant):
    scores = jnp.array([0.1, 0.9, -2.0, jnp.nan, 0.5, 3.0, jnp.inf])
    is_valid = jnp.array([1, 1, 1, 1, 1, 0, 1], bool)
    places, valid = variant(partial(samples.hardest, count=3))(scores, is_valid)
    np.testing.assert_array_equal(places, [1, 4, 0])
    assert valid.all() and places.dtype == jnp.int32
    places, valid = variant(partial(samples.hardest, count=6))(scores, is_valid)
    np.testing.assert_array_equal(places[:4], [1, 4, 0, 2])
    np.testing.assert_array_equal(valid, [1, 1, 1, 1, 0, 0])
