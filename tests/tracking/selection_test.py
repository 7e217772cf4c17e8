"""Tests for jaxtrack.tracking.selection."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import boxes as boxes_lib
from jaxtrack.ops import grid
from jaxtrack.ops.grid import Geometry
from jaxtrack.tracking import decoding, selection

CAR = Geometry(127, 255, 25, 8, 32.5)
RPN = Geometry(127, 255, 25, 8, 31.5)
SMALL = Geometry(16, 32, 5, 8, 0.0)


def flat_maps(cls=0.5, side=8.0, geometry=SMALL):
    shape = (geometry.response_size,) * 2
    return (jnp.full(shape, cls), jnp.full((*shape, 4), side), jnp.full(shape, 0.5))


def test_change_penalty_by_hand():
    # p = (w + h) / 2. 30 x 30 against 20 x 20: p is 30 and 20, sides 60 and 40, so
    # s = 1.5 and r = 1. 20 x 40 against 20 x 20: p = 30, side sqrt(50 * 70) = 59.16,
    # s = 59.16 / 40 = 1.479, r = 2: s * r = 2.958.
    wh = jnp.array([[20.0, 20.0], [30.0, 30.0], [20.0, 40.0]])
    cost = selection.change_penalty(wh, jnp.array([20.0, 20.0]), 0.1)
    expected = np.exp(-0.1 * np.array([0.0, 0.5, np.sqrt(50 * 70) / 20 - 1]))
    np.testing.assert_allclose(cost, expected, rtol=1e-6)


def test_calibrated_score_by_hand():
    score = jnp.array([0.0, 0.8, 0.85, 0.9, 1.0])
    assert selection.calibrated_score(score, slope=0.0, middle=0.5) is score
    told = selection.calibrated_score(score, slope=20.0, middle=0.85)
    expected = 1 / (1 + np.exp(-np.array([-17.0, -1.0, 0.0, 1.0, 3.0])))
    np.testing.assert_allclose(told, expected, rtol=1e-5)


def test_change_penalty_is_symmetric_and_finite():
    a, b = jnp.array([13.0, 40.0]), jnp.array([31.0, 7.0])
    there, back = (
        selection.change_penalty(a, b, 0.3),
        selection.change_penalty(b, a, 0.3),
    )
    np.testing.assert_allclose(there, back, rtol=1e-6)
    assert jnp.isfinite(selection.change_penalty(jnp.zeros(2), a, 0.3))


def test_clean_by_hand(variant):
    cls, ltrb, quality = flat_maps(cls=0.1)
    cls = cls.at[3, 1].set(0.8)
    # Cell (3, 1) looks at x, y = 8, 24; its box spans 4..16 by 20..28: center 10, 24,
    # size 12 x 8. The crop's center is 16 and 2 crop pixels are one of the picture.
    ltrb = ltrb.at[3, 1].set(jnp.array([4.0, 4.0, 8.0, 4.0]))

    def choose(cls, ltrb, quality):
        return selection.select_clean(
            *(cls, ltrb, quality, jnp.array([8.0, 8.0]), jnp.float32(2.0)),
            **{"geometry": SMALL, "penalty": 0.0, "window": 0.0, "size_rate": 0.5},
            quality_power=1.0,
        )

    chosen = variant(choose)(cls, ltrb, quality)
    np.testing.assert_allclose(chosen.shift, [-3.0, 4.0], rtol=1e-6)
    # score = 0.8 * 0.5 = 0.4; rate = 0.4 * 0.5 = 0.2.
    np.testing.assert_allclose(chosen.score, 0.4, rtol=1e-6)
    np.testing.assert_allclose(chosen.wh, [0.8 * 8 + 0.2 * 6, 0.8 * 8 + 0.2 * 4])


@pytest.mark.parametrize("pick", [selection.select_clean, selection.select_released])
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
        return selection.select_clean(
            cls, ltrb, quality, wh, scale, geometry=SMALL, window=window
        ).shift

    windows = jnp.array([0.0, 0.5])
    shifts = jax.jit(jax.vmap(choose))(windows)
    np.testing.assert_allclose(shifts, [choose(w) for w in windows], atol=1e-6)
    assert shifts[0, 0] < -8 < shifts[1, 0]


def public_start(xywh):
    """The center that a public tracker starts at when it is called without a driver.

    `init` takes it at index x + (w - 1) / 2 and `track` writes index - w / 2; pysot's
    driver for rectangles calls `init` with x + 1 / 2, so that x + w / 2 is the center.
    """
    center = xywh[:2] + (xywh[2:] - 1) / 2
    return jnp.asarray(np.concatenate([center, xywh[2:]]), jnp.float32)


def released_track(golden, choose):
    """Follows the golden's six frames; yields boxes as the public code writes them."""
    xywh, hw = golden["track_init_xywh"], jnp.asarray(golden["track_frame_hw"])
    box = public_start(xywh)
    for t in range(len(golden["track_boxes_xywh"])):
        cls, ltrb, centerness = (
            golden[f"track_{name}_{t}"][0].transpose(1, 2, 0)
            for name in ("cls", "loc", "cen")
        )
        foreground = jax.nn.softmax(cls, axis=-1)[..., 1]
        scale = 127 / boxes_lib.context_side(box[2:], context=0.5)
        quality = decoding.stretched(centerness[..., 0])
        chosen = choose(foreground, ltrb, quality, box[2:], scale)
        chosen = jax.device_get(chosen)
        box = jnp.concatenate([box[:2] + chosen.shift, chosen.wh])
        box = selection.clip(box, hw, least=0.0)
        yield np.array([*(box[:2] - box[2:] / 2), *box[2:]])


