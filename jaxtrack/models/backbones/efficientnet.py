"""EfficientNet-Lite0 up to its 112-channel stage: a small real backbone."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.layers import Conv, DepthwiseConv, conv_bn
from jaxtrack.models.norms import BatchNorm

EPSILON = 1e-3  # Of every batch normalization.
MOMENTUM = 0.99
# (features, kernel, stride, expansion) of the blocks, in order.
BLOCKS = (
    (16, 3, 1, 1),
    *((24, 3, 2, 6), (24, 3, 1, 6)),
    *((40, 5, 2, 6), (40, 5, 1, 6)),
    *((80, 3, 2, 6), (80, 3, 1, 6), (80, 3, 1, 6)),
    *((112, 5, 1, 6), (112, 5, 1, 6), (112, 5, 1, 6)),
)
TAPS = (4, 7, 10)  # Last blocks of the stages with 40, 80 and 112 channels.
# From a path in the variables to the name in EfficientNet-PyTorch.
TORCH_NAMES = (
    (r"^backbone\.block(\d+)\.", r"backbone._blocks.\1._"),
    (r"^backbone\.(?=conv_stem|bn0)", "backbone._"),
)
# timm counts blocks within each stage, and names parts by their place in the block.
_STAGES = [
    (stage, i) for stage, n in enumerate((1, 2, 2, 3, 3, 4, 1)) for i in range(n)
]
_TIMM_PARTS = {
    **{"expand_conv": "conv_pw", "bn0": "bn1", "depthwise_conv": "conv_dw"},
    **{"bn1": "bn2", "project_conv": "conv_pwl", "bn2": "bn3"},
    **{"se_reduce": "se.conv_reduce", "se_expand": "se.conv_expand"},
}
# The first block has no expansion, so that later parts have the first names.
_TIMM_FIRST = _TIMM_PARTS | {"bn1": "bn1", "project_conv": "conv_pw", "bn2": "bn2"}


def _timm_block(match: re.Match) -> str:
    """Returns timm's name of a part of a block."""
    stage, index = _STAGES[int(match[1])]
    parts = _TIMM_PARTS if stage else _TIMM_FIRST
    return f"backbone.blocks.{stage}.{index}.{parts[match[2]]}."


TIMM_NAMES = (
    (r"^backbone\.block(\d+)\.(\w+)\.", _timm_block),
    (r"^backbone\.bn0\.", "backbone.bn1."),
)
# What trackers leave out: of both codes the layers before the classifier and that.
LAST = r"_conv_head\.|_bn1\.|_fc\.|conv_head\.|bn2\.|classifier\."
UNUSED = LAST + r"|_blocks\.1[1-9]\.|blocks\.[56]\."  # They have 16 blocks in 7 stages.
FIRST_TRAINED = 3  # Blocks before it work at stride 4 or less and stay as they are.


