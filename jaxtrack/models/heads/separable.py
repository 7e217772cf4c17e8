"""A head of separable convolutions and batch normalization, a tower per task."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.layers import Conv, DepthwiseConv, conv_bn
from jaxtrack.models.norms import BatchNorm


class SeparableHead(nn.Module):
    """Six separable convolutions and a 1x1 convolution for each of class and box.

    A layer is a depthwise 3x3 convolution, a 1x1 convolution, batch normalization and
    ReLU6: the towers of LightTrack (Yan et al., arXiv:2104.14545), as in NanoTrack
    v2.

    Attributes:
      features: channels of every layer.
      depth: layers of a tower.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; outputs are float32.
    """

    features: int = 96
    depth: int = 6
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, response: dict[str, jax.Array], *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Predicts class and box of each cell.

        Args:
          response: "cls" and "box", `[B, H, W, C]` each.
          train: use batch statistics.

        Returns:
          `cls` `[B, H, W, 2]` logits (1 is the target) and `ltrb` `[B, H, W, 4]`,
          exponentials: distances from the cell's point, pixels of the search crop.
        """

        def branch(task, outputs):
            x = response[task]
            for i in range(self.depth):
                name = f"{task}_depthwise{i}"
                x = DepthwiseConv(3, padding=1, dtype=self.dtype, name=name)(x)
                conv = Conv(self.features, dtype=self.dtype, name=f"{task}_conv{i}")
                bn = BatchNorm(
                    self.features, axis_name=self.axis_name, name=f"{task}_bn{i}"
                )
                x = nn.relu6(conv_bn(conv, bn, x, train=train))
            name = f"{task}_pred"
            last = Conv(outputs, use_bias=True, dtype=self.dtype, name=name)
            return last(x).astype(jnp.float32)

        return {"cls": branch("cls", 2), "ltrb": jnp.exp(branch("box", 4))}
