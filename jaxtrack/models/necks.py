"""Necks: adjust the channels of a backbone's maps and crop the template's."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.layers import Conv, conv_bn
from jaxtrack.models.norms import BatchNorm

# What pysot and SiamCAR's code call an `AdjustNeck`; see `jaxtrack.models.backbones`.
ADJUST_TORCH_NAMES = (
    (r"^neck\.conv(\d)\.", r"neck.downsample\1.downsample.0."),
    (r"^neck\.bn(\d)\.", r"neck.downsample\1.downsample.1."),
)


class AdjustNeck(nn.Module):
    """A 1x1 convolution and batch normalization per level; levels stay separate.

    Li et al., SiamRPN++ (arXiv:1812.11703), section 3.4.

    Attributes:
      features: channels of every level's output.
      last: number of last levels to use; None uses all.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    features: int = 256
    last: int | None = None
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, levels: tuple, *, crop: int | None = None, train: bool = False
    ) -> tuple:
        """Adjusts the levels.

        Args:
          levels: maps of equal size, `[B, H, W, C_i]`, of stages 2, 3, ...
          crop: side of the central part to keep, after the normalization; None
            keeps all.
          train: use batch statistics.

        Returns:
          As many maps, `[B, H, W, features]`, or `[B, crop, crop, features]`.
        """
        adjusted = []
        stages = list(enumerate(levels, start=2))
        for stage, x in stages[-(self.last or len(stages)) :]:
            conv = Conv(self.features, dtype=self.dtype, name=f"conv{stage}")
            bn = BatchNorm(self.features, axis_name=self.axis_name, name=f"bn{stage}")
            adjusted.append(central_crop(conv_bn(conv, bn, x, train=train), crop))
        return tuple(adjusted)


class LastNeck(nn.Module):
    """Returns the last level unchanged; it has no parameters."""

    def __call__(
        self, levels: tuple, *, crop: int | None = None, train: bool = False
    ) -> jax.Array:
        """Returns `[B, H, W, C]` of the last level, or its `[B, crop, crop, C]`.

        Args:
          levels: maps `[B, H_i, W_i, C_i]`.
          crop: side of the central part to keep; None keeps all.
          train: unused; part of the interface of necks.
        """
        del train
        return central_crop(levels[-1], crop)


class FuseNeck(nn.Module):
    """Fuses the last two levels by a 1x1 convolution and batch normalization.

    Fan and Ling, CRACT (arXiv:2011.12483), section 3.2.1: phi_34, of phi_3 and phi_4.

    Attributes:
      features: channels of the output.
      axis_name: mapped axis of the batch normalization.
      dtype: dtype of the computation.
    """

    features: int = 256
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, levels: tuple, *, train: bool = False) -> jax.Array:
        """Fuses the levels.

        Args:
          levels: maps of equal size, `[B, H, W, C_i]`.
          train: use batch statistics.

        Returns:
          `[B, H, W, features]`.
        """
        x = jnp.concatenate(levels[-2:], axis=-1)
        conv = Conv(self.features, dtype=self.dtype, name="conv")
        bn = BatchNorm(self.features, axis_name=self.axis_name, name="bn")
        return conv_bn(conv, bn, x, train=train)


