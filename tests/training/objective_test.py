"""Tests for jaxtrack.training.objective."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import common
from jaxtrack.losses import totals
from jaxtrack.ops import grid
from jaxtrack.training import objective

from .conftest import GEOMETRY, TinyTracker, make_batch


def test_settings_reach_the_loss():
    config = common.get_config()
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
    batch = make_batch(0)
    loss, _ = jax.jit(objective.make_loss(config, TinyTracker()))(outputs, batch)
    expected_loss = partial(
        totals.siamcar_loss,
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
    config = common.get_config()
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
    (loss, _), slope = slopes(objective.make_loss(config, TinyTracker()), batch)
    options = {"weights": (1.0, 2.0, 0.5), "quality": "centerness", **options}
    direct = partial(
        totals.siamla_loss,
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
    config = common.get_config()
    config.loss = "siamla"
    outputs, batch = siamla_scene("localization")
    loss = jax.jit(objective.make_loss(config, TinyTracker()))
    first, again, other = (
        loss(outputs, {**batch, "key": jax.random.split(jax.random.key(seed), 8)})[1]
        for seed in (1, 1, 2)
    )
    assert first["quality"] == again["quality"] != other["quality"]
    assert first["cls"] == other["cls"]
