"""A backbone of a few convolutions, which compiles in seconds."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.layers import Conv, conv_bn
from jaxtrack.models.norms import BatchNorm

_FEATURES = 16


class Miniature(nn.Module):
    """A backbone in another one's place: levels of the same sizes, few channels.

    Attributes:
      strides: of the levels, 8 or 16 pixels.
      margin: of the backbone that it replaces; see `models.backbones.Backbone`.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; parameters stay float32.
    """

    strides: tuple[int, ...]
    margin: int
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool = False) -> tuple:
        """Maps `[B, H, W, 3]` to levels `[B, H / stride, W / stride, C]`."""

        def layer(x, name, **options):
            conv = Conv(_FEATURES, dtype=self.dtype, name=name, **options)
            bn = BatchNorm(_FEATURES, axis_name=self.axis_name, name=f"{name}_bn")
            return nn.relu(conv_bn(conv, bn, x, train=train))

        side = image.shape[1]
        more = 8 * ((side - self.margin) // 8) - side
        pads = [(0, 0, 0), (0, more, 0), (0, more, 0), (0, 0, 0)]
        image = lax.pad(image, jnp.zeros((), image.dtype), pads)
        x = layer(image, "patches", kernel_size=8, stride=8)
        levels = []
        for number, stride in enumerate(self.strides):
            size = stride // 8
            options = {"kernel_size": size, "stride": size, "padding": "SAME"}
            levels.append(layer(x, f"level{number}", **options))
        return tuple(levels)