class TaskNeck(nn.Module):
    """Reduces the last level's channels, then has a 3x3 convolution per task and image.

    Xu et al., SiamFC++ (arXiv:1911.06188): the common features are adjusted to the
    classification and to the regression before either correlates them. Layers as
    released: cells near the border, which depend on the padding, are cropped first;
    every convolution has a bias and a batch normalization, none a ReLU.

    Attributes:
      features: channels of the outputs.
      border: cells cropped from each side of a map that is not cropped otherwise.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    features: int = 256
    border: int = 4
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, levels: tuple, *, crop: int | None = None, train: bool = False
    ) -> dict[str, jax.Array]:
        """Adjusts the last level to both tasks.

        Args:
          levels: maps of equal size, `[B, H, W, C_i]`, or one.
          crop: side of the template's central part; None is for the search crop.
          train: use batch statistics.

        Returns:
          A map for "cls" and for "box", `[B, crop - 2, crop - 2, features]` or
          `[B, H - 2 border - 2, W - 2 border - 2, features]`.
        """

        def layer(name, size, x, epsilon=1e-5):
            conv = Conv(
                self.features,
                size,
                use_bias=True,
                dtype=self.dtype,
                name=f"{name}_conv",
            )
            bn = BatchNorm(
                self.features, epsilon, axis_name=self.axis_name, name=f"{name}_bn"
            )
            return conv_bn(conv, bn, x, train=train)

        x = levels[-1]
        size = x.shape[1] - 2 * self.border if crop is None else crop
        x = layer("reduce", 1, central_crop(x, size), 1e-3)
        image = "x" if crop is None else "z"
        return {task: layer(f"{task}_{image}", 3, x) for task in ("cls", "box")}


class PyramidNeck(nn.Module):
    """Sums 1x1 convolutions of all levels at the stride of the first.

    Lin et al., Feature Pyramid Networks (arXiv:1612.03144), section 3, with a single
    output and bilinear upsampling of levels that have half the size.

    Attributes:
      features: channels of the output.
      dtype: dtype of the computation.
    """

    features: int = 96
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, levels: tuple, *, crop: int | None = None, train: bool = False
    ) -> jax.Array:
        """Merges the levels.

        Args:
          levels: one map `[B, H, W, C_0]` and optionally others, all of its size or all
            `[B, H/2, W/2, C_i]`.
          crop: side of the central part to keep; None keeps all.
          train: unused; part of the interface of necks.

        Returns:
          `[B, H, W, features]`, or `[B, crop, crop, features]`.
        """
        del train
        fine, *coarse = levels
        fine = Conv(self.features, use_bias=True, dtype=self.dtype, name="fine")(fine)
        if not coarse:
            return central_crop(fine, crop)
        # A sum of 1x1 convolutions is one convolution of the concatenated channels.
        coarse = jnp.concatenate(coarse, axis=-1)
        coarse = Conv(self.features, dtype=self.dtype, name="coarse")(coarse)
        if coarse.shape != fine.shape:
            coarse = upsample_twice(coarse)
        return central_crop(fine + coarse, crop)


def central_crop(x: jax.Array, size: int | None) -> jax.Array:
    """Crops the central `size` x `size` cells of `x`; None returns it unchanged.

    Args:
      x: `[B, H, W, C]`.
      size: side of the part, cells. Where the rest is odd, the part lies half a cell
        towards the top left.

    Returns:
      `[B, size, size, C]`.
    """
    if size is None:
        return x
    top, left = (x.shape[1] - size) // 2, (x.shape[2] - size) // 2
    return x[:, top : top + size, left : left + size]


def upsample_twice(x: jax.Array) -> jax.Array:
    """Doubles height and width, bilinear with half-pixel centers.

    Output cell 2i lies a quarter cell before input cell i, so it is
    0.25 x[i-1] + 0.75 x[i]; output cell 2i+1 is 0.75 x[i] + 0.25 x[i+1]. Beyond the
    border the last cell is repeated.

    Args:
      x: `[B, H, W, C]`.

    Returns:
      `[B, 2H, 2W, C]`.
    """
    _, height, width, _ = x.shape
    pad = jnp.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
    before, after = pad[:, :height], pad[:, 2:]
    x = jnp.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], 2)
    x = x.reshape(x.shape[0], 2 * height, width, -1)
    pad = jnp.concatenate([x[:, :, :1], x, x[:, :, -1:]], axis=2)
    before, after = pad[:, :, :width], pad[:, :, 2:]
    x = jnp.stack([0.25 * before + 0.75 * x, 0.75 * x + 0.25 * after], 3)
    return x.reshape(x.shape[0], 2 * height, 2 * width, -1)
