"""Tests for jaxtrack.training.objective: CRACT's loss, and its proposals."""

import functools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.losses import totals
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid
from jaxtrack.training import assigners, objective

from .conftest import GEOMETRY, make_batch
from .tiny_cract import set_cract, tiny_cract

TINY_ANCHORS = anchor_boxes.tile(grid.points(GEOMETRY), tiny_cract().anchors)


def cract_scene(**changes):
    """Returns settings, the tiny CRACT, random outputs and a batch."""
    config = set_cract(get_config())
    config.update_from_flattened_dict(changes)
    rng = np.random.default_rng(0)
    batch = {**make_batch(0), "key": jax.random.split(jax.random.key(1), 8)}
    near = np.concatenate([batch["xyxy"][:, None]] * 8, 1)
    outputs = {
        "cls": rng.standard_normal((8, 4, 4, 2, 2)),
        "deltas": 0.3 * rng.standard_normal((8, 4, 4, 2, 4)),
        "proposals": near + rng.uniform(-5, 5, near.shape),
        "aligned": near + rng.uniform(-3, 3, near.shape),
        "offsets": rng.standard_normal((8, 8, 4)),
        "identity": rng.standard_normal((8, 8, 2)),
    }
    outputs = {name: jnp.asarray(v, jnp.float32) for name, v in outputs.items()}
    network = tiny_cract(refinement=config.refinement or "cascade")
    return config, network, outputs, jax.tree.map(jnp.asarray, batch)


@functools.cache
def default_loss():
    """Returns the loss of the scene with the settings as they are."""
    config, model, outputs, batch = cract_scene()
    return jax.jit(objective.make_loss(config, model))(outputs, batch)[0]


# Settings of CRACT, and what they are to the loss; `weights` of the settings are
# (1, 1) and 0, and (1, 1).
CRACT = [
    ({}, {}),
    ({"regression": "iou"}, {"distance": "l1"}),
    ({"loss_weights": (2.0, 3.0, 9.0)}, {"weights": (2.0, 3.0, 1.0, 1.0)}),
    ({"refine.loss_weights": (0.5, 4.0)}, {"weights": (1.0, 1.0, 0.5, 4.0)}),
    ({"refine.positive_iou": 0.7}, {"iou_threshold": 0.7}),
    ({"refine.positives": 2}, {"num_positives": 2}),
    ({"refinement": "parallel"}, {"classifies_aligned": False}),
    (
        {"hard_negatives": 3, "cls_weights": (0.2, 0.3, 0.5)},
        {"hard_negatives": 3, "cls_weights": (0.2, 0.3, 0.5)},
    ),
]


@pytest.mark.parametrize(
    ("settings", "options"), CRACT, ids=["-".join(s) for s, _ in CRACT]
)
def test_each_setting_reaches_cracts_loss(settings, options):
    config, model, outputs, batch = cract_scene(**settings)
    loss, metrics = jax.jit(objective.make_loss(config, model))(outputs, batch)
    keys = jax.vmap(jax.random.fold_in, (0, None))(batch["key"], 1)
    assign = jax.vmap(assigners.make_assigner(config, model))
    labels = assign(keys, batch["xyxy"], batch["is_positive"])
    xyxy = jnp.where(batch["is_positive"][:, None], batch["xyxy"], 0)
    # Factors of the offsets are SPM-Tracker's (C8).
    direct = partial(
        totals.cract_loss,
        anchors=TINY_ANCHORS,
        **{"num_positives": 4, "offset_weights": (5, 5, 10, 10), **options},
    )
    expected, _ = jax.jit(direct)(outputs, xyxy, labels)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert 0 < metrics["refined_positives"] < 8
    if settings:
        assert abs(loss - default_loss()) > 1e-4


def numpy_best(cls, deltas, count, threshold, candidates):
    """Greedy suppression of the decoded anchors of one example, in float64."""
    low, high = np.split(np.asarray(TINY_ANCHORS, "f8").reshape(-1, 4), 2, 1)
    deltas = np.asarray(deltas, "f8").reshape(-1, 4)
    centre = (low + high) / 2 + deltas[:, :2] * (high - low)
    half = (high - low) * np.exp(deltas[:, 2:]) / 2
    found = np.concatenate([centre - half, centre + half], 1)
    logits = np.asarray(cls, "f8").reshape(-1, 2)
    order = np.argsort(logits[:, 0] - logits[:, 1])[:candidates].tolist()
    kept, others = [], []
    for i in order:
        x0, y0, x1, y1 = found[i]
        both = [
            max(0, min(x1, c) - max(x0, a)) * max(0, min(y1, d) - max(y0, b))
            for a, b, c, d in found[kept]
        ]
        area = (x1 - x0) * (y1 - y0)
        whole = [
            area + (c - a) * (d - b) - o
            for (a, b, c, d), o in zip(found[kept], both, strict=True)
        ]
        is_free = all(o <= threshold * w for o, w in zip(both, whole, strict=True))
        (kept if is_free else others).append(i)
    return found[(kept + others)[:count]]


