"""EfficientNet-B0 whose later stages keep stride 8 by dilation."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.backbones.efficientnet import EPSILON, FIRST_TRAINED, LAST, MBConv
from jaxtrack.models.layers import Conv, conv_bn
from jaxtrack.models.norms import BatchNorm

# (features, kernel, stride, expansion) of the blocks, in order.
BLOCKS = (
    (16, 3, 1, 1),
    *((24, 3, 2, 6), (24, 3, 1, 6)),
    *((40, 5, 2, 6), (40, 5, 1, 6)),
    *((80, 3, 2, 6), (80, 3, 1, 6), (80, 3, 1, 6)),
    *((112, 5, 1, 6), (112, 5, 1, 6), (112, 5, 1, 6)),
    *((192, 5, 2, 6), (192, 5, 1, 6), (192, 5, 1, 6), (192, 5, 1, 6)),
    (320, 3, 1, 6),
)
TAPS = (4, 10, 15)  # Last blocks at strides 8, 16 and 32 of the undilated network.

UNUSED = LAST


class EfficientNetB0(nn.Module):
    """EfficientNet-B0 without its classifier; three maps.

    Tan & Le, EfficientNet (arXiv:1905.11946), Table 1, with TensorFlow's padding. A
    stage whose stride would exceed `output_stride` has stride 1, and the depthwise
    kernels behind the place of that stride are dilated by it, so that each sees the
    cells it was trained on, as in Chen et al., DeepLab (arXiv:1606.00915), section 3.1.

    TensorFlow pads evenly, and cells lie evenly about the image's middle, where the
    image's side is a multiple of the stride and one pixel more.

    Stem and blocks 0 to 2 (stride 4 at most) never train.

    Attributes:
      output_stride: largest stride; 8 for tracking, 32 for the undilated network.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; parameters stay float32.
    """

    output_stride: int = 8
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, image: jax.Array, *, train: bool = False) -> tuple:
        """Encodes images.

        Args:
          image: `[B, H, W, 3]`, preprocessed as the weights expect.
          train: trains blocks 3 to 15; otherwise no gradient enters the network.

        Returns:
          Outputs of blocks 4, 10 and 15: `[B, H/8, W/8, C]` (rounded up) with 40, 112
          and 320 channels, or of strides 8, 16 and 32 where `output_stride` is 32.
        """
        stem = Conv(32, 3, 2, "SAME", dtype=self.dtype, name="conv_stem")
        bn = BatchNorm(32, EPSILON, name="bn0")
        x = nn.swish(conv_bn(stem, bn, image, train=False))
        taps = []
        reached, dilation = 2, 1
        for i, (features, kernel_size, stride, expansion) in enumerate(BLOCKS):
            if i == FIRST_TRAINED:
                x = lax.stop_gradient(x)
            is_kept = reached * stride <= self.output_stride
            block = MBConv(
                features,
                kernel_size,
                stride if is_kept else 1,
                expansion,
                self.axis_name,
                self.dtype,
                dilation=dilation,
                squeeze=0.25,
                activation=nn.swish,
                name=f"block{i}",
            )
            x = block(x, train=train and i >= FIRST_TRAINED)
            if is_kept:
                reached *= stride
            else:
                dilation *= stride
            if i in TAPS:
                taps.append(x)
        return tuple(taps if train else map(lax.stop_gradient, taps))
