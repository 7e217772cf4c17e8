"""Networks that compare template and search features and fuse the result."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.layers import Conv, GroupNorm
from jaxtrack.ops.xcorr import depthwise_xcorr, pixelwise_xcorr


class LevelCorrelation(nn.Module):
    """Depthwise correlation of every level, joined by a 1x1 convolution.

    Guo et al., SiamCAR (arXiv:1911.07241), Eq. 1 and section 3.1.

    Attributes:
      features: channels of the response.
      dtype: type of the computation.
    """

    features: int = 256
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, z: tuple, x: tuple) -> jax.Array:
        """Correlates levels `z`, `[B, Hz, Wz, C]` each, with `x`, `[B, Hx, Wx, C]`.

        Returns:
          `[B, Hx - Hz + 1, Wx - Wz + 1, features]`.
        """
        r = jnp.concatenate([depthwise_xcorr(*zx) for zx in zip(z, x, strict=True)], -1)
        return Conv(self.features, use_bias=True, dtype=self.dtype, name="down")(r)


class SearchCorrelation(nn.Module):
    """Correlation maps beside the search features themselves, on the search grid.

    Depthwise: cells are first scaled to unit length and the map is padded, so that the
    response keeps the search map's size. Pixel-wise: the cosine of every template cell.

    Attributes:
      depthwise: includes the depthwise correlation.
      pixelwise: includes the pixel-wise correlation.
      features: channels of the response.
      groups: of the group normalisation.
      dtype: type of the computation.
    """

    depthwise: bool
    pixelwise: bool
    features: int = 96
    groups: int = 8
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, z: jax.Array, x: jax.Array) -> jax.Array:
        """Correlates `z`, `[B, Hz, Wz, C]`, with `x`, `[B, Hx, Wx, C]`.

        Returns:
          `[B, Hx, Wx, features]`.
        """
        maps = [x]
        if self.pixelwise:
            maps.append(pixelwise_xcorr(z, x))
        if self.depthwise:
            maps.append(_normalised_depthwise_xcorr(z, x))
        r = jnp.concatenate([m.astype(self.dtype) for m in maps], axis=-1)
        r = Conv(self.features, use_bias=True, dtype=self.dtype, name="fuse")(r)
        return nn.relu(GroupNorm(self.groups, name="norm")(r))


def _normalised_depthwise_xcorr(z, x):
    """Depthwise correlation of unit-length cells, of the search map's size.

    Scaled by C / (Hz Wz): a cell's channels have a mean square of 1 / C, so the result
    is of order one. Even templates put the odd cell of padding above and left, where
    the template's centre falls on the search cell's top-left corner.
    """
    _, hz, wz, channels = z.shape

    def unit(features):
        square = jnp.sum(jnp.square(features), axis=-1, keepdims=True)
        return features * lax.rsqrt(square + 1e-6)

    pads = ((0, 0), (hz // 2, (hz - 1) // 2), (wz // 2, (wz - 1) // 2), (0, 0))
    return depthwise_xcorr(unit(z), jnp.pad(unit(x), pads)) * (channels / (hz * wz))
