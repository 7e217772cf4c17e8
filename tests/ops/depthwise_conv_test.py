"""Tests for jaxtrack.ops.depthwise_conv."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import depthwise_conv as module
from jaxtrack.ops.conv_window import Window
from jaxtrack.ops.depthwise_conv import depthwise_conv
from tests.gradients import check_gradients

WINDOWS = [
    {"stride": 1, "padding": "SAME", "dilation": 1},
    {"stride": 2, "padding": "SAME", "dilation": 1},
    {"stride": 2, "padding": 0, "dilation": 1},
    {"stride": 1, "padding": 4, "dilation": 2},
    {"stride": 3, "padding": "VALID", "dilation": 1},
]


def numpy_depthwise_conv(x, kernel, stride, pads, dilation):
    """The definition in float64, one output cell at a time."""
    x = np.pad(np.asarray(x, np.float64), ((0, 0), *pads, (0, 0)))
    kh, kw = kernel.shape[:2]
    reach = [dilation * (k - 1) + 1 for k in (kh, kw)]
    height, width = [
        (n - r) // stride + 1 for n, r in zip(x.shape[1:3], reach, strict=True)
    ]
    y = np.zeros((x.shape[0], height, width, x.shape[-1]))
    for i in range(height):
        for j in range(width):
            top, left = stride * i, stride * j
            cells = x[
                :, top : top + reach[0] : dilation, left : left + reach[1] : dilation
            ]
            y[:, i, j] = (cells * kernel[:, :, 0]).sum((1, 2))
    return y


def inputs(hw=(8, 7), k=3, channels=4, batch=2):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, *hw, channels), np.float32)
    return x, rng.standard_normal((k, k, 1, channels), np.float32)


# Padding that "SAME" means, by hand, for 3x3 kernels and 8x7 inputs. Stride 2: outputs
# 4x4 need 2 * 3 + 3 = 9 cells, so 1 row more than 8, which goes below, and 2 columns
# more than 7, one on each side.
PADS = {
    (1, "SAME"): ((1, 1), (1, 1)),
    (2, "SAME"): ((0, 1), (1, 1)),
    (2, 0): ((0, 0), (0, 0)),
    (1, 4): ((4, 4), (4, 4)),
    (3, "VALID"): ((0, 0), (0, 0)),
}


@pytest.mark.parametrize("window", WINDOWS)
def test_matches_definition(variant, window):
    x, kernel = inputs()
    y = variant(lambda x, kernel: depthwise_conv(x, kernel, **window))(x, kernel)
    pads = PADS[window["stride"], window["padding"]]
    expected = numpy_depthwise_conv(
        x, kernel, window["stride"], pads, window["dilation"]
    )
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("window", WINDOWS)
def test_forms_agree_forward_and_backward(window, monkeypatch):
    """What runs on a CPU equals the grouped convolution, also with uneven blocks."""
    monkeypatch.setattr(module, "UNROLLED", 27)  # Three rows a block.
    x, kernel = inputs(hw=(11, 9))
    same = window["padding"] == "SAME"
    explicit = module.lax.padtype_to_pads(
        (11, 9), (3, 3), (window["stride"],) * 2, "SAME"
    )
    pads = explicit if same else [(0, 0)] * 2
    if isinstance(window["padding"], int):
        pads = [(window["padding"],) * 2] * 2
    spec = Window(window["stride"], window["dilation"], tuple(pads))

    y, pullback = jax.vjp(lambda x, k: depthwise_conv(x, k, **window), x, kernel)
    y_grouped, pullback_grouped = jax.vjp(
        lambda x, k: module._grouped(spec, x, k), x, kernel
    )
    g = np.random.default_rng(1).standard_normal(y.shape, np.float32)
    np.testing.assert_allclose(y, y_grouped, rtol=1e-5, atol=1e-5)
    for ours, theirs in zip(pullback(g), pullback_grouped(g), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_channels_in_parts(monkeypatch):
    """Wide kernels are applied 16 channels at a time, the last time to the rest."""
    x, kernel = inputs(channels=40)
    expected = jax.jit(depthwise_conv)(x, kernel)
    monkeypatch.setattr(module, "MOST_ENTRIES", 0)
    monkeypatch.setattr(module, "PART", 16)
    in_parts = jax.jit(lambda x, kernel: depthwise_conv(x, kernel))
    assert str(jax.make_jaxpr(in_parts)(x, kernel)).count("concatenate") == 1
    np.testing.assert_array_equal(in_parts(x, kernel), expected)


def test_hand_computed():
    x = jnp.arange(9.0).reshape(1, 3, 3, 1)
    kernel = jnp.array([[1.0, 2.0], [3.0, 4.0]]).reshape(2, 2, 1, 1)
    # Top-left cell: 1*0 + 2*1 + 3*3 + 4*4 = 27.
    y = depthwise_conv(x, kernel, padding="VALID")
    np.testing.assert_array_equal(y[0, :, :, 0], [[27, 37], [57, 67]])


def test_gradients():
    x, kernel = inputs(hw=(5, 4), channels=2, batch=1)

    def conv(x, kernel):
        return depthwise_conv(x, kernel, stride=2)

    check_gradients(conv, (x, kernel), rtol=1e-2)


def test_bfloat16_sums_in_float32():
    x = jnp.full((1, 3, 3, 1), 1.0, jnp.bfloat16)
    kernel = jnp.full((3, 3, 1, 1), 2.0**-8, jnp.bfloat16).at[0, 0].set(1.0)
    y = depthwise_conv(x, kernel, padding="VALID")
    # One and eight halves of bfloat16's last bit, each of which would be rounded away.
    assert y.dtype == jnp.bfloat16
    assert float(y[0, 0, 0, 0]) == 1 + 8 * 2.0**-8


@pytest.mark.parametrize("shape", [(3, 3, 4), (3, 3, 2, 4), (3, 3, 1, 5)])
def test_bad_kernel(shape):
    with pytest.raises(ValueError, match="is not"):
        jax.eval_shape(depthwise_conv, jnp.zeros((1, 8, 8, 4)), jnp.zeros(shape))
