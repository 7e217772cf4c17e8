"""Tests for jaxtrack.models.remat."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models import remat
from jaxtrack.models.backbones.efficientnet import MBConv
from jaxtrack.models.backbones.googlenet import MIXED, Inception
from jaxtrack.models.backbones.mobilenet import BLOCKS, InvertedResidual
from jaxtrack.models.backbones.resnet import Stage
from jaxtrack.models.norms import Statistics, statistics_of

X = np.random.default_rng(0).standard_normal((4, 5, 5, 8), np.float32)


def slopes(module, variables, x, *, is_on, train=True):
    """Gradients of the parameters, and moved statistics, of groups of two examples."""

    def loss(params):
        with statistics_of(Statistics(split=2)), remat.recompute(is_on):
            y, moved = module.apply(
                {**variables, "params": params}, x, train=train, mutable=["batch_stats"]
            )
        return jnp.sum(y**2), moved

    return jax.grad(loss, has_aux=True)(variables["params"])


def test_slopes_and_statistics_are_the_same():
    stage = Stage(False, 2, 8, 1, 1, 0)  # Two basic blocks of 8 channels.
    variables = stage.init(jax.random.key(0), X)
    one, other = (
        jax.jit(lambda v, is_on=is_on: slopes(stage, v, X, is_on=is_on))(variables)
        for is_on in (False, True)
    )
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6), one, other
    )


@pytest.mark.parametrize(
    ("module", "count"),
    [
        (Stage(True, 3, 2, 1, 1, 0), 3),
        (MBConv(8, 3, 1, 2, squeeze=0.25), 1),
        (InvertedResidual(BLOCKS[1]), 1),
        (Inception(*MIXED[0][1:]), 1),
    ],
)
def test_each_block_of_a_backbone_is_recomputed_where_it_is_trained(module, count):
    variables = jax.eval_shape(module.init, jax.random.key(0), X)

    def recomputed(**options):
        traced = jax.make_jaxpr(lambda v: slopes(module, v, jnp.asarray(X), **options))(
            variables
        )
        return sum(eqn.primitive.name.startswith("remat") for eqn in traced.eqns)

    assert recomputed(is_on=True) == count
    assert recomputed(is_on=True, train=False) == recomputed(is_on=False) == 0
