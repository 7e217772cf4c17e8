"""ResNet whose last two stages keep stride 8 by dilation, as in pysot."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.layers import Conv, conv_bn
from jaxtrack.models.norms import BatchNorm

# From a path in the variables to pysot's name; see `jaxtrack.models.backbones`.
TORCH_NAMES = (
    (r"\.block(\d+)\.", r".\1."),
    (r"\.downsample_conv\.", ".downsample.0."),
    (r"\.downsample_bn\.", ".downsample.1."),
)
# Shortcuts that are 1x1 in torchvision's and timm's networks, and 3x3 in pysot's.
WIDENED = r"layer[2-4]\.0\.downsample\.0\.weight$"


class BottleneckBlock(nn.Module):
    """1x1, 3x3 and 1x1 convolutions around a shortcut (ResNet-50).

    He et al. (arXiv:1512.03385), Fig. 5 right; pysot widens the shortcut of a strided
    or dilated stage to 3x3.

    Attributes:
      features: width of the 3x3 convolution; the output has four times as many.
      stride: stride of the 3x3 convolution; 2 pads nothing, 1 pads `dilation`.
      dilation: of the 3x3 convolution, and of the shortcut.
      shortcut: side of the shortcut's kernel, or 0 for the identity.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    features: int
    stride: int = 1
    dilation: int = 1
    shortcut: int = 0
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Maps `[B, H, W, Cin]` to `[B, H', W', 4 * features]`."""
        padding = self.dilation if self.stride == 1 else 0
        spatial = (3, self.stride, padding, self.dilation)
        plan = [
            ("1", self.features, (1, 1, 0, 1)),
            ("2", self.features, spatial),
            ("3", 4 * self.features, (1, 1, 0, 1)),
        ]
        return _residual(self, x, plan, train=train)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut (ResNet-18 and 34).

    He et al. (arXiv:1512.03385), Fig. 5 left. The first convolution carries the stride
    and `dilation`, the second `second_dilation`.

    Attributes:
      features: number of channels.
      stride: stride of the first convolution; 2 pads nothing, 1 pads `dilation`.
      dilation: of the first convolution, and of the shortcut.
      second_dilation: of the second convolution.
      shortcut: side of the shortcut's kernel, or 0 for the identity.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    features: int
    stride: int = 1
    dilation: int = 1
    second_dilation: int = 1
    shortcut: int = 0
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Maps `[B, H, W, Cin]` to `[B, H', W', features]`."""
        padding = self.dilation if self.stride == 1 else 0
        second = self.second_dilation
        plan = [
            ("1", self.features, (3, self.stride, padding, self.dilation)),
            ("2", self.features, (3, 1, second, second)),
        ]
        return _residual(self, x, plan, train=train)


def _residual(block, x, plan, *, train):
    """Runs the convolutions of `plan`: (name, features, (k, s, p, d)), and adds x."""

    def layer(suffix, features, sizes, y):
        kernel, stride, padding, dilation = sizes
        name = f"conv{suffix}" if suffix else "downsample_conv"
        conv = Conv(
            features, kernel, stride, padding, dilation, dtype=block.dtype, name=name
        )
        bn = BatchNorm(
            features, axis_name=block.axis_name, name=name.replace("conv", "bn")
        )
        return conv_bn(conv, bn, y, train=train)

    y = x
    for i, (suffix, features, sizes) in enumerate(plan):
        y = layer(suffix, features, sizes, y)
        if i + 1 < len(plan):
            y = nn.relu(y)
    if block.shortcut:
        padding = block.dilation if block.shortcut > 1 and block.stride == 1 else 0
        dilation = block.dilation if block.shortcut > 1 else 1
        sizes = (block.shortcut, block.stride, padding, dilation)
        x = layer("", plan[-1][1], sizes, x)
    return nn.relu(x + y)


