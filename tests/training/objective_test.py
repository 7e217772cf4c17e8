"""Tests for jaxtrack.training.objective."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.losses import totals
from jaxtrack.ops import anchors as anchor_boxes
from jaxtrack.ops import grid
from jaxtrack.training import assigners, objective
from tests import labelled

from .conftest import GEOMETRY, TinyTracker, make_batch
from .tiny_cract import set_cract, tiny_cract


def test_settings_reach_the_loss():
    config = get_config()
    config.positive_size, config.regression, config.quality = 0.8, "giou", "iou"
    config.cls_weights, config.hard_negatives = (0.5, 0.3, 0.2), 3
    config.centerness_weighted, config.ignore_inside = False, True
    config.positive_min_half = 3.0
    keys = jax.random.split(jax.random.key(0), 3)
    outputs = {
        "cls": jax.random.normal(keys[0], (8, 4, 4, 2)),
        "ltrb": jnp.exp(jax.random.normal(keys[1], (8, 4, 4, 4))),
        "centerness": jax.random.normal(keys[2], (8, 4, 4, 1)),
    }
    batch = {**make_batch(0), "key": jax.random.split(jax.random.key(1), 8)}
    loss, _ = jax.jit(objective.make_loss(config, TinyTracker()))(outputs, batch)
    expected_loss = partial(
        labelled.siamcar_loss,
        points=grid.points(GEOMETRY),
        positive_size=0.8,
        min_half=3.0,
        ignore_inside=True,
        regression="giou",
        centerness_weighted=False,
        quality="iou",
        hard_negatives=3,
        cls_weights=(0.5, 0.3, 0.2),
        weights=(1.0, 3.0, 1.0),
    )
    expected, _ = jax.jit(expected_loss)(outputs, batch["xyxy"], batch["is_positive"])
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


# Settings of SiamLA; and what they are to the loss, and to its label rule.
SIAMLA = [
    ({"labels": "region"}, {}, {"kind": "region"}),
    ({"label_smoothing": 0.5}, {}, {"smoothing": 0.5}),
    ({"label_alpha": 0.3}, {}, {"alpha": 0.3}),
    ({"label_beta": 4.0}, {}, {"beta": 4.0}),
    ({"label_curve": "linear"}, {}, {"curve": "linear"}),
    ({"label_normalize": False}, {}, {"normalize": False}),
    ({"positive_size": 0.8}, {}, {"positive_size": 0.8}),
    ({"positive_min_half": 7.0}, {}, {"min_half": 7.0}),
    (
        {"ignore_inside": True, "label_smoothing": 0.0},
        {},
        {"ignore_inside": True, "smoothing": 0.0},
    ),
    ({"negative_weight_gradient": False}, {"weight_gradient": False}, {}),
    ({"cls_reduction": "cells"}, {"reduction": "cells"}, {}),
    ({"cls_weights": (0.2, 0.8, 0.0)}, {"cls_weights": (0.2, 0.8, 0.0)}, {}),
    (
        {"hard_negatives": 3, "cls_weights": (0.5, 0.3, 0.2)},
        {"hard_negatives": 3, "cls_weights": (0.5, 0.3, 0.2)},
        {},
    ),
    ({"boundary_regression": False}, {"boundary_regression": False}, {}),
    ({"regression": "giou"}, {"regression": "giou"}, {}),
    ({"negative_target": "iou"}, {"negative_target": "iou"}, {}),
    ({"loss_weights": (1.0, 0.5, 2.0)}, {"weights": (1.0, 0.5, 2.0)}, {}),
    # Of a network without the localization branch.
    ({"quality": "iou"}, {"quality": "iou"}, {}),
]


def siamla_scene(output):
    """Returns outputs and a batch with keys."""
    rng = np.random.default_rng(0)
    outputs = {
        "cls": rng.standard_normal((8, 4, 4, 1), np.float32),
        "ltrb": 8 * np.exp(0.5 * rng.standard_normal((8, 4, 4, 4), np.float32)),
        output: rng.standard_normal((8, 4, 4, 1), np.float32),
    }
    batch = {**make_batch(0), "key": jax.random.split(jax.random.key(1), 8)}
    return jax.tree.map(jnp.asarray, (outputs, batch))


@pytest.mark.parametrize(
    ("settings", "options", "rule"), SIAMLA, ids=["-".join(s) for s, _, _ in SIAMLA]
)
def test_each_setting_reaches_siamlas_loss(settings, options, rule):
    config = get_config()
    config.loss, config.loss_weights = "siamla", (1.0, 2.0, 0.5)
    output = "centerness" if "quality" in settings else "localization"
    outputs, batch = siamla_scene(output)

    def slopes(loss, *args):
        """The loss and its slope: one setting changes the slope alone."""
        return jax.value_and_grad(loss, has_aux=True)(outputs, *args)

    (before, _), slope_before = slopes(
        objective.make_loss(config, TinyTracker()), batch
    )
    config.update(settings)
    rule = dict(rule)
    (loss, _), slope = slopes(objective.make_loss(config, TinyTracker()), batch)
    options = {"weights": (1.0, 2.0, 0.5), "quality": "centerness", **options}
    made_with = {"positive_size", "min_half", "ignore_inside"} & rule.keys()
    options |= {name: rule.pop(name) for name in made_with}
    direct = partial(
        labelled.siamla_loss,
        points=grid.points(GEOMETRY),
        rule=totals.LabelRule(**rule),
        **options,
    )
    (expected, _), slope_expected = slopes(
        direct, *(batch[name] for name in ("xyxy", "is_positive", "key"))
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    np.testing.assert_allclose(slope["cls"], slope_expected["cls"], rtol=1e-6)
    if "negative_weight_gradient" in settings:
        np.testing.assert_allclose(loss, before, rtol=1e-6)
        assert np.abs(slope["cls"] - slope_before["cls"]).max() > 1e-4
    else:
        assert abs(loss - before) > 1e-4


def test_the_losss_draws_follow_the_batchs_keys():
    config = get_config()
    config.loss = "siamla"
    outputs, batch = siamla_scene("localization")
    loss = jax.jit(objective.make_loss(config, TinyTracker()))
    first, again, other = (
        loss(outputs, {**batch, "key": jax.random.split(jax.random.key(seed), 8)})[1]
        for seed in (1, 1, 2)
    )
    assert first["quality"] == again["quality"] != other["quality"]
    assert first["cls"] == other["cls"]


SIZES = ((8.0, 4.0), (4.0, 8.0))
LOSSES = ("siamcar", "siamla", "siamrpnpp", "siamfcpp")


def scene(loss, **changes):
    """Returns settings, a network, random outputs and a batch for a loss."""
    config = get_config()
    config.update({"loss": loss, "virtual_anchor": 12.0, "iou_high": 0.3, **changes})
    channels = {"cls": 1, "ltrb": 4, "centerness": 1}
    channels = {
        "siamcar": {**channels, "cls": 2},
        "siamla": {"cls": 1, "ltrb": 4, "localization": 1},
        "siamrpnpp": {"cls": 2, "deltas": 4},
        "siamfcpp": channels,
    }[loss]
    model = TinyTracker(anchors=SIZES if loss == "siamrpnpp" else ())
    leading = (8, 4, 4, 2) if model.anchors else (8, 4, 4)
    rng = np.random.default_rng(0)
    outputs = {
        name: rng.standard_normal((*leading, size), np.float32)
        for name, size in channels.items()
    }
    if "ltrb" in outputs:
        outputs["ltrb"] = 8 * np.exp(0.5 * outputs["ltrb"])
    batch = {**make_batch(0), "key": jax.random.split(jax.random.key(1), 8)}
    assert 0 < batch["is_positive"].sum() < 8
    return config, model, *jax.tree.map(jnp.asarray, (outputs, batch))


DIRECT = [
    ("siamcar", {}, {}),
    ("siamcar", {"centerness_weighted": False}, {"centerness_weighted": False}),
    ("siamfcpp", {}, {}),
    ("siamfcpp", {"focal_alpha": 0.4}, {"alpha": 0.4}),
    ("siamfcpp", {"focal_gamma": 1.0}, {"gamma": 1.0}),
    ("siamfcpp", {"regression": "giou"}, {"regression": "giou"}),
    ("siamfcpp", {"quality": "iou"}, {"quality": "iou"}),
    ("siamfcpp", {"loss_weights": (2.0, 1.0, 3.0)}, {"weights": (2.0, 1.0, 3.0)}),
    ("siamrpnpp", {}, {"weights": (1.0, 3.0)}),
    ("siamrpnpp", {"loss_weights": (2.0, 1.0, 9.0)}, {"weights": (2.0, 1.0)}),
    (
        "siamrpnpp",
        {"hard_negatives": 3, "cls_weights": (0.2, 0.3, 0.5)},
        {"hard_negatives": 3, "cls_weights": (0.2, 0.3, 0.5), "weights": (1.0, 3.0)},
    ),
]


@pytest.mark.parametrize(("name", "settings", "options"), DIRECT)
def test_losses_get_their_settings_and_the_assigners_labels(name, settings, options):
    config, model, outputs, batch = scene(name, assigner="dla", **settings)
    loss, metrics = jax.jit(objective.make_loss(config, model))(outputs, batch)
    # Draws of the labels are from another key than the loss's own.
    keys = jax.vmap(jax.random.fold_in, (0, None))(batch["key"], 1)
    assign = jax.vmap(assigners.make_assigner(config, model))
    labels = assign(keys, batch["xyxy"], batch["is_positive"])
    points = grid.points(GEOMETRY)
    places = {"points": points}
    if model.anchors:
        places = {"anchors": anchor_boxes.tile(points, SIZES)}
    xyxy = jnp.where(batch["is_positive"][:, None], batch["xyxy"], 0)
    direct = partial(getattr(totals, f"{name}_loss"), **places, **options)
    expected, _ = jax.jit(direct)(outputs, xyxy, labels)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert metrics["positives"] == (labels == 1).sum() / 8 > 0
    if settings:
        before, _ = objective.make_loss(*scene(name, assigner="dla")[:2])(
            outputs, batch
        )
        assert abs(loss - before) > 1e-4


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_and_anchors_must_fit(loss):
    config, model, *_ = scene(loss)
    objective.make_loss(config, model)
    wrong = TinyTracker(anchors=() if model.anchors else SIZES)
    has = "has no anchors" if model.anchors else "has anchors"
    with pytest.raises(InputError, match=f"'{loss}', but siamcar_r50 {has}"):
        objective.make_loss(config, wrong)


@pytest.mark.parametrize(
    ("loss", "assigner"),
    [
        *((loss, "dla") for loss in LOSSES),
        *(("siamcar", name) for name in ("rectangle", "circle", "ellipse")),
        ("siamrpnpp", "iou"),
    ],
)
def test_four_devices_draw_the_labels_of_one(loss, assigner):
    config, model, outputs, batch = scene(
        loss, assigner=assigner, negative_pairs="window", sampled_negatives=5
    )
    call = objective.make_loss(config, model)
    _, metrics = jax.jit(call)(outputs, batch)
    parts = jax.tree.map(lambda a: a.reshape(4, 2, *a.shape[1:]), (outputs, batch))
    shares = jax.pmap(
        lambda *args: call(*args, axis_name="batch")[1],
        "batch",
        devices=jax.local_devices()[:4],
    )(*parts)
    assert np.isfinite(metrics["loss"])
    for name, value in metrics.items():
        np.testing.assert_allclose(shares[name].sum(), value, rtol=1e-5, err_msg=name)


def test_the_losss_own_draws_are_independent_of_the_labels(monkeypatch):
    # None of the keys that reach the assigner reach the loss.
    config, model, outputs, batch = scene("siamla")

    def total(outputs, xyxy, labels, keys, *, axis_name):
        del outputs, xyxy, axis_name
        return labels, keys

    monkeypatch.setattr(
        objective, "make_assigner", lambda *_: lambda key, *_: jax.random.key_data(key)
    )
    monkeypatch.setitem(objective._TOTALS, "siamla", lambda *_: total)
    labels, keys = objective.make_loss(config, model)(outputs, batch)
    both = np.concatenate([labels, jax.random.key_data(keys)])
    assert len({tuple(row) for row in both.tolist()}) == 16


@pytest.mark.parametrize("loss", LOSSES)
def test_a_network_that_refines_needs_cracts_loss(loss):
    config, model = set_cract(get_config()), tiny_cract()
    objective.make_loss(config, model)
    config.loss = loss
    with pytest.raises(InputError, match=f"'{loss}', but cract_tiny refines proposals"):
        objective.make_loss(config, model)
    config, model, *_ = scene(loss)
    config.loss = "cract"
    with pytest.raises(InputError, match="'cract', but siamcar_r50 has"):
        objective.make_loss(config, model)


@pytest.mark.parametrize("loss", LOSSES)
def test_other_networks_want_no_more_than_images(loss):
    config, model, _, batch = scene(loss)
    assert objective.make_inputs(config, model)(batch) == {}
