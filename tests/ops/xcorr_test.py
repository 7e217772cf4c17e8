"""Tests for jaxtrack.ops.xcorr."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxtrack.ops import xcorr
from tests.gradients import check_gradients

SHAPES = [((3, 3), (7, 7)), ((1, 5), (4, 9)), ((4, 4), (4, 4))]


def numpy_depthwise_xcorr(z, x):
    """The definition in float64, one response cell at a time."""
    _, hz, wz, _ = z.shape
    hr, wr = x.shape[1] - hz + 1, x.shape[2] - wz + 1
    cells = [
        np.sum(z * x[:, i : i + hz, j : j + wz], axis=(1, 2), dtype=np.float64)
        for i in range(hr)
        for j in range(wr)
    ]
    return np.stack(cells, axis=1).reshape(z.shape[0], hr, wr, -1)


def numpy_cosines(z, x):
    """The definition in float64, one pair of cells at a time."""
    (batch, hz, wz, _), (_, hx, wx, _) = z.shape, x.shape
    cosines = np.empty((batch, hx, wx, hz * wz))
    for b, i, j, u, v in np.ndindex(batch, hx, wx, hz, wz):
        p, q = z[b, u, v].astype("f8"), x[b, i, j].astype("f8")
        cosines[b, i, j, u * wz + v] = p @ q / np.sqrt((p @ p + 1e-6) * (q @ q + 1e-6))
    return cosines


def grouped_convolution(z, x):
    """Depthwise correlation as XLA's grouped convolution, an example at a time."""

    def correlate(z, x):
        return lax.conv_general_dilated(
            x[None],
            z[:, :, None, :],
            window_strides=(1, 1),
            padding="VALID",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=x.shape[-1],
        )

    return jax.vmap(correlate)(z, x)[:, 0]


def random_features(hw_z, hw_x, batch=2, channels=3):
    rng = np.random.default_rng(0)
    z = rng.standard_normal((batch, *hw_z, channels), np.float32)
    x = rng.standard_normal((batch, *hw_x, channels), np.float32)
    return z, x


@pytest.mark.parametrize(("hw_z", "hw_x"), SHAPES)
def test_depthwise_matches_definition(variant, hw_z, hw_x):
    z, x = random_features(hw_z, hw_x)
    r = variant(xcorr.depthwise_xcorr)(z, x)
    np.testing.assert_allclose(r, numpy_depthwise_xcorr(z, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("hw_z", "hw_x"), SHAPES)
def test_full_matches_definition(variant, hw_z, hw_x):
    z, x = random_features(hw_z, hw_x)
    r = variant(xcorr.full_xcorr)(z, x)
    expected = numpy_depthwise_xcorr(z, x).sum(-1, keepdims=True)
    np.testing.assert_allclose(r, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("hw_z", "hw_x"), [*SHAPES, ((5, 2), (3, 3))])
def test_pixelwise_matches_definition(variant, hw_z, hw_x):
    z, x = random_features(hw_z, hw_x)
    r = variant(xcorr.pixelwise_xcorr)(z, x)
    np.testing.assert_allclose(r, numpy_cosines(z, x), rtol=0, atol=1e-5)


def test_depthwise_by_hand():
    z = jnp.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    x = jnp.arange(9.0).reshape(1, 3, 3, 1)
    # Top-left cell: 1*0 + 2*1 + 3*3 + 4*4 = 27.
    r = xcorr.depthwise_xcorr(z, x)
    np.testing.assert_array_equal(r[0, :, :, 0], [[27, 37], [57, 67]])
    np.testing.assert_array_equal(xcorr.full_xcorr(z, x), r)


@pytest.mark.parametrize("correlate", [xcorr.depthwise_xcorr, xcorr.full_xcorr])
def test_peak_is_at_the_target(correlate):
    z = jnp.ones((1, 2, 2, 1))
    x = jnp.zeros((1, 6, 6, 1)).at[:, 3:5, 1:3].set(1.0)
    r = correlate(z, x)[0, :, :, 0]
    assert jnp.unravel_index(jnp.argmax(r), r.shape) == (3, 1)


def test_pixelwise_is_one_where_cells_are_alike():
    z, x = random_features((2, 3), (4, 4))
    # Template cell (1, 2) is 7 times search cell (3, 0): channel 1 * 3 + 2.
    z[:, 1, 2] = 7 * x[:, 3, 0]
    r = xcorr.pixelwise_xcorr(jnp.asarray(z), jnp.asarray(x))
    np.testing.assert_allclose(r[:, 3, 0, 5], 1, atol=1e-5)
    assert np.abs(r).max() <= 1 + 1e-5


def test_depthwise_gradient_is_the_convolutions():
    z, x = random_features((3, 2), (6, 7))

    def through(correlate):
        return jax.jit(jax.grad(lambda z, x: jnp.sum(correlate(z, x) ** 3), (0, 1)))

    ours = through(xcorr.depthwise_xcorr)(z, x)
    theirs = through(grouped_convolution)(z, x)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-3)


