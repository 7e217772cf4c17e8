"""Tests for jaxtrack.training.objective."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

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
