"""The anchor-free head of SiamFC++: classification, centerness, regression."""

import math

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.layers import Conv, conv_bn
from jaxtrack.models.norms import BatchNorm

tiny_normal = nn.initializers.normal(1e-4)


class DenseboxHead(nn.Module):
    """Two towers and three outputs on every cell of their own responses.

        ltrb = box_unit exp(si o + bi) + margin

    Xu et al., SiamFC++ (arXiv:1911.06188), with layers and initialization of the
    released code: each output o is normalized by the batch, si and bi are learned.

    Attributes:
      depth: 3x3 convolutions of each tower; each removes one cell at every border.
      box_unit: pixels of the search crop.
      margin: pixels of the search crop. The released tracker counts pixel centers as
        integers, and a box's width as x1 - x0 + 1: a distance to the outermost center
        that the box covers is half a pixel short of the distance to its side.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; outputs are float32.
    """

    depth: int = 2
    box_unit: float = 8.0
    margin: float = 0.5
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, response: dict[str, jax.Array], *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Predicts class, box and centerness of each cell.

        Args:
          response: "cls" and "box", `[B, H + 2 depth, W + 2 depth, C]` each.
          train: normalize the outputs by the batch.

        Returns:
          `cls` `[B, H, W, 1]` logits, `ltrb` `[B, H, W, 4]` distances from the cell's
          point to the box's sides, pixels of the search crop, and `centerness`
          `[B, H, W, 1]` logits.
        """

        def convolution(features, size, x, name, bias_init=None):
            return Conv(
                features,
                size,
                use_bias=True,
                kernel_init=tiny_normal,
                bias_init=bias_init or _uniform(size * size * x.shape[-1]),
                dtype=self.dtype,
                name=name,
            )

        def tower(name, x):
            for i in range(1, self.depth + 1):
                conv = convolution(x.shape[-1], 3, x, f"{name}_conv{i}")
                x = nn.relu(conv(x))
            return x

        def output(name, features, x, bias_init=None):
            conv = convolution(features, 1, x, f"{name}_conv", bias_init)
            bn = BatchNorm(features, axis_name=self.axis_name, name=f"{name}_bn")
            return conv_bn(conv, bn, x, train=train).astype(jnp.float32)

        cls = tower("cls", response["cls"])
        box = tower("bbox", response["box"])
        rare = nn.initializers.constant(-math.log(99.0))  # A probability of 0.01.
        si = self.param("si", nn.initializers.ones, ())
        bi = self.param("bi", nn.initializers.zeros, ())
        log_ltrb = si * output("bbox_offsets", 4, box) + bi
        return {
            "cls": output("cls_score", 1, cls, rare),
            "ltrb": self.box_unit * jnp.exp(log_ltrb) + self.margin,
            "centerness": output("ctr_score", 1, cls),
        }


def _uniform(fan_in):
    """PyTorch's initializer of a bias: uniform within 1 / sqrt(fan_in)."""
    bound = 1 / math.sqrt(fan_in)

    def init(key, shape):
        return jax.random.uniform(key, shape, minval=-bound, maxval=bound)

    return init