class Stage(nn.Module):
    """Blocks of one width; the first may change the stride, the rest dilate fully.

    Attributes:
      bottleneck: of bottleneck blocks, else of basic ones.
      depth: number of blocks.
      features: width of the 3x3 convolutions.
      stride: of the first block.
      dilation: of the blocks after the first, whose own is halved (at least 1).
      shortcut: side of the first block's shortcut kernel, or 0.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    bottleneck: bool
    depth: int
    features: int
    stride: int
    dilation: int
    shortcut: int
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Maps `[B, H, W, Cin]` to `[B, H', W', Cout]`."""
        for i in range(self.depth):
            stride = self.stride if i == 0 else 1
            shortcut = self.shortcut if i == 0 else 0
            dilation = max(self.dilation // 2, 1) if i == 0 else self.dilation
            shared = {
                "stride": stride,
                "dilation": dilation,
                "shortcut": shortcut,
                "axis_name": self.axis_name,
                "dtype": self.dtype,
                "name": f"block{i}",
            }
            if self.bottleneck:
                block = BottleneckBlock(self.features, **shared)
            else:
                block = BasicBlock(
                    self.features, second_dilation=self.dilation, **shared
                )
            x = block(x, train=train)
        return x


class ResNet(nn.Module):
    """The dilated ResNet of the Siamese trackers; three maps of stride 8.

    Li et al., SiamRPN++ (arXiv:1812.11703), section 3.4, with the padding of its
    released code: none at the stem and at the strided stage, so 127 px give 15 cells
    and 255 px 31; cell m is centered on pixel index 8 m + 7.

    Stem and first stage never train; their statistics stay and no gradient enters.

    Attributes:
      bottleneck: of bottleneck blocks, else of basic ones.
      depths: blocks of the four stages.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; parameters stay float32.
    """

    bottleneck: bool
    depths: tuple[int, int, int, int]
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool = False) -> tuple:
        """Encodes images.

        Args:
          image: `[B, H, W, 3]`, preprocessed as the weights expect.
          train: trains stages 2 to 4; otherwise no gradient enters the network.

        Returns:
          Outputs of stages 2, 3 and 4, each `[B, H/8, W/8, C]`.
        """
        stem = Conv(64, 7, 2, 0, dtype=self.dtype, name="conv1")
        x = conv_bn(stem, BatchNorm(64, name="bn1"), image, train=False)
        # The inputs are not negative, so zeros can pad the maximum.
        x = jnp.pad(nn.relu(x), ((0, 0), (1, 1), (1, 1), (0, 0)))
        x = nn.max_pool(x, window_shape=(3, 3), strides=(2, 2))

        def stage(i, x, stride, dilation, shortcut, train):
            return Stage(
                self.bottleneck,
                self.depths[i - 1],
                64 * 2 ** (i - 1),
                stride,
                dilation,
                shortcut,
                axis_name=self.axis_name,
                dtype=self.dtype,
                name=f"layer{i}",
            )(x, train=train)

        x = stage(1, x, 1, 1, int(self.bottleneck), False)
        taps = [stage(2, lax.stop_gradient(x), 2, 1, 3, train)]
        taps.append(stage(3, taps[-1], 1, 2, 3, train))
        taps.append(stage(4, taps[-1], 1, 4, 3, train))
        return tuple(taps if train else map(lax.stop_gradient, taps))


def resnet18(*, axis_name: str | None = None, dtype=jnp.float32) -> ResNet:
    """Returns ResNet-18; its taps have 128, 256 and 512 channels."""
    return ResNet(False, (2, 2, 2, 2), axis_name, dtype)


def resnet34(*, axis_name: str | None = None, dtype=jnp.float32) -> ResNet:
    """Returns ResNet-34; its taps have 128, 256 and 512 channels."""
    return ResNet(False, (3, 4, 6, 3), axis_name, dtype)


def resnet50(*, axis_name: str | None = None, dtype=jnp.float32) -> ResNet:
    """Returns ResNet-50; its taps have 512, 1024 and 2048 channels."""
    return ResNet(True, (3, 4, 6, 3), axis_name, dtype)
