"""Settings reach the losses, the labels and the draws of the families."""

import functools
import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack import trackers
from jaxtrack.assign import label_batch, make_assigner
from jaxtrack.config import flat, get_config
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid
from jaxtrack.trackers import (
    cract,
    nanotrack,
    siamban,
    siamcar,
    siamfcpp,
    siamla,
    siamrpnpp,
)

GEOMETRY = grid.Geometry(16, 32, 4, 8, 4.0)
SIZES = ((8.0, 4.0), (4.0, 8.0))
FREE = types.SimpleNamespace(geometry=GEOMETRY, anchors=())
ANCHORED = types.SimpleNamespace(geometry=GEOMETRY, anchors=SIZES)


def refining(order="cascade"):
    refiner = types.SimpleNamespace(refinement=order)
    return types.SimpleNamespace(geometry=GEOMETRY, anchors=SIZES, refiner=refiner)


BALANCE = ({"hard_negatives": 3}, {"hard_negatives": 3})
WEIGHTS = ({"cls_weights": (0.2, 0.3, 0.5)}, {"cls_weights": (0.2, 0.3, 0.5)})
REDUCTION = ({"cls_reduction": "cells"}, {"reduction": "cells"})
THREE = ({"loss.weights": (2.0, 1.0, 9.0)}, {"weights": (2.0, 1.0, 9.0)})
POINTS = (({"regression": "giou"},) * 2, ({"quality": "iou"},) * 2, THREE)
# Family -> its network, what its loss gets by default, and what settings change.
LOSSES = {
    "siamcar": (
        FREE,
        {
            "regression": "iou",
            "centerness_weighted": True,
            "quality": "centerness",
            "hard_negatives": 0,
            "reduction": "balanced",
            "cls_weights": (0.5, 0.5, 0.0),
            "weights": (1.0, 3.0, 1.0),
        },
        (*POINTS, BALANCE, WEIGHTS, REDUCTION, ({"centerness_weighted": False},) * 2),
    ),
    "siamfcpp": (
        FREE,
        {
            "regression": "iou",
            "quality": "centerness",
            "alpha": 0.75,
            "gamma": 2.0,
            "weights": (1.0, 3.0, 1.0),
        },
        (
            *POINTS,
            ({"focal_alpha": 0.4}, {"alpha": 0.4}),
            ({"focal_gamma": 1.0}, {"gamma": 1.0}),
        ),
    ),
    "siamla": (
        FREE,
        {
            "regression": "iou",
            "quality": "centerness",
            "rule": siamla.LabelRule(),
            "weight_gradient": True,
            "reduction": "balanced",
            "hard_negatives": 0,
            "cls_weights": (0.5, 0.5, 0.0),
            "boundary_regression": True,
            "negative_target": "zero",
            "weights": (1.0, 3.0, 1.0),
        },
        (
            *POINTS,
            BALANCE,
            WEIGHTS,
            ({"negative_weight_gradient": False}, {"weight_gradient": False}),
            REDUCTION,
            ({"boundary_regression": False},) * 2,
            ({"negative_target": "iou"},) * 2,
            ({"labels.kind": "region"}, {"rule": siamla.LabelRule(kind="region")}),
            ({"smoothing": 0.5}, {"rule": siamla.LabelRule(smoothing=0.5)}),
            ({"alpha": 0.3}, {"rule": siamla.LabelRule(alpha=0.3)}),
            ({"beta": 4.0}, {"rule": siamla.LabelRule(beta=4.0)}),
            ({"curve": "linear"}, {"rule": siamla.LabelRule(curve="linear")}),
            ({"normalize": False}, {"rule": siamla.LabelRule(normalize=False)}),
        ),
    ),
    "siamrpnpp": (
        ANCHORED,
        {
            "distance": "l1",
            "hard_negatives": 0,
            "reduction": "balanced",
            "cls_weights": (0.5, 0.5, 0.0),
            "weights": (1.0, 3.0),
        },
        (
            BALANCE,
            WEIGHTS,
            REDUCTION,
            ({"loss.weights": (2.0, 1.0, 9.0)}, {"weights": (2.0, 1.0)}),
            ({"regression": "smooth_l1"}, {"distance": "smooth_l1"}),
        ),
    ),
    "siamban": (
        FREE,
        {
            "regression": "iou",
            "hard_negatives": 0,
            "reduction": "balanced",
            "cls_weights": (0.5, 0.5, 0.0),
            "weights": (1.0, 3.0),
        },
        (
            BALANCE,
            WEIGHTS,
            REDUCTION,
            ({"regression": "linear_iou"},) * 2,
            ({"loss.weights": (2.0, 1.0, 9.0)}, {"weights": (2.0, 1.0)}),
        ),
    ),
    "cract": (
        refining(),
        {
            "distance": "l1",
            "hard_negatives": 0,
            "reduction": "balanced",
            "cls_weights": (0.5, 0.5, 0.0),
            "weights": (1.0, 3.0, 1.0, 1.0),
            # SPM-Tracker's (C8).
            "offset_weights": (5.0, 5.0, 10.0, 10.0),
            "iou_threshold": 0.5,
            "num_positives": 16,
            "classifies_aligned": True,
        },
        (
            BALANCE,
            WEIGHTS,
            REDUCTION,
            ({"regression": "smooth_l1"}, {"distance": "smooth_l1"}),
            ({"loss.weights": (2.0, 5.0, 9.0)}, {"weights": (2.0, 5.0, 1.0, 1.0)}),
            ({"refine.loss_weights": (0.5, 4.0)}, {"weights": (1.0, 3.0, 0.5, 4.0)}),
            ({"refine.positive_iou": 0.7}, {"iou_threshold": 0.7}),
            ({"refine.positives": 2}, {"num_positives": 2}),
        ),
    ),
}
MODULES = {
    "siamcar": siamcar,
    "siamfcpp": siamfcpp,
    "siamla": siamla,
    "siamrpnpp": siamrpnpp,
    "cract": cract,
    "siamban": siamban,
}


