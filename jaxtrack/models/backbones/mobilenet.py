"""The first nine layers of MobileNetV3-Small: a backbone of a third of a million."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.layers import Conv, DepthwiseConv, conv_bn
from jaxtrack.models.norms import BatchNorm


class Block(NamedTuple):
    """One row of Howard et al., MobileNetV3 (arXiv:1905.02244), Table 2.

    Attributes:
      features: channels of the output.
      kernel_size: side of the depthwise kernel.
      stride: stride of the depthwise convolution.
      hidden: channels between; as many as come in leave the widening out.
      squeezed: channels that squeeze-and-excitation leaves; 0 leaves it out.
      activation: activation after widening and depthwise convolution.
    """

    features: int
    kernel_size: int
    stride: int
    hidden: int
    squeezed: int
    activation: Callable[[jax.Array], jax.Array]


BLOCKS = (
    Block(16, 3, 2, 16, 8, nn.relu),
    Block(24, 3, 2, 72, 0, nn.relu),
    Block(24, 3, 1, 88, 0, nn.relu),
    Block(40, 5, 2, 96, 24, nn.hard_swish),
    Block(40, 5, 1, 240, 64, nn.hard_swish),
    Block(40, 5, 1, 240, 64, nn.hard_swish),
    Block(48, 5, 1, 120, 32, nn.hard_swish),
    Block(48, 5, 1, 144, 40, nn.hard_swish),
)
TAPS = (3, 8)  # Last layers of strides 8 and 16.

# Part of a block -> its place in PyTorch's list, where the block widens and where not.
_WIDE = {"expand": "0", "expand_bn": "1", "depthwise": "3", "depthwise_bn": "4"}
_WIDE |= {"reduce": "5.fc.0", "excite": "5.fc.2", "project": "7", "project_bn": "8"}
_PLAIN = {"depthwise": "0", "depthwise_bn": "1", "reduce": "3.fc.0"}
_PLAIN |= {"excite": "3.fc.2", "project": "4", "project_bn": "5"}
# From a path in the variables to the name in d-li14/mobilenetv3.pytorch.
TORCH_NAMES = (
    (r"^backbone\.stem\.", "backbone.features.0.0."),
    (r"^backbone\.stem_bn\.", "backbone.features.0.1."),
    (
        r"^backbone\.features1\.(\w+)\.",
        lambda match: f"backbone.features.1.conv.{_PLAIN[match[1]]}.",
    ),
    (
        r"^backbone\.features(\d)\.(\w+)\.",
        lambda match: f"backbone.features.{match[1]}.conv.{_WIDE[match[2]]}.",
    ),
)
UNUSED = r"features\.(9|1\d)\.|conv\.|classifier\."  # It has 11 blocks.


class InvertedResidual(nn.Module):
    """An inverted residual block with squeeze-and-excitation.

    Howard et al., MobileNetV3 (arXiv:1905.02244), Fig. 4. Squeeze-and-excitation (Hu et
    al., arXiv:1709.01507, Eqs. 2 to 4) with a hard sigmoid stands before the second
    activation, and behind it where nothing is widened, as in d-li14's code:

        y' = y hard_sigmoid(excite(relu(reduce(mean of y over the map))))

    Attributes:
      block: its sizes.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    block: Block
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Maps `[B, H, W, Cin]` to `[B, ceil(H/stride), ceil(W/stride), features]`."""
        block = self.block

        def layer(conv, features, y):
            bn = BatchNorm(features, axis_name=self.axis_name, name=f"{conv.name}_bn")
            return conv_bn(conv, bn, y, train=train)

        y, widens = x, block.hidden != x.shape[-1]
        if widens:
            conv = Conv(block.hidden, dtype=self.dtype, name="expand")
            y = block.activation(layer(conv, block.hidden, y))
        conv = DepthwiseConv(
            block.kernel_size,
            block.stride,
            padding=block.kernel_size // 2,
            dtype=self.dtype,
            name="depthwise",
        )
        y = layer(conv, block.hidden, y)
        if widens:
            y = block.activation(self._excited(y))
        else:
            y = self._excited(block.activation(y))
        conv = Conv(block.features, dtype=self.dtype, name="project")
        y = layer(conv, block.features, y)
        return x + y if x.shape == y.shape else y

    def _excited(self, y):
        """Weights the channels of `y`, if the block has squeeze-and-excitation."""
        if not self.block.squeezed:
            return y
        reduce = nn.Dense(self.block.squeezed, dtype=self.dtype, name="reduce")
        excite = nn.Dense(self.block.hidden, dtype=self.dtype, name="excite")
        share = nn.hard_sigmoid(excite(nn.relu(reduce(jnp.mean(y, axis=(1, 2))))))
        return y * share[:, None, None]


class MobileNetV3Small(nn.Module):
    """MobileNetV3-Small up to stride 16, as in NanoTrack v2.

    Howard et al., MobileNetV3 (arXiv:1905.02244), Table 2, first nine rows, padded as
    in PyTorch: cell i of stride s is centered on pixel s i.

    Attributes:
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; parameters stay float32.
    """

    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool = False) -> tuple:
        """Encodes images.

        Args:
          image: `[B, H, W, 3]`, preprocessed as the weights expect.
          train: trains all layers; otherwise no gradient enters the network.

        Returns:
          Outputs of layers 3 and 8: `[B, H/8, W/8, 24]` and `[B, H/16, W/16, 48]`,
          sizes rounded up.
        """
        stem = Conv(16, 3, 2, 1, dtype=self.dtype, name="stem")
        bn = BatchNorm(16, axis_name=self.axis_name, name="stem_bn")
        x = nn.hard_swish(conv_bn(stem, bn, image, train=train))
        taps = []
        for i, block in enumerate(BLOCKS, start=1):
            shared = {"axis_name": self.axis_name, "dtype": self.dtype}
            x = InvertedResidual(block, **shared, name=f"features{i}")(x, train=train)
            if i in TAPS:
                taps.append(x)
        return tuple(taps if train else map(lax.stop_gradient, taps))