class MBConv(nn.Module):
    """An inverted residual block (MBConv): expand, depthwise, project, add the input.

    Sandler et al., MobileNetV2 (arXiv:1801.04381), section 3.3; the Lite family has
    ReLU6 and no squeeze-and-excitation (Hu et al., arXiv:1709.01507, Eq. 2 to 4):

        y' = y sigmoid(expand(activation(reduce(mean of y over the map))))

    Attributes:
      features: number of output channels.
      kernel_size: side of the depthwise kernel.
      stride: stride of the depthwise convolution.
      expansion: widening; 1 leaves the first convolution out.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
      dilation: dilation of the depthwise convolution.
      squeeze: channels that `reduce` leaves, as a share of the block's input channels;
        0 leaves squeeze-and-excitation out.
      activation: activation after all convolutions but the last.
    """

    features: int
    kernel_size: int
    stride: int
    expansion: int
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32
    dilation: int = 1
    squeeze: float = 0.0
    activation: Callable = nn.relu6

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Maps `[B, H, W, Cin]` to `[B, ceil(H/stride), ceil(W/stride), features]`."""

        def norm(features, name):
            return BatchNorm(features, EPSILON, MOMENTUM, self.axis_name, name=name)

        y, wide = x, x.shape[-1] * self.expansion
        if self.expansion > 1:
            conv = Conv(wide, dtype=self.dtype, name="expand_conv")
            y = self.activation(conv_bn(conv, norm(wide, "bn0"), y, train=train))
        conv = DepthwiseConv(
            self.kernel_size,
            self.stride,
            self.dilation,
            dtype=self.dtype,
            name="depthwise_conv",
        )
        y = self.activation(conv_bn(conv, norm(wide, "bn1"), y, train=train))
        if self.squeeze:
            few = max(1, int(self.squeeze * x.shape[-1]))
            y = y * nn.sigmoid(self._excitation(y, few))
        conv = Conv(self.features, dtype=self.dtype, name="project_conv")
        y = conv_bn(conv, norm(self.features, "bn2"), y, train=train)
        return x + y if x.shape == y.shape else y

    def _excitation(self, y, few):
        """The logits by which squeeze-and-excitation weights the channels of `y`."""

        def conv(features, name):
            return Conv(features, use_bias=True, dtype=self.dtype, name=name)

        mean = jnp.mean(y, axis=(1, 2), keepdims=True)
        reduced = self.activation(conv(few, "se_reduce")(mean))
        return conv(y.shape[-1], "se_expand")(reduced)


class EfficientNetLite0(nn.Module):
    """The first eleven blocks of EfficientNet-Lite0; three standardized maps.

    Tan & Le, EfficientNet (arXiv:1905.11946), Table 1, in TensorFlow's Lite variant
    and padding.

    A stage adds up the outputs of its blocks, and each is the affine end of a batch
    normalization, with mean beta and variance gamma^2 over the training images. With
    the blocks taken as uncorrelated the sum has mean sum(beta) and variance
    sum(gamma^2), by which each map is standardized: no constants to measure or store.

    Stem and blocks 0 to 2 (stride 4 at most) never train.

    Where the normalizations are folded (see `jaxtrack.models.folding`) the blocks are
    kept apart: a CPU then runs them 1 to 2 % faster than fused over their ends.

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
          train: trains blocks 3 to 10; otherwise no gradient enters the network.

        Returns:
          Standardized outputs of blocks 4, 7 and 10: `[B, H/8, W/8, 40]`,
          `[B, H/16, W/16, 80]` and `[B, H/16, W/16, 112]`.
        """
        stem = Conv(32, 3, 2, "SAME", dtype=self.dtype, name="conv_stem")
        bn = BatchNorm(32, EPSILON, name="bn0")
        x = nn.relu6(conv_bn(stem, bn, image, train=False))
        taps = []
        for i, block in enumerate(BLOCKS):
            if i == FIRST_TRAINED:
                x = lax.stop_gradient(x)
            module = MBConv(*block, self.axis_name, self.dtype, name=f"block{i}")
            x = module(x, train=train and i >= FIRST_TRAINED)
            if bn.is_folded:
                x = lax.optimization_barrier(x)
            if i in TAPS:
                taps.append(x)
        standards = standardisation(lax.stop_gradient(self.variables["params"]))
        names = [f"block{i}" for i in TAPS]
        pairs = zip(taps, names, strict=True)
        taps = [_standardise(x, standards[name]) for x, name in pairs]
        return tuple(taps if train else map(lax.stop_gradient, taps))


def standardisation(params: Mapping[str, Any]) -> dict[str, dict[str, jax.Array]]:
    """Returns the scales and biases by which `EfficientNetLite0` standardizes its maps.

    Args:
      params: the network's; where its normalizations are folded, "standard" is what
        this function returned before.

    Returns:
      "block4", "block7" and "block10" -> "scale" and "bias", `[C]` each.
    """
    if "standard" in params:
        return params["standard"]
    standards = {}
    mean = var = width = None
    for i, (features, _, stride, _) in enumerate(BLOCKS):
        bn = params[f"block{i}"]["bn2"]
        beta, square = bn["bias"], jnp.square(bn["scale"])
        adds = stride == 1 and features == width
        mean, var = (mean + beta, var + square) if adds else (beta, square)
        width = features
        if i in TAPS:
            a = lax.rsqrt(var + EPSILON)
            standards[f"block{i}"] = {"scale": a, "bias": -mean * a}
    return standards


def _standardise(x, standard):
    """Standardizes each channel of `x` to mean 0 and variance 1."""
    a, b = (
        standard[name].astype(x.dtype)[None, None, None] for name in ("scale", "bias")
    )
    return x * a + b
