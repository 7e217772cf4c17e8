"""The anchor-based heads of SiamRPN++: two logits and four deltas an anchor."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.heads.car import Tower, small_normal
from jaxtrack.models.layers import BatchNorm, Conv, conv_bn


class RpnHead(nn.Module):
    """Two 1x1 convolutions on every level's responses, and a weighted sum of levels.

        out = sum_l softmax(w)_l conv(relu(bn(conv(r_l))))

    Li et al., SiamRPN++ (arXiv:1812.11703), Eq. 3, as in its released code: one weight
    a level and branch, which start alike.

    Attributes:
      anchors: number of anchors on every cell.
      weighted: learns the levels' weights; otherwise the sum is the mean.
      features: channels between the two convolutions.
      axis_name: mapped axis of the batch normalisations.
      dtype: type of the computation; outputs, and their sum, are float32.
    """

    anchors: int = 5
    weighted: bool = True
    features: int = 256
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, response: dict[str, tuple[jax.Array, ...]], *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Predicts class and box of each cell's anchors.

        Args:
          response: "cls" and "loc", a map `[B, H, W, C]` a level each; see
            `jaxtrack.models.correlations.BranchCorrelation`.
          train: normalise by the batch.

        Returns:
          As `RpnTowerHead`: `cls` `[B, H, W, A, 2]` and `deltas` `[B, H, W, A, 4]`.
        """

        def level(r, name, outputs):
            conv = Conv(self.features, dtype=self.dtype, name=f"{name}_conv")
            bn = BatchNorm(self.features, axis_name=self.axis_name, name=f"{name}_bn")
            r = nn.relu(conv_bn(conv, bn, r, train=train))
            last = Conv(
                outputs,
                use_bias=True,
                kernel_init=small_normal,
                dtype=self.dtype,
                name=f"{name}_out",
            )
            return last(r).astype(jnp.float32)

        def branch(name, values):
            maps = [
                level(r, f"{name}{stage}", values * self.anchors)
                for stage, r in enumerate(response[name], start=2)
            ]
            weights = jnp.ones(len(maps)) / len(maps)
            if self.weighted:
                ones = nn.initializers.ones
                weights = self.param(f"{name}_weight", ones, weights.shape)
                weights = jax.nn.softmax(weights)
            fused = sum(w * m for w, m in zip(weights, maps, strict=True))
            return split_anchors(fused, self.anchors)

        return {"cls": branch("cls", 2), "deltas": branch("loc", 4)}


class RpnTowerHead(nn.Module):
    """Two towers and a 1x1 convolution behind each: the head of a small network.

    The outputs of Li et al., SiamRPN (CVPR 2018), section 3.2, on towers such as
    SiamCAR's.

    Attributes:
      anchors: number of anchors on every cell.
      depth: repetitions in each tower.
      groups: of the towers' group normalisation.
      separable: light towers.
      cls_bias: start of an anchor's two classification logits.
      dtype: type of the computation; outputs are float32.
    """

    anchors: int = 5
    depth: int = 3
    groups: int = 8
    separable: bool = True
    cls_bias: tuple[float, float] = (0.0, -4.0)
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, response: jax.Array, *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Predicts class and box of each cell's anchors.

        Args:
          response: `[B, H, W, C]`.
          train: taken as every head takes it; nothing here depends on it.

        Returns:
          `cls` `[B, H, W, A, 2]` logits (1 is the target) and `deltas`
          `[B, H, W, A, 4]`: dx and dy of the centre in sizes of the anchor, dw and dh
          logarithms of the size's ratio.
        """
        del train

        def branch(name, output, bias):
            tower = (self.depth, self.groups, self.separable, self.dtype)
            bias = jnp.repeat(jnp.array(bias), self.anchors)
            conv = Conv(
                bias.size,
                use_bias=True,
                kernel_init=small_normal,
                bias_init=lambda key, shape: bias,
                dtype=self.dtype,
                name=output,
            )
            maps = conv(Tower(*tower, name=name)(response))
            return split_anchors(maps, self.anchors).astype(jnp.float32)

        return {
            "cls": branch("cls_tower", "cls_logits", self.cls_bias),
            "deltas": branch("bbox_tower", "bbox_pred", (0.0,) * 4),
        }


def split_anchors(maps: jax.Array, anchors: int) -> jax.Array:
    """Gives anchors an axis of their own.

        out[..., a, k] = maps[..., k A + a]

    Channels lie as in pysot's networks: the first value of every anchor, then the
    second of every anchor, and so on; so their weights fit as they are.

    Args:
      maps: `[B, H, W, n A]`, n values for each of A anchors.
      anchors: A.

    Returns:
      `[B, H, W, A, n]`.
    """
    return jnp.swapaxes(maps.reshape(*maps.shape[:3], -1, anchors), -1, -2)
