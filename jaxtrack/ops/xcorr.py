"""Cross-correlation of template features with search features."""

import math

import jax
import jax.numpy as jnp
from jax import lax


def depthwise_xcorr(z: jax.Array, x: jax.Array) -> jax.Array:
    """Correlates each search channel with the same channel of the template.

    The template slides over the search map unflipped and unpadded, and channels
    are never mixed. Response cell `[i, j]` is the template placed with its
    top-left cell on search cell `[i, j]`:

        r[b, i, j, c] = sum_uv z[b, u, v, c] * x[b, i + u, j + v, c]

    Li et al., SiamRPN++ (arXiv:1812.11703), "Depthwise Cross Correlation".

    Args:
      z: template features, `[B, Hz, Wz, C]`.
      x: search features, `[B, Hx, Wx, C]`, of the same stride as `z`.

    Returns:
      Response map, `[B, Hx - Hz + 1, Wx - Wz + 1, C]`.

    Raises:
      ValueError: if the batch or channel sizes differ, or the template is larger
        than the search map.
    """
    _response_hw(z, x)
    return _depthwise(z, x)


def full_xcorr(z: jax.Array, x: jax.Array) -> jax.Array:
    """Correlates the search map with the whole template, summing over channels.

        r[b, i, j, 0] = sum_uvc z[b, u, v, c] * x[b, i + u, j + v, c]

    Bertinetto et al., SiamFC (arXiv:1606.09549), Eq. 2, without its bias. Every
    template cell is first multiplied with every search cell, which is one matrix
    product; the response is the sum of the matching products.

    Args:
      z: template features, `[B, Hz, Wz, C]`.
      x: search features, `[B, Hx, Wx, C]`, of the same stride as `z`.

    Returns:
      Response map, `[B, Hx - Hz + 1, Wx - Wz + 1, 1]`.

    Raises:
      ValueError: if the batch or channel sizes differ, or the template is larger
        than the search map.
    """
    _response_hw(z, x)
    return _full(z, x)[..., None]


def pixelwise_xcorr(z: jax.Array, x: jax.Array, *, eps: float = 1e-6) -> jax.Array:
    """Computes the cosine of every search cell with every template cell.

        r[b, i, j, u Wz + v] = sum_c z'[b, u, v, c] * x'[b, i, j, c]
        f' = f / sqrt(sum_c f_c^2 + eps)

    Pixel-wise correlation as in Yan et al., Alpha-Refine (arXiv:2012.06815), on
    features of unit length.

    Args:
      z: template features, `[B, Hz, Wz, C]`.
      x: search features, `[B, Hx, Wx, C]`; the map may be smaller than the template's.
      eps: added to squared lengths, so that empty features have cosine 0.

    Returns:
      Cosines in [-1, 1], `[B, Hx, Wx, Hz * Wz]`.

    Raises:
      ValueError: if the batch or channel sizes differ.
    """
    _check_alike(z, x)
    z, x = _unit_length(z, eps), _unit_length(x, eps)
    cosines = jnp.einsum("buvc,bijc->bijuv", z, x)
    return cosines.reshape(*x.shape[:3], math.prod(z.shape[1:3]))


@jax.custom_vjp
def _depthwise(z, x):
    """Adds, template cell by template cell, the search maps it meets.

    One fused loop over the response. As a grouped convolution, by example or with the
    batch folded into the groups, it took 35 times as long on a CPU, and with its
    gradient more than 150 times.
    """
    _, hz, wz, _ = z.shape
    hr, wr = _response_hw(z, x)
    z, wide_x = z.astype(jnp.float32), x.astype(jnp.float32)
    response = sum(
        z[:, u : u + 1, v : v + 1] * wide_x[:, u : u + hr, v : v + wr]
        for u in range(hz)
        for v in range(wz)
    )
    return response.astype(x.dtype)


def _depthwise_forward(z, x):
    """Returns the response and the residuals of its gradient."""
    return _depthwise(z, x), (z, x)


