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
    hr, wr = _response_hw(z, x)
    _, hz, wz, _ = z.shape
    return sum(
        z[:, u : u + 1, v : v + 1] * x[:, u : u + hr, v : v + wr]
        for u in range(hz)
        for v in range(wz)
    )


def full_xcorr(z: jax.Array, x: jax.Array) -> jax.Array:
    """Correlates the search map with the whole template, summing over channels.

        r[b, i, j, 0] = sum_uvc z[b, u, v, c] * x[b, i + u, j + v, c]

    Bertinetto et al., SiamFC (arXiv:1606.09549), Eq. 2, without its bias. Every
    template cell is first multiplied with every search cell, which is one matrix
    product; the response then adds the products that belong together.

    Args:
      z: template features, `[B, Hz, Wz, C]`.
      x: search features, `[B, Hx, Wx, C]`, of the same stride as `z`.

    Returns:
      Response map, `[B, Hx - Hz + 1, Wx - Wz + 1, 1]`.

    Raises:
      ValueError: if the batch or channel sizes differ, or the template is larger
        than the search map.
    """
    hr, wr = _response_hw(z, x)
    _, hz, wz, _ = z.shape
    products = jnp.einsum("buvc,bijc->bijuv", z, x)
    response = sum(
        products[:, u : u + hr, v : v + wr, u, v] for u in range(hz) for v in range(wz)
    )
    return response[..., None]


def pixelwise_xcorr(z: jax.Array, x: jax.Array, *, eps: float = 1e-6) -> jax.Array:
    """Compares every search cell with every template cell by the cosine.

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