def settings(**changes):
    """Returns settings; a name without its group must be of one field alone."""
    config, names = get_config(), {}
    for name in flat(config):
        names.setdefault(name.rpartition(".")[2], []).append(name)
    for name, value in {"virtual_anchor": 12.0, **changes}.items():
        (name,) = names.get(name, [name])
        config.update_from_flattened_dict({name: value})
    return config


def batch():
    """Eight pairs, two of them without the target, whose keys differ."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(2, 10, (8, 2))
    xyxy = np.concatenate([corner, corner + rng.uniform(10, 20, (8, 2))], 1)
    return {
        "xyxy": jnp.asarray(xyxy, jnp.float32),
        "is_positive": jnp.arange(8) % 4 != 1,
        "key": jax.random.split(jax.random.key(1), 8),
    }


def given(monkeypatch, name, network=None, **changes):
    """What a family's loss is called with, of a batch: positions and options."""
    calls = []
    monkeypatch.setattr(
        MODULES[name],
        f"{name}_loss",
        lambda *args, **options: calls.append((args, options)),
    )
    loss = MODULES[name].FAMILY.loss(settings(**changes), network or LOSSES[name][0])
    loss("outputs", batch(), axis_name="devices")
    return calls[0]


@pytest.mark.parametrize("name", LOSSES)
def test_each_setting_reaches_the_loss(monkeypatch, name):
    network, defaults, changes = LOSSES[name]
    points = grid.points(GEOMETRY)
    places = {"points": points}
    if network.anchors:
        places = {"anchors": anchor_boxes.tile(points, SIZES)}
    for setting, options in (({}, {}), *changes):
        _, found = given(monkeypatch, name, **setting)
        (key,) = places
        np.testing.assert_array_equal(found.pop(key), places[key])
        assert found == {**defaults, **options, "axis_name": "devices"}, setting


def test_the_order_of_refinement_reaches_cracts_loss(monkeypatch):
    _, found = given(monkeypatch, "cract", refining("parallel"))
    assert not found["classifies_aligned"]


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_gets_targets_and_the_assigners_labels(monkeypatch, name):
    network = LOSSES[name][0]
    config = settings(assigner="dla")
    (outputs, xyxy, labels, *rest), _ = given(monkeypatch, name, assigner="dla")
    of_batch = batch()
    assign = jax.vmap(make_assigner(config, network.geometry, anchors=network.anchors))
    # Draws of the labels are from another key than the loss's own.
    keys = jax.vmap(jax.random.fold_in, (0, None))(of_batch["key"], 1)
    expected = assign(keys, of_batch["xyxy"], of_batch["is_positive"])
    assert outputs == "outputs"
    np.testing.assert_array_equal(labels, expected)
    assert (labels == 1).any()
    empty = np.where(of_batch["is_positive"][:, None], of_batch["xyxy"], 0)
    np.testing.assert_array_equal(xyxy, empty)
    if name == "siamla":  # It draws by the pairs' own keys.
        (drawn,) = rest
        own = jax.random.key_data(of_batch["key"])
        np.testing.assert_array_equal(jax.random.key_data(drawn), own)
    else:
        assert not rest


def test_labels_may_be_given(monkeypatch):
    calls = []
    monkeypatch.setattr(siamcar, "siamcar_loss", lambda *args, **_: calls.append(args))
    assign = lambda key, xyxy, is_positive: jnp.full((4, 4), 7)  # noqa: E731
    siamcar.FAMILY.loss(settings(), FREE, assign=assign)(None, batch())
    assert (calls[0][2] == 7).all()