@pytest.mark.parametrize(("count", "threshold"), [(12, 0.75), (12, 0.2), (3, 0.75)])
def test_proposals_are_drawn_from_the_best_anchors(count, threshold):
    # As many are drawn as there are, without jittered ones.
    config, model, outputs, batch = cract_scene(
        **{"refine.train_proposals": count, "refine.train_nms_iou": threshold},
        **{"refine.samples": count, "refine.jittered": 0},
    )
    inputs = objective.make_inputs(config, model)(batch)
    np.testing.assert_array_equal(inputs["z_xyxy"], batch["z_xyxy"])
    drawn = np.asarray(jax.jit(inputs["propose"])(outputs))
    assert drawn.shape == (8, count, 4)
    for b in range(8):
        maps = outputs["cls"][b], outputs["deltas"][b]
        expected = numpy_best(*maps, count, threshold, 8 * count)
        order = [np.lexsort(boxes.round(2).T) for boxes in (drawn[b], expected)]
        np.testing.assert_allclose(
            drawn[b][order[0]], expected[order[1]], rtol=1e-5, atol=1e-4
        )


def test_every_pair_draws_its_own_proposals():
    # Of equal pairs and maps.
    config, model, outputs, batch = cract_scene()
    outputs = jax.tree.map(lambda a: jnp.tile(a[:1], (8, *[1] * (a.ndim - 1))), outputs)
    batch |= {name: jnp.tile(batch[name][:1], (8, 1)) for name in ("xyxy", "z_xyxy")}
    batch["is_positive"] = jnp.ones(8, bool)
    propose = objective.make_inputs(config, model)(batch)["propose"]
    drawn = jax.jit(propose)(outputs)
    assert len({row.tobytes() for row in np.asarray(drawn)}) == 8
    np.testing.assert_array_equal(jax.jit(propose)(outputs), drawn)


def test_settings_and_a_key_of_its_own_reach_the_draw(monkeypatch):
    config, model, outputs, batch = cract_scene(**{"refine.positive_iou": 0.6})
    drawn_with = {}

    def sample(key, found, xyxy, is_positive, **options):
        drawn_with.update(options)
        return jax.random.key_data(key), found, xyxy, is_positive

    monkeypatch.setattr(objective.proposal_labels, "sample_proposals", sample)
    monkeypatch.setattr(
        objective, "make_assigner", lambda *_: lambda key, *_: jax.random.key_data(key)
    )
    monkeypatch.setitem(
        objective._TOTALS, "cract", lambda *_: lambda o, x, labels, **_: (labels, {})
    )
    propose = objective.make_inputs(config, model)(batch)["propose"]
    keys, found, xyxy, is_positive = propose(outputs)
    assert drawn_with == {
        "count": 8,
        "num_positives": 4,
        "iou_threshold": 0.6,
        "num_jittered": 4,
    }
    assert found.shape == (8, 12, 4)
    np.testing.assert_array_equal(xyxy, batch["xyxy"])
    np.testing.assert_array_equal(is_positive, batch["is_positive"])
    of_labels, _ = objective.make_loss(config, model)(outputs, batch)
    own = jax.random.key_data(batch["key"])
    both = np.concatenate([keys, of_labels, own])
    assert len({tuple(row) for row in both.tolist()}) == 24


def test_four_devices_draw_the_proposals_of_one():
    # With them the labels, which do not draw.
    config, model, outputs, batch = cract_scene()

    def call(outputs, batch):
        return objective.make_inputs(config, model)(batch)["propose"](outputs)

    drawn = jax.jit(call)(outputs, batch)
    parts = jax.tree.map(lambda a: a.reshape(4, 2, *a.shape[1:]), (outputs, batch))
    of_parts = jax.pmap(call, devices=jax.local_devices()[:4])(*parts)
    np.testing.assert_allclose(of_parts.reshape(8, 8, 4), drawn, rtol=1e-5, atol=1e-5)
