"""Tests for the loss of jaxtrack.trackers.siamla."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.trackers import siamla
from tests import labeled
from tests.devices import check_four_devices
from tests.gradients import check_gradients

from .conftest import (
    CENTER,
    CHOICES,
    OTHER,
    PAPER,
    POINTS,
    RECIPES,
    bound,
    drawn_choices,
    hand_made,
    judged_cells,
    numpy_terms,
    random_batch,
    value_and_gradient,
)

BOX = np.float32([[9, 17, 49, 57]])
# Labels before Eq. 6: 0.9933071 in the center (IoU 1), 0.9933071^5 = 0.9669781 right of
# it, 0.5^5 = 0.03125 seven times. After it 1, (0.9669781 - 0.03125) / 0.9620571 =
# 0.9726326, and 0. Positive cells cost ln 4 - y ln 3, negative ones 3/2 ln 2.
SUM_Y, RAW_SUM_Y = 1.9726326, 0.9933071 + 0.9669781 + 7 * 0.03125
POSITIVES, NEGATIVES = 9 * np.log(4) - SUM_Y * np.log(3), 7 * 1.5 * np.log(2)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, POSITIVES / 18 + NEGATIVES / 14),
        ({"cls_weights": (0.2, 3.0, 9.0)}, 0.2 * POSITIVES / 9 + 3 * NEGATIVES / 7),
        ({"reduction": "positives"}, (POSITIVES + NEGATIVES) / 9),
        ({"reduction": "cells"}, (POSITIVES + NEGATIVES) / 16),
        (
            {"rule": siamla.LabelRule(normalize=False)},
            np.log(4) / 2 - RAW_SUM_Y * np.log(3) / 18 + NEGATIVES / 14,
        ),
        # Labels 1 and eight times 0.2; negatives without their weight.
        (
            {"rule": siamla.LabelRule(kind="region")},
            np.log(4) / 2 - 2.6 * np.log(3) / 18 + np.log(2) / 2,
        ),
        # One positive, not normalized, and fifteen negatives, eight with c = 3/4.
        (
            {"rule": siamla.LabelRule(smoothing=0.0)},
            (np.log(4) - 0.9933071 * np.log(3)) / 2
            + (8 * 1.75 * np.log(4) + NEGATIVES) / 30,
        ),
        # Three of the eight are the hardest.
        (
            {
                "rule": siamla.LabelRule(smoothing=0.0),
                "hard_negatives": 3,
                "cls_weights": (0.0, 0.0, 1.0),
            },
            1.75 * np.log(4),
        ),
        # The eight are ignored.
        (
            {"rule": siamla.LabelRule(smoothing=0.0), "ignore_inside": True},
            (np.log(4) - 0.9933071 * np.log(3)) / 2 + NEGATIVES / 14,
        ),
    ],
)
def test_eqs_3_to_7_by_hand(options, expected):
    points, batch = hand_made()
    _, metrics = labeled.siamla_loss(*batch, points=points, **options)
    np.testing.assert_allclose(metrics["cls"], expected, rtol=1e-5)


def test_eqs_10_and_11_by_hand(variant):
    points, batch = hand_made()
    weights = (1.0, 10.0, 100.0)
    call = functools.partial(labeled.siamla_loss, points=points, weights=weights)
    loss, metrics = variant(call)(*batch)
    # All seven negatives are drawn, as nine are wanted; their label is 0 (S13). IoUs,
    # not the logistic's labels: twice 1, seven times 1/2.
    quality = (9 * np.log(4) - 5.5 * np.log(3) + 7 * np.log(2)) / 16
    # -ln((484 + 1) / (968 + 1)) seven times, 0 twice, none weighted (S12).
    reg = 7 / 9 * np.log(969 / 485)
    cls = POSITIVES / 18 + NEGATIVES / 14
    np.testing.assert_allclose(metrics["quality"], quality, rtol=1e-5)
    np.testing.assert_allclose(metrics["reg"], reg, rtol=1e-5)
    np.testing.assert_allclose(metrics["iou"], 5.5 / 9, rtol=1e-5)
    assert metrics["positives"] == 9
    np.testing.assert_allclose(loss, cls + 10 * reg + 100 * quality, rtol=1e-5)
    assert loss == metrics["loss"]


def test_the_weights_of_eq_11_are_ones():
    points, batch = hand_made()
    loss, metrics = labeled.siamla_loss(*batch, points=points)
    total = metrics["cls"] + metrics["reg"] + metrics["quality"]
    np.testing.assert_allclose(loss, total, rtol=1e-6)


def test_drawn_choices_meet_in_pairs():
    choices = drawn_choices()
    for a, b in [(a, b) for a in CHOICES for b in CHOICES if a < b]:
        met = {(choice[a], choice[b]) for choice in choices}
        assert len(met) == len(CHOICES[a]) * len(CHOICES[b]), (a, b)


@pytest.mark.parametrize("number", range(24))
def test_matches_definition(number):
    choice = drawn_choices()[number]
    batch = random_batch(choice, seed=number)
    judged = judged_cells(choice, batch)
    loss, metrics = bound(choice, weights=(1.0, 2.0, 0.5))(
        *jax.tree.map(jnp.asarray, batch)
    )
    expected, _ = numpy_terms(batch, judged, choice)
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=5e-5, err_msg=name)
    terms = [expected[name] for name in ("cls", "reg", "quality")]
    np.testing.assert_allclose(loss, np.dot([1, 2, 0.5], terms), rtol=5e-5)


@pytest.mark.parametrize("choice", drawn_choices()[::3])
def test_labels_may_come_from_any_assigner(choice):
    batch = random_batch(choice)
    # As DLA makes them: mostly ignored. LALS takes the box around them as it is.
    labels = np.random.default_rng(0).integers(-6, 2, (4, 8, 8), np.int32).clip(-1)
    labels[1], batch[1][1] = np.minimum(labels[1], 0), 0
    terms, _ = numpy_terms(batch, judged_cells(choice, batch, labels), choice, labels)
    _, metrics = bound(choice, labels)(*jax.tree.map(jnp.asarray, batch))
    for name, value in terms.items():
        np.testing.assert_allclose(metrics[name], value, rtol=5e-5, err_msg=name)


@RECIPES
def test_is_the_same_eager_jitted_and_mapped(variant, choice):
    batch = random_batch(choice)
    _, metrics = variant(bound(choice))(*batch)
    expected, _ = numpy_terms(batch, judged_cells(choice, batch), choice)
    for name, value in expected.items():
        np.testing.assert_allclose(metrics[name], value, rtol=5e-5, err_msg=name)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_as_many_negatives_are_judged_as_positives(smoothing):
    choice = {**PAPER, "smoothing": smoothing}
    batch = random_batch(choice)
    judged = judged_cells(choice, batch)
    _, counts = numpy_terms(batch, judged, choice)
    positives, drawn, available = counts.T
    np.testing.assert_array_equal(drawn, np.minimum(positives, available))
    # Nothing else is judged, and an example without a positive cell has none.
    np.testing.assert_array_equal(judged.sum((1, 2)), positives + drawn)
    assert (positives[1], drawn[1], available[1]) == (0, 0, 64)
    if smoothing:  # A target with fewer cells outside than inside, and others.
        assert positives[0] > available[0] == drawn[0]
        assert (drawn[2:] < available[2:]).all()


def test_each_example_draws_with_its_own_key():
    outputs, xyxy, is_positive, keys = random_batch()
    first = judged_cells(PAPER, (outputs, xyxy, is_positive, keys))
    other = keys.at[3].set(jax.random.key(99))
    second = judged_cells(PAPER, (outputs, xyxy, is_positive, other))
    differs = (first != second).any((1, 2))
    np.testing.assert_array_equal(differs, np.arange(4) == 3)


def drawing(choice):
    """Draws which cells of one example have a slope: of L_ladl, L_reg and quality."""
    outputs, _, _, keys = random_batch(choice)
    batch = (outputs, np.tile(BOX, (4, 1)), np.ones(4, bool), keys)
    _, gradients = value_and_gradient(choice, batch)
    names = ("cls", "ltrb", choice["judge"][0])
    touched = [(np.asarray(gradients[name]) != 0).any(-1)[0] for name in names]
    return [["".join(".x"[int(v)] for v in line) for line in t] for t in touched]


# Center (29, 37), half sides 20; see tests/assign/localization_test.py.
CENTER_CELLS = [*["........"] * 4, *["...xx..."] * 2, *["........"] * 2]
INSIDE = [*["........"] * 2, *[".xxxxx.."] * 5, "........"]
ALL_BUT_BOUNDARY = [
    *["xxxxxxxx"] * 2,
    *["x.....xx"] * 2,
    *["x..xx.xx"] * 2,
    "x.....xx",
    "xxxxxxxx",
]


@pytest.mark.parametrize(
    ("changes", "cls", "reg"),
    [
        ({}, ["x" * 8] * 8, INSIDE),
        ({"boundary_regression": False}, ["x" * 8] * 8, CENTER_CELLS),
        ({"smoothing": 1.0, "boundary_regression": False}, ["x" * 8] * 8, CENTER_CELLS),
        ({"smoothing": 0.0}, ["x" * 8] * 8, CENTER_CELLS),
        ({"smoothing": 0.0, "ignore_inside": True}, ALL_BUT_BOUNDARY, CENTER_CELLS),
        ({"ignore_inside": True}, ["x" * 8] * 8, INSIDE),
    ],
)
def test_which_cells_learn_drawn(changes, cls, reg):
    choice = {**CENTER, **changes}
    assert drawing(choice) == [cls, reg, reg]


def test_ignored_cells_are_not_drawn_as_negatives():
    choice = {**PAPER, "smoothing": 0.0, "ignore_inside": True}
    for line, may in zip(drawing(choice)[2], ALL_BUT_BOUNDARY, strict=True):
        assert all(m == "x" for v, m in zip(line, may, strict=True) if v == "x")


@RECIPES
def test_labels_and_qualities_do_not_move_the_box(choice):
    batch = random_batch(choice)
    options = {"weights": (1.0, 0.0, 1.0)}
    (_, metrics), gradients = value_and_gradient(choice, batch, **options)
    np.testing.assert_array_equal(gradients["ltrb"], 0)
    assert np.abs(gradients["cls"]).max() > 0
    assert np.abs(gradients[choice["judge"][0]]).max() > 0
    # Though the labels depend on it.
    if choice["kind"] == "ladl":
        outputs = {**batch[0], "ltrb": batch[0]["ltrb"] * np.float32(1.3)}
        (_, other), _ = value_and_gradient(choice, (outputs, *batch[1:]), **options)
        assert abs(other["cls"] - metrics["cls"]) > 1e-3


@RECIPES
def test_gradients(choice):
    outputs, *rest = random_batch(choice)
    # Labels are constant by design: their slope by ltrb is left out here.
    logits = {name: value for name, value in outputs.items() if name != "ltrb"}

    def by_logits(logits):
        return bound({**choice, "weight_gradient": True})(
            {**logits, "ltrb": outputs["ltrb"]}, *rest
        )[0]

    def by_boxes(ltrb):
        weights = (0.0, 1.0, 0.0)
        return bound(choice, weights=weights)({**outputs, "ltrb": ltrb}, *rest)[0]

    check = functools.partial(check_gradients, rtol=2e-2, eps=1e-2)
    check(by_logits, (logits,))
    check(by_boxes, (outputs["ltrb"],))


def test_the_weights_gradient_is_of_negatives_alone():
    batch = random_batch()
    results = [
        value_and_gradient({**PAPER, "weight_gradient": flag}, batch)
        for flag in (True, False)
    ]
    (full, gradient), (constant, other) = results
    np.testing.assert_allclose(full[0], constant[0], rtol=1e-6)
    differs = np.asarray(gradient["cls"] != other["cls"])[..., 0]
    # Positives are those regressed, too.
    positive = (np.asarray(gradient["ltrb"]) != 0).any(-1)
    np.testing.assert_array_equal(differs, ~positive)


def test_a_moved_target_costs_the_same():
    outputs, _, _, keys = random_batch(CENTER)
    moved = {name: np.roll(value, (-1, 2), (1, 2)) for name, value in outputs.items()}
    rest, box = (np.ones(4, bool), keys), np.tile(BOX, (4, 1))
    (_, here), _ = value_and_gradient(CENTER, (outputs, box, *rest))
    there_box = box + np.float32([16, -8, 16, -8])
    (_, there), _ = value_and_gradient(CENTER, (moved, there_box, *rest))
    for name, value in here.items():
        np.testing.assert_allclose(there[name], value, rtol=1e-5, err_msg=name)


@functools.cache
def jitted(choice):
    return jax.jit(jax.value_and_grad(bound(dict(choice)), has_aux=True))


@RECIPES
def test_four_devices_equal_one(choice):
    whole = jitted(tuple(choice.items()))
    share = bound(choice, axis_name="batch")
    check_four_devices(share, whole, random_batch(choice, batch=8), rtol=1e-5)


CASES = {
    "no target": lambda outputs, xyxy: None,
    "nan": lambda outputs, xyxy: xyxy.fill(np.nan),
    "one nan": lambda outputs, xyxy: xyxy[:, :1].fill(np.nan),
    "infinite": lambda outputs, xyxy: xyxy[:, 2:].fill(np.inf),
    "empty": lambda outputs, xyxy: xyxy[:, 2:].fill(0),
    "inside out": lambda outputs, xyxy: xyxy[:, :2].fill(70),
    "one positive": lambda outputs, xyxy: xyxy.__setitem__(0, [16, 16, 25, 25]),
    "equal ious": lambda outputs, xyxy: outputs["ltrb"].fill(0),
    "100": lambda outputs, xyxy: outputs["cls"].fill(100),
    "-100": lambda outputs, xyxy: outputs["cls"].fill(-100),
    "1e4": lambda outputs, xyxy: [outputs[n].fill(1e4) for n in outputs if n != "ltrb"],
    "-1e4": lambda outputs, xyxy: [
        outputs[n].fill(-1e4) for n in outputs if n != "ltrb"
    ],
    "overflow": lambda outputs, xyxy: outputs["ltrb"][1].fill(np.inf),
    "not a box": lambda outputs, xyxy: outputs["ltrb"][1].fill(np.nan),
}
TARGETLESS = ("no target", "nan", "one nan", "infinite", "empty", "inside out")


@RECIPES
@pytest.mark.parametrize("case", CASES)
def test_degenerate_batches_have_finite_gradients(case, choice):
    outputs, xyxy, _, keys = random_batch(choice, batch=2)
    CASES[case](outputs, xyxy)
    is_positive = np.array([case != "no target", False])
    (loss, metrics), gradients = jitted(tuple(choice.items()))(
        outputs, xyxy, is_positive, keys
    )
    assert np.isfinite(loss)
    assert all(np.isfinite(m) for m in metrics.values())
    assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradients))
    # A sum over the number of positives is 0 where there are none.
    is_nothing = case in TARGETLESS and choice["reduction"] == "positives"
    assert (np.abs(gradients["cls"]).max() > 0) != is_nothing
    if case in TARGETLESS:
        for name in ("reg", "quality", "positives", "iou"):
            assert metrics[name] == 0, name
    elif case == "one positive":
        # One of two examples has it; nine where the center reaches 9 pixels.
        assert metrics["positives"] == (4.5 if choice is OTHER else 0.5)


def test_a_batch_without_targets_costs_its_negatives():
    # c = 1/2 everywhere: half of 3/2 ln 2.
    outputs, xyxy, _, keys = random_batch(batch=2)
    outputs |= {"cls": np.zeros_like(outputs["cls"])}
    (loss, _), _ = jitted(tuple(PAPER.items()))(outputs, xyxy, np.zeros(2, bool), keys)
    np.testing.assert_allclose(loss, 0.75 * np.log(2), rtol=1e-6)


def test_faults():
    batch = random_batch()
    call = functools.partial(labeled.siamla_loss, *batch, points=POINTS)
    for options, message in [
        ({"rule": siamla.LabelRule(kind="soft")}, "labels must be ladl or region"),
        ({"rule": siamla.LabelRule(curve="cubic")}, "logistic or linear, got 'cubic'"),
        ({"reduction": "sum"}, "balanced, positives or cells, got 'sum'"),
        ({"regression": "l1"}, "iou or giou, got 'l1'"),
        ({"quality": "none"}, "centerness or iou, got 'none'"),
        ({"negative_target": "one"}, "zero or iou, got 'one'"),
    ]:
        with pytest.raises(ValueError, match=message):
            call(**options)
    outputs, *rest = batch
    with pytest.raises(ValueError, match=r"\(4, 8, 8, 2\)"):
        two = np.concatenate([outputs["cls"]] * 2, -1)
        labeled.siamla_loss({**outputs, "cls": two}, *rest, points=POINTS)
    outputs.pop("localization")
    with pytest.raises(ValueError, match=r"lack \['centerness'\]"):
        labeled.siamla_loss(outputs, *rest, points=POINTS)
