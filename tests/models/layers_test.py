"""Tests for jaxtrack.models.layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.models.layers import Conv, DepthwiseConv, conv_bn
from jaxtrack.models.norms import BatchNorm
from jaxtrack.ops import dense_conv as module
from jaxtrack.ops.dense_conv import dense_conv
from tests.networks import drawn


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def numpy_conv(x, kernel, stride, padding, dilation):
    """The definition in float64, one output cell at a time."""
    pads = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    x = np.pad(np.asarray(x, np.float64), pads)
    reach = dilation * (kernel.shape[0] - 1) + 1
    height, width = [(n - reach) // stride + 1 for n in x.shape[1:3]]
    y = np.zeros((x.shape[0], height, width, kernel.shape[-1]))
    for i, j in np.ndindex(height, width):
        top, left = stride * i, stride * j
        cells = x[:, top : top + reach : dilation, left : left + reach : dilation]
        y[:, i, j] = np.tensordot(cells, kernel, 3)
    return y


@pytest.mark.parametrize("sizes", [(1, 1, 0, 1), (3, 2, 0, 1), (3, 1, 2, 2)])
def test_dense_conv_matches_definition(variant, sizes):
    size, stride, padding, dilation = sizes
    x, kernel = normal(2, 7, 6, 3), normal(size, size, 3, 4, seed=1)
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    y = variant(lambda x, k: dense_conv(x, k, **options))(x, kernel)
    np.testing.assert_allclose(
        y, numpy_conv(x, kernel, stride, padding, dilation), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(
    "sizes", [(3, 2, "SAME", 1), (3, 1, 2, 2), (1, 1, 0, 1), (1, 2, 0, 1)]
)
def test_short_patches_written_out_equal_a_convolution(sizes, monkeypatch):
    """Large maps take another road on a CPU; values and gradients are the same."""
    size, stride, padding, dilation = sizes
    x, kernel = normal(2, 7, 6, 3), normal(size, size, 3, 4, seed=1)

    def run(fewest):
        monkeypatch.setattr(module, "MANY_CELLS", fewest)

        def conv(x, kernel):
            return dense_conv(
                x, kernel, stride=stride, padding=padding, dilation=dilation
            )

        @jax.jit
        def with_slopes(x, kernel):
            y, pullback = jax.vjp(conv, x, kernel)
            return y, *pullback(jnp.sin(y))

        primitives = str(jax.make_jaxpr(conv)(x, kernel))
        return "platform_index" in primitives, *with_slopes(x, kernel)

    (has_choice, *ours), (plain_has_choice, *plain) = run(1), run(10**9)
    assert has_choice and not plain_has_choice
    for a, b in zip(ours, plain, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_depthwise_dilation_by_hand():
    """A kernel 1 2 4 across, dilated by 2, on columns of 10 to 70."""
    x = jnp.tile(jnp.linspace(10, 70, 7), 7).reshape(1, 7, 7, 1)
    kernel = jnp.zeros((3, 3, 1, 1)).at[1, :, 0, 0].set(jnp.array([1.0, 2.0, 4.0]))
    y = jax.jit(DepthwiseConv(3, dilation=2).apply)({"params": {"kernel": kernel}}, x)
    assert y.shape == x.shape
    assert y[0, 3, 3, 0] == 20 + 2 * 40 + 4 * 60
    assert y[0, 3, 0, 0] == 2 * 10 + 4 * 30  # Zeros beyond the border.


@pytest.mark.parametrize(
    "module", [Conv(4, 1, use_bias=True), Conv(4, 3), DepthwiseConv(3)]
)
def test_affine_acts_on_the_output(module):
    x = normal(1, 5, 5, 4)
    variables, apply = drawn(module, x), jax.jit(module.apply)
    a, b = normal(4, seed=1), normal(4, seed=2)
    np.testing.assert_allclose(
        apply(variables, x, affine=(a, b)),
        np.asarray(apply(variables, x)) * a + b,
        rtol=1e-5,
        atol=1e-5,
    )


def test_conv_bn_in_training_uses_the_batch():
    class Both(nn.Module):
        @nn.compact
        def __call__(self, x, train=False):
            return conv_bn(Conv(3), BatchNorm(3, epsilon=0.0), x, train=train)

    x = normal(2, 4, 4, 3)
    variables = jax.jit(Both().init)(jax.random.key(0), x)
    train = jax.jit(lambda v, x: Both().apply(v, x, True, mutable=["batch_stats"]))
    y, _ = train(variables, x)
    np.testing.assert_allclose(np.mean(y, (0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(np.var(y, (0, 1, 2)), 1, rtol=1e-4)
    still = jax.jit(Both().apply)(variables, x)
    assert not np.allclose(still, y, atol=1e-2)


@pytest.mark.parametrize("module", [Conv(4, 3), DepthwiseConv(3), BatchNorm(4)])
def test_parameters_stay_float32(module):
    x = jnp.ones((1, 4, 4, 4))
    if hasattr(module, "dtype"):
        module = module.copy(dtype=jnp.bfloat16)
    else:
        x = x.astype(jnp.bfloat16)
    y, variables = module.init_with_output(jax.random.key(0), x)
    assert y.dtype == jnp.bfloat16
    assert {a.dtype for a in jax.tree.leaves(variables)} == {jnp.dtype("float32")}