def _depthwise_backward(residuals, g):
    """Returns the gradients by z and x, both of them correlations again.

        dz[u, v] = sum_ij g[i, j] x[u + i, v + j]
        dx[i, j] = sum_uv z[u, v] g[i - u, j - v]

    Differentiating the sum as written gives reductions over space and padded additions
    instead, which took five times as long on a CPU.
    """
    z, x = residuals
    _, hz, wz, _ = z.shape
    _, hr, wr, _ = g.shape
    g = g.astype(jnp.float32)
    padded = jnp.pad(g, ((0, 0), (hz - 1, hz - 1), (wz - 1, wz - 1), (0, 0)))
    dx = _depthwise(z[:, ::-1, ::-1], padded)

    def add_row(i, dz):  # The response's row i, cell by cell.
        g_row = lax.dynamic_slice_in_dim(g, i, 1, axis=1)
        x_rows = lax.dynamic_slice_in_dim(x, i, hz, axis=1).astype(jnp.float32)
        return dz + sum(
            g_row[:, :, j : j + 1] * x_rows[:, :, j : j + wz] for j in range(wr)
        )

    dz = lax.fori_loop(0, hr, add_row, jnp.zeros(z.shape, jnp.float32))
    return dz.astype(z.dtype), dx.astype(x.dtype)


_depthwise.defvjp(_depthwise_forward, _depthwise_backward)


@jax.custom_vjp
def _full(z, x):
    """Multiplies all cells with all cells, then sums the matching products.

    Template cells come first, so that every map that is added lies in one piece.
    """
    hr, wr = _response_hw(z, x)
    _, hz, wz, _ = z.shape
    products = jnp.einsum("buvc,bijc->buvij", z, x)
    return sum(
        products[:, u, v, u : u + hr, v : v + wr] for u in range(hz) for v in range(wz)
    )


def _full_forward(z, x):
    """Returns the response and the residuals of its gradient."""
    return _full(z, x), (z, x)


def _full_backward(residuals, g):
    """Returns the gradients by z and x: two matrix products with shifted copies of g.

        dz[u, v] = sum_ij g'[u, v, i, j] x[i, j],  g'[u, v, i, j] = g[i - u, j - v]
        dx[i, j] = sum_uv g'[u, v, i, j] z[u, v]

    Differentiating the sum as written adds one padded array of all products for every
    template cell.
    """
    z, x = residuals
    _, hz, wz, _ = z.shape
    shifted = [
        jnp.pad(g, ((0, 0), (u, hz - 1 - u), (v, wz - 1 - v)))
        for u in range(hz)
        for v in range(wz)
    ]
    shifted = jnp.stack(shifted, axis=1).reshape(*z.shape[:3], *x.shape[1:3])
    dz = jnp.einsum("buvij,bijc->buvc", shifted, x)
    dx = jnp.einsum("buvij,buvc->bijc", shifted, z)
    return dz.astype(z.dtype), dx.astype(x.dtype)


_full.defvjp(_full_forward, _full_backward)


def _check_alike(z, x):
    """Raises unless both maps have equal batch and channel sizes."""
    bz, _, _, cz = z.shape
    bx, _, _, cx = x.shape
    if (bz, cz) != (bx, cx):
        raise ValueError(f"batch and channels differ: z {z.shape}, x {x.shape}")


def _response_hw(z, x):
    """Checks the shapes and returns those of the response, (height, width)."""
    _check_alike(z, x)
    _, hz, wz, _ = z.shape
    _, hx, wx, _ = x.shape
    if hz > hx or wz > wx:
        raise ValueError(f"template {z.shape} is larger than search {x.shape}")
    return hx - hz + 1, wx - wz + 1


def _unit_length(features, eps):
    """Scales each cell's channels to (nearly) unit length; zeros stay zeros."""
    squared = jnp.sum(features * features, axis=-1, keepdims=True)
    return features * lax.rsqrt(squared + eps)