def test_released_follows_the_public_code(goldens, variant):
    """Values: SiamCAR 76ddd52 on drawn maps; see tests/goldens/README.md."""
    golden = np.load(goldens / "car_functions_s1.npz")
    choose = variant(
        functools.partial(
            selection.select_released,
            **{"geometry": CAR, "penalty": 0.04, "window": 0.44, "size_rate": 0.33},
        )
    )
    boxes = list(released_track(golden, choose))
    np.testing.assert_allclose(boxes, golden["track_boxes_xywh"], atol=1e-3)


def test_released_survives_flat_maps():
    cls, ltrb, quality = flat_maps()
    chosen = selection.select_released(
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
    peak = selection._refine(coarse, plain, ltrb, template=16)
    np.testing.assert_array_equal(peak, [18, 14])


def test_refinement_at_the_last_cell():
    # Row 32 of 33 is cell round(32 / 6.6) = 5 of 5, one past the end: cell 4 answers.
    coarse = jnp.zeros((33, 33)).at[32, 32].set(1.0)
    ltrb = jnp.ones((5, 5, 4)).at[4, 4].set(6.0)
    plain = jnp.zeros((33, 33)).at[29, 32].set(1.0)
    peak = selection._refine(coarse, plain, ltrb, template=16)
    np.testing.assert_array_equal(peak, [29, 32])


def test_stretched_by_hand():
    # (x + 2) / 8 on [-2, 6]; a flat map would be 0 / 0.
    logits = jnp.array([[-2.0, 0.0], [6.0, 2.0]])
    np.testing.assert_allclose(decoding.stretched(logits), [[0, 0.25], [1, 0.5]])
    np.testing.assert_array_equal(decoding.stretched(jnp.full((2, 2), 3.0)), 0)


def choose_mean(cls, ltrb, quality, num_boxes=3, boxes_from="neighbors"):
    """SiamLA's selection without penalty or window; the size moves by the score."""
    return selection.select_clean(
        *(cls, ltrb, quality, jnp.array([8.0, 8.0]), jnp.float32(1.0)),
        **{"geometry": SMALL, "penalty": 0.0, "window": 0.0, "size_rate": 1.0},
        quality_power=1.0,
        num_boxes=num_boxes,
        boxes_from=boxes_from,
    )


def test_mean_of_three_boxes_by_hand(variant):
    cls, ltrb, _ = flat_maps(cls=0.1)
    quality = jnp.ones((5, 5))
    # Cells look at 0, 8, 16, 24, 32. The best is (2, 2); of its neighbors (1, 2) and
    # (2, 3) are next. (4, 0) is better than both, but no neighbor.
    cls = cls.at[2, 2].set(0.8).at[1, 2].set(0.6).at[2, 3].set(0.5).at[4, 0].set(0.7)
    ltrb = ltrb.at[2, 2].set(jnp.array([4.0, 4.0, 4.0, 4.0]))
    ltrb = ltrb.at[1, 2].set(jnp.array([4.0, 0.0, 8.0, 16.0]))
    ltrb = ltrb.at[2, 3].set(jnp.array([10.0, 6.0, 2.0, 6.0]))
    # xyxy: 12 12 20 20, 12 8 24 24, 14 10 26 22; their mean is 38/3 10 70/3 22.
    chosen = variant(choose_mean)(cls, ltrb, quality)
    np.testing.assert_allclose(chosen.shift, [18 - 16, 16 - 16], atol=1e-5)
    np.testing.assert_allclose(chosen.score, 0.8, rtol=1e-6)
    # rate = 0.8; the mean box is 32/3 by 12.
    wh = [0.2 * 8 + 0.8 * 32 / 3, 0.2 * 8 + 0.8 * 12]
    np.testing.assert_allclose(chosen.wh, wh, rtol=1e-6)
    # Of the whole map, (4, 0) takes the place of (2, 3): -2 31 4 34 beside the first
    # two, whose mean is 22/3 17 16 26; score and rate stay the best cell's.
    ltrb = ltrb.at[4, 0].set(jnp.array([2.0, 1.0, 4.0, 2.0]))
    whole = variant(functools.partial(choose_mean, boxes_from="map"))
    chosen = whole(cls, ltrb, quality)
    np.testing.assert_allclose(chosen.shift, [35 / 3 - 16, 21.5 - 16], atol=1e-5)
    np.testing.assert_allclose(chosen.score, 0.8, rtol=1e-6)
    wh = [0.2 * 8 + 0.8 * 26 / 3, 0.2 * 8 + 0.8 * 9]
    np.testing.assert_allclose(chosen.wh, wh, rtol=1e-6)


def test_size_follows_the_class_alone():
    # rate = 0.8, not 0.8 * 0.5: from 8 x 8 to the box of 12 x 12.
    cls, ltrb, quality = flat_maps(cls=0.1, side=6.0)
    cls = cls.at[2, 2].set(0.8)
    sizes = [
        selection.select_clean(
            *(cls, ltrb, quality, jnp.array([8.0, 8.0]), jnp.float32(1.0)),
            **{"geometry": SMALL, "penalty": 0.0, "window": 0.0, "size_rate": 1.0},
            quality_power=1.0,
            rate_by_quality=by_quality,
        ).wh[0]
        for by_quality in (False, True)
    ]
    np.testing.assert_allclose(sizes, [8 + 0.8 * 4, 8 + 0.4 * 4], rtol=1e-6)


def test_mean_in_a_corner_takes_only_cells_of_the_map():
    # (0, 0) has three neighbors; with nine asked for, the mean is over four boxes.
    cls, ltrb, quality = flat_maps(cls=0.1)
    cls = cls.at[0, 0].set(0.9)
    chosen = choose_mean(cls, ltrb, quality, num_boxes=9)
    # Equal boxes around 0 and 8: the mean center is 4, that of the crop 16.
    np.testing.assert_allclose(chosen.shift, [-12.0, -12.0], atol=1e-5)


def test_mean_equals_the_definition():
    rng = np.random.default_rng(3)
    for _ in range(20):
        cls, quality = rng.uniform(size=(2, 5, 5)).astype(np.float32)
        ltrb = rng.uniform(1, 9, (5, 5, 4)).astype(np.float32)
        score = np.float64(cls) * quality
        cells = [(score[i, j], i, j) for i in range(5) for j in range(5)]
        _, row, column = max(cells)
        near = [c for c in cells if max(abs(c[1] - row), abs(c[2] - column)) <= 1]
        for boxes_from, those in (("neighbors", near), ("map", cells)):
            box = np.mean(
                [
                    np.array([8 * j, 8 * i, 8 * j, 8 * i]) + ltrb[i, j] * [-1, -1, 1, 1]
                    for _, i, j in sorted(those)[-3:]
                ],
                axis=0,
            )
            maps = jnp.array(cls), jnp.array(ltrb), jnp.array(quality)
            chosen = choose_mean(*maps, boxes_from=boxes_from)
            np.testing.assert_allclose(
                chosen.shift, (box[:2] + box[2:]) / 2 - 16, atol=1e-4
            )


def rpn_track(golden, choose):
    """Follows pysot's six frames; yields (box as its code writes it, score)."""
    xywh, hw = golden["track_init_xywh"], jnp.asarray(golden["track_frame_hw"])
    box = public_start(xywh)
    points = grid.points(RPN)[:, :, None]
    for t in range(len(golden["track_boxes_xywh"])):
        logits, cxcywh = (
            golden[f"track_{name}_{t}"].reshape(-1, 5, 25, 25).transpose(2, 3, 1, 0)
            for name in ("cls", "loc")
        )
        # Its boxes are decoded already, and relative to the crop's center.
        xyxy = boxes_lib.cxcywh_to_xyxy(cxcywh) + 255 / 2
        cls = jax.nn.softmax(logits, axis=-1)[..., 1]
        seen = cls, boxes_lib.xyxy_to_ltrb(points, xyxy), jnp.ones_like(cls)
        scale = 127 / boxes_lib.context_side(box[2:], context=0.5)
        chosen = jax.device_get(choose(*seen, box[2:], scale))
        box = jnp.concatenate([box[:2] + chosen.shift, chosen.wh])
        box = selection.clip(box, hw, least=10.0)
        yield np.array([*(box[:2] - box[2:] / 2), *box[2:]]), chosen.score


def test_clean_follows_pysot_on_anchors(goldens, variant):
    """Values: STVIR/pysot d04028f on drawn maps; see tests/goldens/README.md."""
    golden = np.load(goldens / "rpn_functions_s1.npz")
    choose = variant(
        functools.partial(
            selection.select_clean,
            **{"geometry": RPN, "penalty": 0.05, "window": 0.42, "size_rate": 0.38},
        )
    )
    boxes, scores = zip(*rpn_track(golden, choose), strict=True)
    np.testing.assert_allclose(boxes, golden["track_boxes_xywh"], atol=1e-3)
    np.testing.assert_allclose(scores, golden["track_scores"], rtol=1e-5)


def test_anchors_of_one_kind_are_no_anchors():
    rng = np.random.default_rng(0)
    cls, quality = rng.uniform(size=(2, 5, 5)).astype(np.float32)
    ltrb = rng.uniform(4, 12, (5, 5, 4)).astype(np.float32)
    rest = jnp.array([9.0, 8.0]), jnp.float32(1.5)
    plain = selection.select_clean(cls, ltrb, quality, *rest, geometry=SMALL)
    maps_of_one = (m[:, :, None] for m in (cls, ltrb, quality))
    single = selection.select_clean(*maps_of_one, *rest, geometry=SMALL)
    for one, other in zip(plain, single, strict=True):
        np.testing.assert_array_equal(one, other)