def convolution(z, x):
    """Correlation over all channels as XLA's convolution, an example at a time."""
    return grouped_convolution(z, x).sum(-1, keepdims=True)


@pytest.mark.parametrize(
    ("hw_z", "hw_x"), [*SHAPES, ((3, 2), (6, 7)), ((1, 1), (3, 4))]
)
def test_full_gradient_is_the_convolutions(variant, hw_z, hw_x):
    z, x = random_features(hw_z, hw_x)

    def through(correlate):
        return jax.grad(lambda z, x: jnp.sum(correlate(z, x) ** 3), (0, 1))

    ours = variant(through(xcorr.full_xcorr))(z, x)
    theirs = jax.jit(through(convolution))(z, x)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-3)


def test_full_gradient_by_hand():
    # r[i, j] = sum_uv z[u, v] x[i + u, j + v]; of the response's sum, dz[u, v] is the
    # sum of x[u : u + 2, v : v + 2], and dx[i, j] what of z passes over cell [i, j].
    z = jnp.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    x = jnp.arange(9.0).reshape(1, 3, 3, 1)
    dz, dx = jax.grad(lambda *a: jnp.sum(xcorr.full_xcorr(*a)), (0, 1))(z, x)
    np.testing.assert_array_equal(dz[0, ..., 0], [[8, 12], [20, 24]])
    np.testing.assert_array_equal(dx[0, ..., 0], [[1, 3, 2], [4, 10, 6], [3, 7, 4]])


def test_full_gradient_is_the_transpose():
    # r is linear in z and in x: for any g, <g, r> = <dz, z> = <dx, x>.
    z, x = random_features((3, 2), (6, 7))
    r, pull = jax.vjp(xcorr.full_xcorr, jnp.asarray(z), jnp.asarray(x))
    g = np.random.default_rng(1).standard_normal(r.shape, np.float32)
    dz, dx = pull(jnp.asarray(g))
    expected = np.sum(g.astype("f8") * np.asarray(r))
    for gradient, features in ((dz, z), (dx, x)):
        inner = np.sum(np.asarray(gradient, "f8") * features)
        assert inner == pytest.approx(expected, rel=1e-4)


def test_full_gradient_keeps_the_type():
    z, x = (jnp.asarray(a, jnp.bfloat16) for a in random_features((2, 2), (4, 5)))
    r, pull = jax.vjp(xcorr.full_xcorr, z, x)
    gradients = pull(jnp.ones_like(r))
    assert {a.dtype for a in (r, *gradients)} == {jnp.dtype(jnp.bfloat16)}
    wide = jax.vjp(xcorr.full_xcorr, z.astype("f4"), x.astype("f4"))[1](
        jnp.ones(r.shape)
    )
    for rough, exact in zip(gradients, wide, strict=True):
        # Sums of at most 12 numbers of order 1, to 8 bits.
        np.testing.assert_allclose(rough.astype("f4"), exact, rtol=0.02, atol=0.05)


@pytest.mark.parametrize(
    "correlate", [xcorr.depthwise_xcorr, xcorr.full_xcorr, xcorr.pixelwise_xcorr]
)
def test_gradients(correlate):
    z, x = random_features((2, 2), (4, 4), batch=1, channels=2)
    check_gradients(correlate, (z, x), rtol=2e-2, eps=1e-3)


def test_pixelwise_gradient_at_empty_features_is_finite():
    z, x = jnp.zeros((1, 2, 2, 3)), jnp.zeros((1, 3, 3, 3))
    gradients = jax.grad(lambda *a: jnp.sum(xcorr.pixelwise_xcorr(*a)), (0, 1))(z, x)
    assert all(np.isfinite(g).all() for g in gradients)


def test_depthwise_sums_in_float32():
    # Added up one by one in bfloat16, whose steps are 2 from 256 on, ones stall there.
    ones = jnp.ones((1, 20, 20, 1), jnp.bfloat16)
    r = xcorr.depthwise_xcorr(ones, ones)
    assert r.dtype == jnp.bfloat16
    assert r[0, 0, 0, 0] == 400


@pytest.mark.parametrize("correlate", [xcorr.depthwise_xcorr, xcorr.full_xcorr])
@pytest.mark.parametrize(
    ("z_shape", "x_shape", "message"),
    [
        ((1, 5, 5, 2), (1, 4, 6, 2), "larger than search"),
        ((1, 5, 5, 2), (1, 6, 4, 2), "larger than search"),
        ((1, 3, 3, 2), (1, 7, 7, 4), "channels differ"),
        ((2, 3, 3, 2), (1, 7, 7, 2), "channels differ"),
    ],
)
def test_bad_shapes(correlate, z_shape, x_shape, message):
    with pytest.raises(ValueError, match=message):
        jax.eval_shape(correlate, jnp.zeros(z_shape), jnp.zeros(x_shape))


def test_pixelwise_bad_shapes():
    with pytest.raises(ValueError, match="channels differ"):
        xcorr.pixelwise_xcorr(jnp.zeros((1, 3, 3, 2)), jnp.zeros((1, 7, 7, 4)))
