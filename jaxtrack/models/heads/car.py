"""The anchor-free head of SiamCAR: classification, regression, centerness."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.layers import Conv, DepthwiseConv
from jaxtrack.models.norms import GroupNorm

small_normal = nn.initializers.normal(0.01)


class Tower(nn.Module):
    """Convolution, group normalization and ReLU, several times.

    Attributes:
      depth: number of repetitions.
      groups: groups of the normalization.
      separable: depthwise 5x5 and 1x1 convolutions in place of dense 3x3 ones.
      dtype: dtype of the computation.
    """

    depth: int
    groups: int
    separable: bool
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps `[B, H, W, C]` to the same shape."""
        features = x.shape[-1]
        for i in range(self.depth):
            name = f"conv{i}"
            if self.separable:
                x = DepthwiseConv(5, dtype=self.dtype, name=f"depthwise{i}")(x)
                conv = Conv(features, use_bias=True, dtype=self.dtype, name=name)
            else:
                conv = Conv(
                    features,
                    3,
                    padding=1,
                    use_bias=True,
                    kernel_init=small_normal,
                    dtype=self.dtype,
                    name=name,
                )
            x = nn.relu(GroupNorm(self.groups, name=f"norm{i}")(conv(x)))
        return x


class CarHead(nn.Module):
    """Two towers and three outputs on every cell of the response.

    Guo et al., SiamCAR (arXiv:1911.07241), section 3.2, with the initialization of the
    released code, N(0, 0.01) and the biases below.

    Attributes:
      depth: repetitions in each tower.
      groups: groups of the towers' group normalization.
      separable: light towers, and 1x1 output convolutions in place of 3x3 ones.
      quality: the tower that the centerness (or IoU) logit comes from: "cls" as
        released, "box", or "none" where another branch predicts it.
      box_unit: u in ltrb = u exp(output), pixels.
      cls_bias: initial value of the classification logits; their number is its length.
      box_bias: initial value of the regression output.
      dtype: dtype of the computation; outputs are float32.
    """

    depth: int = 4
    groups: int = 32
    separable: bool = False
    quality: str = "cls"
    box_unit: float = 1.0
    cls_bias: tuple[float, ...] = (-4.59512, -4.59512)
    box_bias: float = 0.0
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, response: jax.Array, *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Predicts class, box and centerness of each cell.

        Args:
          response: `[B, H, W, C]`.
          train: unused; part of the interface of heads.

        Returns:
          `cls` `[B, H, W, 2]` logits (1 is the target; a single one is its sigmoid's),
          `ltrb` `[B, H, W, 4]` distances from the cell's point to the box's sides,
          pixels of the search crop, and, unless `quality` is "none", `centerness`
          `[B, H, W, 1]` logits.

        Raises:
          ValueError: if `quality` is unknown.
        """
        del train
        if self.quality not in ("cls", "box", "none"):
            raise ValueError(f"quality must be cls, box or none, got {self.quality!r}")

        def output(features, bias, name):
            size, padding = (1, 0) if self.separable else (3, 1)
            # With an explicit dtype: a Python number would be weakly typed.
            bias = jnp.broadcast_to(jnp.array(bias, jnp.float32), (features,))
            return Conv(
                features,
                size,
                padding=padding,
                use_bias=True,
                kernel_init=small_normal,
                bias_init=lambda key, shape: bias,
                dtype=self.dtype,
                name=name,
            )

        tower = (self.depth, self.groups, self.separable, self.dtype)
        cls = Tower(*tower, name="cls_tower")(response)
        box = Tower(*tower, name="bbox_tower")(response)
        logits = output(len(self.cls_bias), self.cls_bias, "cls_logits")(cls)
        log_ltrb = output(4, self.box_bias, "bbox_pred")(box)
        outputs = {
            "cls": logits.astype(jnp.float32),
            "ltrb": self.box_unit * jnp.exp(log_ltrb.astype(jnp.float32)),
        }
        if self.quality != "none":
            features = box if self.quality == "box" else cls
            centerness = output(1, 0.0, "centerness")(features)
            outputs["centerness"] = centerness.astype(jnp.float32)
        return outputs
