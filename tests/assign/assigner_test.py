"""Tests for jaxtrack.assign."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.assign import (
    ASSIGNERS,
    dynamic,
    label_batch,
    make_assigner,
    regions,
)
from jaxtrack.assign import anchors as anchor_labels
from jaxtrack.config import get_config
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid

GEOMETRY = grid.Geometry(32, 64, 8, 8, 4.0)
POINTS = grid.points(GEOMETRY)  # At 4, 12, ..., 60.
SIZES = ((12.0, 24.0), (18.0, 18.0), (32.0, 10.0))
FREE = types.SimpleNamespace(geometry=GEOMETRY, anchors=())
ANCHORED = types.SimpleNamespace(geometry=GEOMETRY, anchors=SIZES)
NETWORKS = pytest.mark.parametrize("model", [FREE, ANCHORED], ids=["free", "anchors"])
KEY = jax.random.key(0)
BOX = jnp.array([15.0, 18.0, 45.0, 50.0])


def settings(**changes):
    """Returns the defaults, with thresholds and sizes that suit the small map."""
    config = get_config()
    own = {"virtual_anchor": 24.0, "iou_low": 0.2, "iou_high": 0.25}
    config.labels.update({**own, **changes})
    return config


def label(model, *, key=KEY, box=BOX, is_positive=True, hidden=None, **changes):
    """Returns the labels of one example."""
    assign = make_assigner(settings(**changes), model.geometry, anchors=model.anchors)
    return np.asarray(assign(key, box, jnp.array(is_positive), hidden=hidden))


def direct(model, assigner, box=BOX, **options):
    """Calls the function of jaxtrack.assign itself."""
    sizes = model.anchors or ((24.0, 24.0),)
    boxes = anchor_boxes.tile(POINTS, sizes)
    if assigner == "iou":
        options = {"high": 0.25, "low": 0.2, **options}
        labels = anchor_labels.iou_labels(boxes, box, **options)
    elif assigner == "dla":
        labels = dynamic.dynamic_labels(KEY, boxes, box, **options)
    else:
        name = "center_region" if assigner == "rectangle" else assigner
        labels = getattr(regions, name)(POINTS, box, **options)
        labels = np.stack([labels] * len(sizes), axis=-1)
    return np.asarray(labels if model.anchors else labels[..., 0])


@NETWORKS
@pytest.mark.parametrize("assigner", ASSIGNERS)
def test_every_assigner_serves_every_network(model, assigner):
    labels = label(model, assigner=assigner)
    assert labels.shape == ((8, 8, 3) if model.anchors else (8, 8))
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(labels, direct(model, assigner))
    assert {regions.POSITIVE, regions.NEGATIVE} <= set(np.unique(labels))


@NETWORKS
@pytest.mark.parametrize("assigner", ["rectangle", "dla"])
def test_hidden_positives_are_ignored_and_nothing_else_changes(model, assigner):
    # Hidden are rows above 30: of points at 4, 12, 20 and 28.
    hidden = np.zeros((64, 64), bool)
    hidden[:30] = True
    whole = label(model, assigner=assigner)
    seen = label(model, assigner=assigner, hidden=hidden)
    was_positive = whole[:4] == regions.POSITIVE
    assert was_positive.any() and (whole[4:] == regions.POSITIVE).any()
    assert (seen[:4][was_positive] == regions.IGNORE).all()
    np.testing.assert_array_equal(seen[:4][~was_positive], whole[:4][~was_positive])
    np.testing.assert_array_equal(seen[4:], whole[4:])


@NETWORKS
@pytest.mark.parametrize(
    ("assigner", "setting", "value", "option"),
    [
        ("rectangle", "positive_size", 0.8, "size"),
        ("rectangle", "positive_min_half", 15.0, "min_half"),
        ("rectangle", "ignore_inside", True, "ignore_inside"),
        ("circle", "positive_radius", 9.0, "radius"),
        ("circle", "ignore_radius", 25.0, "ignore_radius"),
        ("iou", "iou_high", 0.33, "high"),
        ("iou", "iou_low", 0.1, "low"),
        ("dla", "dla_points", 20, "num_points"),
        ("dla", "dla_negatives", 1, "negative_ratio"),
    ],
)
def test_each_setting_reaches_the_labels(model, assigner, setting, value, option):
    labels = label(model, assigner=assigner, **{setting: value})
    expected = direct(model, assigner, **{option: value})
    np.testing.assert_array_equal(labels, expected)
    assert (labels != label(model, assigner=assigner)).any()


def test_without_a_ring_nothing_is_ignored():
    assert (label(FREE, assigner="circle") >= 0).all()
    ring = label(FREE, assigner="circle", ignore_radius=25.0)
    assert (ring == regions.IGNORE).any()


# Few targets tell these settings apart: one for each network.
@pytest.mark.parametrize(
    ("model", "setting", "value", "option", "box"),
    [
        (FREE, "dla_empty", "skip", "empty", [21, 18, 60, 24]),
        (FREE, "dla_empty", "argmax", "empty", [21, 18, 60, 24]),
        (FREE, "dla_ddof", 0, "ddof", [18, 26, 55, 45]),
        (ANCHORED, "dla_empty", "skip", "empty", [19, 6, 55, 45]),
        (ANCHORED, "dla_empty", "argmax", "empty", [19, 6, 55, 45]),
        (ANCHORED, "dla_ddof", 0, "ddof", [24, 38, 55, 46]),
    ],
)
def test_rare_settings_reach_the_labels(model, setting, value, option, box):
    box = jnp.array(box, jnp.float32)
    labels = label(model, box=box, assigner="dla", **{setting: value})
    expected = direct(model, "dla", box, **{option: value})
    np.testing.assert_array_equal(labels, expected)
    default = label(model, box=box, assigner="dla")
    assert ((labels == 1) != (default == 1)).any()


@pytest.mark.parametrize("assigner", ["iou", "dla"])
def test_virtual_anchors_stand_in_where_there_are_none(assigner):
    for side in (8.0, 24.0):
        model = types.SimpleNamespace(geometry=GEOMETRY, anchors=((side, side),))
        np.testing.assert_array_equal(
            label(FREE, assigner=assigner, virtual_anchor=side),
            label(model, assigner=assigner)[..., 0],
        )
    # A network's own anchors are not replaced.
    own = [
        label(ANCHORED, assigner=assigner, virtual_anchor=side) for side in (8.0, 64.0)
    ]
    np.testing.assert_array_equal(*own)


@NETWORKS
@pytest.mark.parametrize("assigner", ["rectangle", "iou"])
@pytest.mark.parametrize("most", [(3, 0), (0, 7), (3, 7)])
def test_samples_are_drawn_from_the_labels(model, assigner, most):
    assigner = {"assigner": assigner, "positive_size": 0.8}
    full = label(model, **assigner)
    assert (full == 1).sum() > 3
    counts = {"sampled_positives": most[0], "sampled_negatives": most[1]}
    labels = label(model, **assigner, **counts)
    assert (labels == 1).sum() == (most[0] or (full == 1).sum())
    assert (labels == 0).sum() == (most[1] or (full == 0).sum())
    kept = labels != regions.IGNORE
    np.testing.assert_array_equal(labels[kept], full[kept])
    other = label(model, **assigner, key=jax.random.key(5), **counts)
    assert (labels != other).any()


@NETWORKS
@pytest.mark.parametrize("assigner", ASSIGNERS)
@pytest.mark.parametrize("pairs", ["all", "window", "positives"])
def test_pairs_without_the_target_have_no_positives(model, assigner, pairs):
    changes = {"assigner": assigner, "negative_pairs": pairs}
    seen, labels = (label(model, is_positive=flag, **changes) for flag in (True, False))
    assert labels.shape == seen.shape
    if pairs == "all":
        np.testing.assert_array_equal(labels, regions.NEGATIVE)
    elif pairs == "positives":
        expected = np.where(seen == 1, regions.NEGATIVE, regions.IGNORE)
        np.testing.assert_array_equal(labels, expected)
        assert (labels == 0).any()
    else:
        assert set(np.unique(labels)) == {regions.NEGATIVE, regions.IGNORE}
        assert (labels == 0).sum() == 16
    # What the other pairs are labeled with does not follow from it.
    np.testing.assert_array_equal(seen, label(model, assigner=assigner))


@NETWORKS
def test_the_window_is_around_the_other_object(model):
    # Its center (20, 44) is 1.5 strides left of and below the middle, 32. With half a
    # stride added and rounded up, the window's center is 4 - 1 and 4 + 2.
    box = jnp.array([15.0, 40.0, 25.0, 48.0])
    drawn = np.zeros((8, 8), bool)
    for seed in range(40):
        key = jax.random.key(seed)
        labels = label(
            model, key=key, box=box, is_positive=False, negative_pairs="window"
        )
        drawn |= (labels == 0).reshape(8, 8, -1).any(-1)
    expected = np.zeros((8, 8), bool)
    expected[3:, :7] = True  # Rows 3 to 9, cut off, and columns 0 to 6.
    np.testing.assert_array_equal(drawn, expected)


@NETWORKS
def test_only_draws_follow_the_key(model):
    keys = jax.random.split(KEY, 2)
    for changes, follows in [
        *(({"assigner": name}, name == "dla") for name in ASSIGNERS),
        ({"is_positive": False}, False),
        ({"is_positive": False, "negative_pairs": "window"}, True),
        ({"is_positive": False, "negative_pairs": "positives"}, False),
    ]:
        first, again, other = (label(model, key=keys[n], **changes) for n in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert (first != other).any() == follows, changes
        np.testing.assert_array_equal(first == 1, other == 1)


@NETWORKS
@pytest.mark.parametrize("assigner", ASSIGNERS)
def test_a_batch_is_labeled_one_by_one(model, assigner):
    config = settings(assigner=assigner, negative_pairs="window", sampled_negatives=9)
    assign = make_assigner(config, model.geometry, anchors=model.anchors)
    rng = np.random.default_rng(0)
    center, half = rng.uniform(20, 44, (6, 2)), rng.uniform(6, 20, (6, 2))
    xyxy = jnp.asarray(np.concatenate([center - half, center + half], 1), jnp.float32)
    batch = (jax.random.split(KEY, 6), xyxy, jnp.arange(6) % 3 != 1)
    together = jax.jit(jax.vmap(assign))(*batch)
    for n in range(6):
        np.testing.assert_array_equal(assign(*(a[n] for a in batch)), together[n])


@NETWORKS
@pytest.mark.parametrize("assigner", ASSIGNERS)
@pytest.mark.parametrize("box", [[0.0] * 4, [np.nan] * 4, [0.0, 0.0, np.inf, 9.0]])
def test_no_box_has_no_positives(model, assigner, box):
    labels = label(model, assigner=assigner, box=jnp.array(box))
    assert not (labels == 1).any()


def test_pairs_without_labels_have_no_target():
    def assign(key, xyxy, is_positive):
        return jnp.where(is_positive, regions.POSITIVE, regions.NEGATIVE)[None, None]

    batch = {"key": jax.random.split(KEY, 4), "xyxy": jnp.stack([BOX] * 4)}
    batch["is_positive"] = jnp.array([True, False, True, False])
    batch["is_labeled"] = jnp.array([True, True, False, False])
    boxes, labels = label_batch(assign, batch)
    np.testing.assert_array_equal(boxes, np.stack([BOX] + [np.zeros(4)] * 3))
    expected = [regions.POSITIVE, regions.NEGATIVE, regions.IGNORE, regions.IGNORE]
    np.testing.assert_array_equal(labels[:, 0, 0], expected)
