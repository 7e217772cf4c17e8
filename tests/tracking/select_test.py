"""Tests for jaxtrack.tracking.select."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops.grid import Geometry
from jaxtrack.tracking import select, tracker

CAR = Geometry(127, 255, 25, 8, 32.5)
SMALL = Geometry(16, 32, 5, 8, 0.0)


def flat_maps(cls=0.5, side=8.0, geometry=SMALL):
    shape = (geometry.response_size,) * 2
    return (
        jnp.full(shape, cls),
        jnp.full((*shape, 4), side),
        jnp.zeros(shape),
    )


def test_change_penalty_by_hand():
    # p = (w + h) / 2. 30 x 30 against 20 x 20: p is 30 and 20, sides 60 and 40, so
    # s = 1.5 and r = 1. 20 x 40 against 20 x 20: p = 30, side sqrt(50 * 70) = 59.16,
    # s = 59.16 / 40 = 1.479, r = 2: s * r = 2.958.
    wh = jnp.array([[20.0, 20.0], [30.0, 30.0], [20.0, 40.0]])
    cost = select.change_penalty(wh, jnp.array([20.0, 20.0]), 0.1)
    expected = np.exp(-0.1 * np.array([0.0, 0.5, np.sqrt(50 * 70) / 20 - 1]))
    np.testing.assert_allclose(cost, expected, rtol=1e-6)


def test_change_penalty_is_symmetric_and_finite():
    a, b = jnp.array([13.0, 40.0]), jnp.array([31.0, 7.0])
    there, back = select.change_penalty(a, b, 0.3), select.change_penalty(b, a, 0.3)
    np.testing.assert_allclose(there, back, rtol=1e-6)
    assert jnp.isfinite(select.change_penalty(jnp.zeros(2), a, 0.3))


def test_clean_by_hand(variant):
    cls, ltrb, quality = flat_maps(cls=0.1)
    cls = cls.at[3, 1].set(0.8)
    # Cell (3, 1) looks at x, y = 8, 24; its box spans 4..16 by 20..28: centre 10, 24,
    # size 12 x 8. The crop's centre is 16 and 2 crop pixels are one of the picture.
    ltrb = ltrb.at[3, 1].set(jnp.array([4.0, 4.0, 8.0, 4.0]))

    def choose(cls, ltrb, quality):
        return select.select_clean(
            *(cls, ltrb, quality, jnp.array([8.0, 8.0]), jnp.float32(2.0)),
            **{"geometry": SMALL, "penalty": 0.0, "window": 0.0, "size_rate": 0.5},
            quality_power=1.0,
        )

    chosen = variant(choose)(cls, ltrb, quality)
    np.testing.assert_allclose(chosen.shift, [-3.0, 4.0], rtol=1e-6)
    # score = 0.8 * sigmoid(0) = 0.4; rate = 0.4 * 0.5 = 0.2.
    np.testing.assert_allclose(chosen.score, 0.4, rtol=1e-6)
    np.testing.assert_allclose(chosen.wh, [0.8 * 8 + 0.2 * 6, 0.8 * 8 + 0.2 * 4])


@pytest.mark.parametrize("pick", [select.select_clean, select.select_released])
def test_window_decides_between_equal_peaks(pick):
    cls, ltrb, quality = flat_maps(cls=0.1)
    cls = cls.at[2, 2].set(0.6).at[0, 0].set(0.65)
    quality = quality.at[2, 2].set(1.0).at[0, 0].set(1.0)
    wh, scale = jnp.array([16.0, 16.0]), jnp.float32(1.0)
    run = jax.jit(
        functools.partial(pick, cls, ltrb, quality, wh, scale, geometry=SMALL)
    )
    assert jnp.all(run(window=0.0).shift < -8)
    assert jnp.all(jnp.abs(run(window=0.5).shift) < 4)


def test_clean_settings_are_a_batch_axis():
    cls, ltrb, quality = flat_maps(cls=0.1)
    cls = cls.at[2, 2].set(0.6).at[0, 0].set(0.65)
    wh, scale = jnp.array([16.0, 16.0]), jnp.float32(1.0)

    def choose(window):
        return select.select_clean(
            cls, ltrb, quality, wh, scale, geometry=SMALL, window=window
        ).shift

    windows = jnp.array([0.0, 0.5])
    shifts = jax.jit(jax.vmap(choose))(windows)
    np.testing.assert_allclose(shifts, [choose(w) for w in windows], atol=1e-6)
    assert shifts[0, 0] < -8 < shifts[1, 0]


def released_track(golden, choose):
    """Follows the golden's six frames; yields boxes as the public code writes them."""
    xywh, hw = golden["track_init_xywh"], jnp.asarray(golden["track_frame_hw"])
    # pysot starts at index x + (w - 1) / 2, half a pixel less than continuous x + w/2.
    box = np.array([xywh[0] + xywh[2] / 2, xywh[1] + xywh[3] / 2, *xywh[2:]])
    box = jnp.asarray(box, jnp.float32)
    for t in range(len(golden["track_boxes_xywh"])):
        cls, ltrb, centerness = (
            golden[f"track_{name}_{t}"][0].transpose(1, 2, 0)
            for name in ("cls", "loc", "cen")
        )
        foreground = jax.nn.softmax(cls, axis=-1)[..., 1]
        scale = 127 / tracker._side(box[2:], 0.5)
        chosen = choose(foreground, ltrb, centerness[..., 0], box[2:], scale)
        chosen = jax.device_get(chosen)
        box = jnp.concatenate([box[:2] + chosen.shift, chosen.wh])
        box = tracker.clip_released(box, hw)
        yield np.array([*(box[:2] - 0.5 - box[2:] / 2), *box[2:]])


