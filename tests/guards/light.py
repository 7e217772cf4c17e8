"""Networks that compile fast."""

from typing import Any

import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from tests.guards import adapter


class Light(nn.Module):
    """A backbone in EfficientNet-Lite0's place: levels at strides 8 and 16."""

    @nn.compact
    def __call__(self, image, *, train=False):
        del train
        fine = nn.relu(nn.Conv(24, (8, 8), (8, 8), name="fine")(image))
        coarse = nn.relu(nn.Conv(24, (2, 2), (2, 2), name="coarse")(fine))
        return jnp.tanh(fine), jnp.tanh(coarse)


class TinyBackbone(nn.Module):
    """A convolution that is frozen and one that is not, with normalization."""

    axis_name: str | None
    dtype: Any

    @nn.compact
    def __call__(self, image, *, train):
        x = nn.Conv(4, (8, 8), (8, 8), dtype=self.dtype, name="conv1")(image)
        x = nn.Conv(6, (1, 1), use_bias=False, dtype=self.dtype, name="layer2")(x)
        x = nn.BatchNorm(not train, axis_name=self.axis_name, name="bn")(x)
        return x if train else lax.stop_gradient(x)


class Tiny(nn.Module):
    """All that training asks of a network without anchors."""

    axis_name: str | None = None
    dtype: Any = jnp.float32
    anchors: tuple = ()

    @property
    def geometry(self):
        """Crops of 16 and 32 pixels, 4 x 4 cells."""
        return adapter.geometry(16, 32, cells=4, stride=8, offset=4)

    @nn.compact
    def __call__(self, z_image, x_image, *, train=False, train_backbone=False):
        backbone = TinyBackbone(self.axis_name, self.dtype, name="backbone")
        z = backbone(z_image, train=train_backbone).mean((1, 2), keepdims=True)
        r = z * backbone(x_image, train=train_backbone)
        r = nn.BatchNorm(not train, axis_name=self.axis_name, name="neck")(r)
        r = nn.Conv(7, (3, 3), dtype=self.dtype, name="head")(r).astype(jnp.float32)
        cls, ltrb, centerness = jnp.split(r, (2, 6), axis=-1)
        return {"cls": cls, "ltrb": 8 * jnp.exp(ltrb), "centerness": centerness}
