"""Tests for benchmarks.twin_train."""

import jax
import numpy as np
import pytest

from jaxtrack import trackers
from jaxtrack.configs import siamcar_lite0, siamcar_r50
from jaxtrack.ops import grid

pytest.importorskip("torch", reason="torch is an extra", exc_type=ImportError)


@pytest.mark.parametrize("module", [siamcar_lite0, siamcar_r50])
def test_the_losses_are_the_same(module):
    import torch

    from benchmarks import twin_train

    config = module.get_config()
    model = trackers.network_of(config)
    side = model.geometry.response_size
    rng = np.random.default_rng(0)
    shapes = {"cls": 2, "ltrb": 4, "centerness": 1}
    outputs = {
        name: rng.standard_normal((3, side, side, channels), np.float32)
        for name, channels in shapes.items()
    }
    outputs["ltrb"] = 30 * np.exp(outputs["ltrb"] / 4)
    batch = {
        "xyxy": np.float32([[90, 100, 150, 170], [40, 60, 180, 130], [1, 2, 250, 251]]),
        "is_positive": np.array([True, True, False]),
    }
    keys = jax.random.split(jax.random.key(0), 3)
    ours, _ = jax.jit(trackers.family_of(config).loss(config, model))(
        outputs, {**batch, "key": keys}
    )
    theirs = twin_train.siamcar_loss(
        {n: torch.tensor(v.transpose(0, 3, 1, 2)) for n, v in outputs.items()},
        *(torch.tensor(v) for v in batch.values()),
        points=torch.tensor(np.asarray(grid.points(model.geometry))),
        config=config,
    )
    np.testing.assert_allclose(float(ours), float(theirs), rtol=1e-4)
