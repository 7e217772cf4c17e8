"""Tests for jaxtrack.assign.localization."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import localization, regions
from jaxtrack.ops import grid

EIGHT = grid.points(grid.Geometry(32, 64, 8, 8, 4.0))  # At 4, 12, ..., 60.
RULES = [
    {},
    {"normalize": False},
    {"curve": "linear"},
    {"curve": "linear", "normalize": False},
    {"alpha": 0.3, "beta": 4.0},
]


def row(values):
    return jnp.asarray([values], jnp.float32)


def parsed(picture):
    """Reads labels: C in the center, b at the boundary, . outside."""
    kinds = {"C": regions.POSITIVE, "b": regions.IGNORE, ".": regions.NEGATIVE}
    return jnp.array([[kinds[letter] for letter in line] for line in picture])


def drawn(smoothing):
    """Draws lambda: C where it is 1, b where it is less, . where it is 0."""
    return [
        "".join("." if v == 0 else "C" if v == 1 else "b" for v in line)
        for line in np.asarray(smoothing)
    ]


def region_map(box, smoothing=0.2):
    labels = regions.center_region(EIGHT, jnp.array(box), ignore_inside=True)
    return localization.smoothing_map(labels, smoothing=smoothing)


def random_maps(seed=0, shape=(8, 8)):
    """Returns IoUs everywhere and lambdas that are 0, 0.2 or 1."""
    rng = np.random.default_rng(seed)
    iou = rng.uniform(0, 1, shape).astype(np.float32)
    return iou, rng.choice(np.float32([0, 0.2, 1]), shape)


def numpy_labels(
    iou, smoothing, alpha=0.5, beta=10.0, curve="logistic", normalize=True
):
    """Eqs. 5 to 7 as S3, S4 and S5 read them, in float64, a point at a time."""
    labels = {}
    for i, j in np.ndindex(iou.shape):
        if smoothing[i, j] == 0:
            continue
        value = float(iou[i, j])
        if curve == "logistic":
            value = 1 / (1 + np.exp(-(value - alpha) * beta))
        labels[i, j] = value ** (1 / float(smoothing[i, j]))
    if normalize and labels:
        low, high = min(labels.values()), max(labels.values())
        if high - low >= 1e-6:
            labels = {at: (y - low) / (high - low) for at, y in labels.items()}
    result = np.zeros(iou.shape)
    for at, y in labels.items():
        result[at] = y
    return result


def test_smoothing_map_by_hand(variant):
    labels = parsed([".....", ".bbb.", ".bCb.", ".bbb.", "....."])
    smoothing = variant(localization.smoothing_map)(labels)
    expected = np.zeros((5, 5), np.float32)
    expected[1:4, 1:4] = 0.2
    expected[2, 2] = 1
    np.testing.assert_array_equal(smoothing, expected)
    assert smoothing.dtype == jnp.float32


def test_regions_drawn():
    # Center (29, 37), half sides 20. Center: |d| < 0.4 * 20 = 8, x of 28 and 36 (20 is
    # 9 away), y of 36 and 44. Boundary: |d| < 20, x of 12 to 44, y of 20 to 52.
    assert drawn(region_map([9.0, 17.0, 49.0, 57.0])) == [
        "........",
        "........",
        ".bbbbb..",
        ".bbbbb..",
        ".bbCCb..",
        ".bbCCb..",
        ".bbbbb..",
        "........",
    ]


def test_points_on_the_boxs_border_are_outside():
    # x = 12 and 44, y = 12 and 36 lie on the border; the center box is 6.4 by 4.8 to
    # each side of (28, 24), which holds x = 28 and, 4 away, y = 20 and 28.
    assert drawn(region_map([12.0, 12.0, 44.0, 36.0])) == [
        "........",
        "........",
        "..bCb...",
        "..bCb...",
        "........",
        "........",
        "........",
        "........",
    ]


def test_without_smoothing_the_boundary_is_no_longer_positive():
    with_lals = region_map([9.0, 17.0, 49.0, 57.0])
    without = region_map([9.0, 17.0, 49.0, 57.0], smoothing=0.0)
    np.testing.assert_array_equal(without, np.where(with_lals == 1, 1, 0))
    assert without.sum() == 4


def test_eq_5_by_hand(variant):
    # 1 / (1 + e^(5, 2.5, 0, -2.5, -5)); printed without the minus it would fall (S3).
    label = functools.partial(localization.dynamic_labels, normalize=False)
    labels = variant(label)(row([0, 0.25, 0.5, 0.75, 1]), jnp.ones((1, 5)))
    expected = [[0.00669285, 0.07585818, 0.5, 0.9241418, 0.9933071]]
    np.testing.assert_allclose(labels, expected, rtol=2e-6)


def test_eq_7_by_hand(variant):
    # lambda = 0.2 is the fifth power (S4): 0.5^5 = 1/32, 0.92414^5 = 0.67405,
    # (1 / (1 + e^-4))^5 = 0.98201^5 = 0.91325, 0.99331^5 = 0.96698.
    label = functools.partial(localization.dynamic_labels, normalize=False)
    labels = variant(label)(row([0.5, 0.75, 0.9, 1]), jnp.full((1, 4), 0.2))
    np.testing.assert_allclose(labels, [[1 / 32, 0.67405, 0.91325, 0.96698]], rtol=1e-5)


def test_eq_7_with_another_lambda():
    # lambda = 1/2 squares, so IoU = alpha gives 1/4.
    labels = localization.dynamic_labels(row([0.5]), row([0.5]), normalize=False)
    np.testing.assert_allclose(labels, [[0.25]], rtol=1e-6)


def test_alpha_and_beta_by_hand():
    # (IoU - 0.3) * 4 is -1.2, 0 and 2.8 at 0, 0.3 and 1.
    labels = localization.dynamic_labels(
        row([0, 0.3, 1]), jnp.ones((1, 3)), alpha=0.3, beta=4.0, normalize=False
    )
    expected = [[1 / (1 + np.exp(1.2)), 0.5, 1 / (1 + np.exp(-2.8))]]
    np.testing.assert_allclose(labels, expected, rtol=1e-6)


def test_eq_6_by_hand(variant):
    # Before Eq. 6, with S4: 1/2 and 0.9241418 in the center, 1/32 at the boundary, the
    # least of all positives (S5). Spread 0.8928918; (1/2 - 1/32) / 0.8928918 = 0.52498.
    # The last point is no positive: its IoU of 0 must not become the least.
    labels = variant(localization.dynamic_labels)(
        row([0.5, 0.75, 0.5, 0]), row([1, 1, 0.2, 0])
    )
    np.testing.assert_allclose(labels, [[0.52498, 1, 0, 0]], rtol=1e-5)


def test_linear_curve_by_hand(variant):
    # 0.5, 0.9 and 0.5^5 = 1/32; spread 0.86875; (0.5 - 1/32) / 0.86875 = 0.53957.
    iou, smoothing = row([0.5, 0.9, 0.5]), row([1, 1, 0.2])
    linear = functools.partial(localization.dynamic_labels, curve="linear")
    raw = variant(functools.partial(linear, normalize=False))(iou, smoothing)
    np.testing.assert_allclose(raw, [[0.5, 0.9, 1 / 32]], rtol=1e-6)
    np.testing.assert_allclose(
        variant(linear)(iou, smoothing), [[0.53957, 1, 0]], rtol=1e-5
    )


@pytest.mark.parametrize("rule", RULES)
def test_matches_definition(variant, rule):
    iou, smoothing = random_maps()
    label = variant(functools.partial(localization.dynamic_labels, **rule))
    expected = numpy_labels(iou, smoothing, **rule)
    np.testing.assert_allclose(label(iou, smoothing), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("where", [0.2, 1.0])
def test_labels_rise_with_the_iou(where, rule):
    iou = jnp.linspace(0, 1, 40)[None]
    labels = localization.dynamic_labels(iou, jnp.full_like(iou, where), **rule)
    assert (np.diff(labels) > 0).all()
    assert labels.min() >= 0
    assert labels.max() <= 1


@pytest.mark.parametrize("rule", RULES)
def test_boundary_labels_lie_below_center_labels_of_the_same_iou(rule):
    # Lambda's order is the labels' order, all of them normalized together.
    iou = jnp.broadcast_to(jnp.linspace(0.02, 0.98, 30)[:, None], (30, 4))
    smoothing = jnp.broadcast_to(row([0.1, 0.2, 0.5, 1]), iou.shape)
    labels = localization.dynamic_labels(iou, smoothing, **rule)
    assert (np.diff(labels, axis=1) >= 0).all()
    likely = np.asarray(labels)[10:]  # Powers of less are all but 0.
    assert (np.diff(likely, axis=1) > 0).all()


def test_the_logistic_is_symmetric_about_alpha_and_flat_at_both_ends():
    iou = jnp.linspace(0, 1, 41)[None]
    labels = localization.dynamic_labels(iou, jnp.ones_like(iou), normalize=False)[0]
    np.testing.assert_allclose(labels + labels[::-1], 1, rtol=1e-6)
    steps = np.diff(labels)
    # Slopes beta y (1 - y): 2.5 in the middle, 0.066 at the ends, 37.6 times less.
    assert steps[19] / 0.025 == pytest.approx(2.5, rel=0.02)
    assert max(steps[0], steps[-1]) < steps[19] / 25


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("curve", ["logistic", "linear"])
def test_normalized_labels_span_zero_to_one_in_order(seed, curve):
    iou, smoothing = random_maps(seed)
    raw, labels = (
        np.asarray(
            localization.dynamic_labels(
                jnp.asarray(iou),
                jnp.asarray(smoothing),
                curve=curve,
                normalize=normalize,
            )
        )[smoothing > 0]
        for normalize in (False, True)
    )
    assert labels.min() == 0
    assert labels.max() == pytest.approx(1, abs=1e-6)
    assert (np.diff(labels[np.argsort(raw)]) >= 0).all()


def test_each_image_is_normalized_alone():
    pairs = [random_maps(seed) for seed in range(3)]
    iou, smoothing = (jnp.asarray(np.stack(maps)) for maps in zip(*pairs, strict=True))
    together = jax.vmap(localization.dynamic_labels)(iou, smoothing)
    for b in range(3):
        alone = localization.dynamic_labels(iou[b], smoothing[b])
        np.testing.assert_array_equal(together[b], alone)


def test_ious_outside_the_target_do_not_count():
    iou, smoothing = random_maps()
    other = np.where(smoothing == 0, 1 - iou, iou)
    labels, same = (
        localization.dynamic_labels(jnp.asarray(i), jnp.asarray(smoothing))
        for i in (iou, other)
    )
    np.testing.assert_array_equal(labels, same)
    np.testing.assert_array_equal(labels[smoothing == 0], 0)


def test_a_moved_box_moves_its_labels():
    box = np.float32([6, 10, 34, 46])
    iou, _ = random_maps()
    labels = localization.dynamic_labels(jnp.asarray(iou), region_map(box))
    # Two cells right and one down, and the predictions with it.
    moved = localization.dynamic_labels(
        jnp.asarray(np.roll(iou, (1, 2), (0, 1))),
        region_map(box + np.float32([16, 8, 16, 8])),
    )
    np.testing.assert_array_equal(moved, np.roll(labels, (1, 2), (0, 1)))
    assert np.unique(np.asarray(labels)).size > 5


@pytest.mark.parametrize("rule", RULES)
def test_without_positives_all_labels_are_zero(rule):
    iou, _ = random_maps()
    labels = localization.dynamic_labels(jnp.asarray(iou), jnp.zeros((8, 8)), **rule)
    np.testing.assert_array_equal(labels, 0)


@pytest.mark.parametrize(("where", "expected"), [(1.0, 0.9241418), (0.2, 0.67405)])
def test_a_single_positive_keeps_its_label(variant, where, expected):
    # 0 / 0 otherwise (S6). The values are those of Eqs. 5 and 7 above.
    smoothing = jnp.zeros((5, 5)).at[2, 3].set(where)
    labels = variant(localization.dynamic_labels)(jnp.full((5, 5), 0.75), smoothing)
    assert float(labels[2, 3]) == pytest.approx(expected, rel=1e-5)
    assert np.count_nonzero(labels) == 1


def test_equal_ious_keep_their_labels():
    labels = localization.dynamic_labels(jnp.full((1, 4), 0.25), row([1, 1, 1, 0]))
    np.testing.assert_allclose(labels, [[0.0758582] * 3 + [0]], rtol=1e-5)


@pytest.mark.parametrize(
    ("spread", "expected"), [(2.0**-21, [0.5, 0.5]), (2.0**-19, [0.0, 1.0])]
)
def test_normalizing_starts_at_a_spread_of_one_millionth(spread, expected):
    # 2^-21 = 4.8e-7 lies below 1e-6 and 2^-19 = 1.9e-6 above it (S6); both are exact.
    labels = localization.dynamic_labels(
        row([0.5, 0.5 + spread]), jnp.ones((1, 2)), curve="linear"
    )
    np.testing.assert_allclose(labels, [expected], atol=1e-6)


@pytest.mark.parametrize("beta", [0.0, 10.0, 1e4])
@pytest.mark.parametrize("where", [1e-6, 0.2, 1.0])
@pytest.mark.parametrize("curve", ["logistic", "linear"])
def test_labels_are_never_nan(beta, where, curve):
    iou = row([0, 1e-30, 0.5, 1 - 1e-7, 1])
    for normalize in (True, False):
        labels = localization.dynamic_labels(
            iou,
            row([where, where, 1, where, 1]),
            beta=beta,
            curve=curve,
            normalize=normalize,
        )
        assert np.isfinite(labels).all()
        assert ((labels >= 0) & (labels <= 1)).all()


@pytest.mark.parametrize("rule", RULES)
def test_labels_have_no_slope(rule):
    iou, smoothing = random_maps()

    def total(iou):
        labels = localization.dynamic_labels(iou, jnp.asarray(smoothing), **rule)
        return jnp.sum(labels * labels)

    np.testing.assert_array_equal(jax.grad(total)(jnp.asarray(iou)), 0)


def test_faults():
    iou, smoothing = jnp.zeros((3, 4)), jnp.ones((3, 4))
    with pytest.raises(ValueError, match="logistic or linear, got 'step'"):
        localization.dynamic_labels(iou, smoothing, curve="step")
    with pytest.raises(ValueError, match=r"\(3, 4\) and smoothing \(4, 3\) differ"):
        localization.dynamic_labels(iou, smoothing.T)