def test_four_devices_draw_the_labels_of_one():
    draws = {"negative_pairs": "window", "sampled_negatives": 5}

    def labels(of_batch):
        return {
            (name, bool(network.anchors)): label_batch(
                make_assigner(
                    settings(assigner=name, **draws), GEOMETRY, anchors=network.anchors
                ),
                of_batch,
            )
            # Two that do not draw themselves, and the one that does.
            for name, networks in (
                ("rectangle", [FREE]),
                ("iou", [ANCHORED]),
                ("dla", [FREE, ANCHORED]),
            )
            for network in networks
        }

    whole = jax.jit(labels)(batch())
    parts = jax.tree.map(lambda a: a.reshape(4, 2, *a.shape[1:]), batch())
    parts = jax.pmap(labels, devices=jax.local_devices()[:4])(parts)
    for name, (xyxy, expected) in whole.items():
        np.testing.assert_array_equal(parts[name][0].reshape(xyxy.shape), xyxy)
        np.testing.assert_array_equal(parts[name][1].reshape(expected.shape), expected)


# CRACT's proposals.


def maps():
    rng = np.random.default_rng(0)
    outputs = {
        "cls": rng.standard_normal((8, 4, 4, 2, 2)),
        "deltas": 0.3 * rng.standard_normal((8, 4, 4, 2, 4)),
    }
    return {name: jnp.asarray(v, jnp.float32) for name, v in outputs.items()}


def sampler(**changes):
    """Returns what draws proposals, by few of them."""
    few = {"train_proposals": 12, "jittered": 4, "samples": 8, "positives": 4}
    few = {f"refine.{name}": value for name, value in few.items()}
    return cract.make_sample(settings(**{**few, **changes}), ANCHORED)


def numpy_best(cls, deltas, count, threshold, candidates):
    """Greedy suppression of the decoded anchors of one example, in float64."""
    anchors = anchor_boxes.tile(grid.points(GEOMETRY), SIZES)
    low, high = np.split(np.asarray(anchors, "f8").reshape(-1, 4), 2, 1)
    deltas = np.asarray(deltas, "f8").reshape(-1, 4)
    center = (low + high) / 2 + deltas[:, :2] * (high - low)
    half = (high - low) * np.exp(deltas[:, 2:]) / 2
    found = np.concatenate([center - half, center + half], 1)
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


@pytest.mark.parametrize(("count", "threshold"), [(12, 0.2), (3, 0.75)])
def test_proposals_are_drawn_from_the_best_anchors(count, threshold):
    # As many are drawn as there are, without jittered ones.
    sample = sampler(
        **{"refine.train_proposals": count, "refine.train_nms_iou": threshold},
        **{"refine.samples": count, "refine.jittered": 0},
    )
    outputs = maps()
    drawn = np.asarray(jax.jit(sample)(outputs, batch()))
    assert drawn.shape == (8, count, 4)
    for b in range(8):
        of_one = outputs["cls"][b], outputs["deltas"][b]
        expected = numpy_best(*of_one, count, threshold, 8 * count)
        order = [np.lexsort(boxes.round(2).T) for boxes in (drawn[b], expected)]
        np.testing.assert_allclose(
            drawn[b][order[0]], expected[order[1]], rtol=1e-5, atol=1e-4
        )


def test_every_pair_draws_its_own_proposals_on_any_count_of_devices():
    sample = sampler()
    tiled = jax.tree.map(lambda a: jnp.tile(a[:1], (8, *[1] * (a.ndim - 1))), maps())
    pairs = batch() | {"xyxy": jnp.tile(batch()["xyxy"][:1], (8, 1))}
    pairs["is_positive"] = jnp.ones(8, bool)
    drawn = jax.jit(sample)(tiled, pairs)
    # Of equal pairs and maps.
    assert len({row.tobytes() for row in np.asarray(drawn)}) == 8
    parts = jax.tree.map(lambda a: a.reshape(4, 2, *a.shape[1:]), (tiled, pairs))
    of_parts = jax.pmap(sample, devices=jax.local_devices()[:4])(*parts)
    np.testing.assert_allclose(of_parts.reshape(8, 8, 4), drawn, rtol=1e-5, atol=1e-5)


def test_settings_and_a_key_of_its_own_reach_the_draw(monkeypatch):
    drawn_with = {}

    def draw(key, found, xyxy, is_positive, **options):
        drawn_with.update(options)
        return jax.random.key_data(key), found, xyxy, is_positive

    monkeypatch.setattr(cract, "sample_proposals", draw)
    of_batch = batch()
    found = sampler(**{"refine.positive_iou": 0.6})(maps(), of_batch)
    keys, proposals, xyxy, is_positive = found
    assert drawn_with == {
        "count": 8,
        "num_positives": 4,
        "iou_threshold": 0.6,
        "num_jittered": 4,
    }
    assert proposals.shape == (8, 12, 4)
    np.testing.assert_array_equal(xyxy, of_batch["xyxy"])
    np.testing.assert_array_equal(is_positive, of_batch["is_positive"])
    label = functools.partial(jax.tree.map, jax.random.key_data)
    of_labels = label_batch(lambda key, *_: label(key), of_batch)[1]
    both = np.concatenate([keys, of_labels, label(of_batch["key"])])
    assert len({tuple(row) for row in both.tolist()}) == 24


def test_every_family_has_its_loss_here():
    assert set(trackers.FAMILIES) == {*MODULES, "nanotrack"}
    assert nanotrack.FAMILY.loss is siamban.FAMILY.loss