def test_released_follows_the_public_code(goldens, variant):
    """Values: SiamCAR 76ddd52 on drawn maps; see tests/goldens/README.md."""
    golden = np.load(goldens / "car_functions_s1.npz")
    choose = variant(
        functools.partial(
            select.select_released,
            **{"geometry": CAR, "penalty": 0.04, "window": 0.44, "size_rate": 0.33},
        )
    )
    boxes = list(released_track(golden, choose))
    np.testing.assert_allclose(boxes, golden["track_boxes_xywh"], atol=1e-3)


def test_released_survives_flat_maps():
    cls, ltrb, quality = flat_maps()
    chosen = select.select_released(
        *(cls, ltrb, quality, jnp.array([16.0, 16.0]), jnp.float32(1.0)), geometry=SMALL
    )
    assert all(jnp.all(jnp.isfinite(value)) for value in chosen)


def test_refinement_stays_near_the_coarse_peak():
    # SMALL's template of 16 allows half sides of int(1.6) = 1 to int(7.04) = 7 cells,
    # halved: boxes of 4 leave 2 upsampled cells around the coarse peak at (16, 16).
    size = 33
    coarse = jnp.zeros((size, size)).at[16, 16].set(1.0)
    plain = jnp.zeros((size, size)).at[0, 0].set(1.0).at[18, 14].set(0.5)
    plain = plain.at[19, 16].set(0.9)
    ltrb = jnp.full((5, 5, 4), 4.0)
    peak = select._refine(coarse, plain, ltrb, template=16)
    np.testing.assert_array_equal(peak, [18, 14])


def test_refinement_at_the_last_cell():
    # Row 32 of 33 is cell round(32 / 6.6) = 5 of 5, one past the end: cell 4 answers.
    coarse = jnp.zeros((33, 33)).at[32, 32].set(1.0)
    ltrb = jnp.ones((5, 5, 4)).at[4, 4].set(6.0)
    plain = jnp.zeros((33, 33)).at[29, 32].set(1.0)
    peak = select._refine(coarse, plain, ltrb, template=16)
    np.testing.assert_array_equal(peak, [29, 32])


def test_released_stretches_the_centerness():
    # Only order and ratio of its differences count: -4 + 3 q selects as q does.
    rng = np.random.default_rng(0)
    cls, centerness = rng.uniform(size=(2, 5, 5)).astype(np.float32)
    _, ltrb, _ = flat_maps()
    run = functools.partial(select.select_released, geometry=SMALL, window=0.0)
    wh, scale = jnp.array([16.0, 16.0]), jnp.float32(1.0)
    plain = run(cls, ltrb, centerness, wh, scale)
    moved = run(cls, ltrb, 3 * centerness - 4, wh, scale)
    np.testing.assert_allclose(moved.shift, plain.shift)
