"""Heads on the responses of levels: two logits and a box a cell, or an anchor."""

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.heads.car import Tower, small_normal
from jaxtrack.models.layers import Conv, conv_bn
from jaxtrack.models.norms import BatchNorm


class RpnHead(nn.Module):
    """Two 1x1 convolutions on every level's responses, and a weighted sum of levels.

        out = sum_l softmax(w)_l conv(relu(bn(conv(r_l))))

    Li et al., SiamRPN++ (arXiv:1812.11703), Eq. 3, as in its released code: one weight
    per level and branch, initially equal.

    Attributes:
      anchors: number of anchors on every cell.
      weighted: whether the levels' weights are learned; otherwise it is the mean.
      features: channels between the two convolutions.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; outputs, and their sum, are float32.
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
          train: use batch statistics.

        Returns:
          As `RpnTowerHead`: `cls` `[B, H, W, A, 2]` and `deltas` `[B, H, W, A, 4]`.
        """
        layers = {"features": self.features, "axis_name": self.axis_name}
        layers |= {"dtype": self.dtype, "train": train}

        def branch(name, values):
            maps = level_maps(response, name, values * self.anchors, **layers)
            fused = _mean(self, maps, f"{name}_weight" if self.weighted else "")
            return split_anchors(fused, self.anchors)

        return {"cls": branch("cls", 2), "deltas": branch("loc", 4)}


class BanHead(nn.Module):
    """Two 1x1 convolutions on every level's responses, without anchors.

        cls = sum_l softmax(w)_l o_l,  ltrb = sum_l softmax(v)_l exp(s_l o_l)

    Chen et al., SiamBAN (arXiv:2003.06761), section 3.2, as in its released code: o are
    `level_maps`, s one scale a level.

    Attributes:
      weighted: whether the levels' weights are learned; otherwise it is the mean.
      features: channels between the two convolutions.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation; outputs, and their sum, are float32.
    """

    weighted: bool = True
    features: int = 256
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, response: dict[str, tuple[jax.Array, ...]], *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Predicts class and box of each cell.

        Args:
          response: as `RpnHead` takes it.
          train: use batch statistics.

        Returns:
          `cls` `[B, H, W, 2]` logits (1 is the target) and `ltrb` `[B, H, W, 4]`,
          distances from the cell's point, pixels of the search crop.
        """
        layers = {"features": self.features, "axis_name": self.axis_name}
        layers |= {"dtype": self.dtype, "train": train}
        cls = level_maps(response, "cls", 2, **layers)
        loc = level_maps(response, "loc", 4, **layers)
        scales = self.param("loc_scale", nn.initializers.ones, (len(loc),))
        loc = [jnp.exp(scale * m) for scale, m in zip(scales, loc, strict=True)]
        weights = ("cls_weight", "loc_weight") if self.weighted else ("", "")
        return {
            "cls": _mean(self, cls, weights[0]),
            "ltrb": _mean(self, loc, weights[1]),
        }


def level_maps(
    response: dict[str, tuple[jax.Array, ...]],
    branch: str,
    outputs: int,
    *,
    features: int,
    axis_name: str | None = None,
    dtype: jnp.dtype = jnp.float32,
    train: bool = False,
) -> list[jax.Array]:
    """Predicts from every level separately: `conv(relu(bn(conv(r_l))))`.

    Call it in a module; the layers become its submodules.

    Args:
      response: "cls" and "loc", a map `[B, H, W, C]` a level each.
      branch: which of the two.
      outputs: channels of the last convolution.
      features: channels between the two convolutions.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
      train: use batch statistics.

    Returns:
      A map `[B, H, W, outputs]` a level, float32.
    """
    maps = []
    for stage, r in enumerate(response[branch], start=2):
        name = f"{branch}{stage}"
        conv = Conv(features, dtype=dtype, name=f"{name}_conv")
        bn = BatchNorm(features, axis_name=axis_name, name=f"{name}_bn")
        r = nn.relu(conv_bn(conv, bn, r, train=train))
        last = Conv(
            outputs,
            use_bias=True,
            kernel_init=small_normal,
            dtype=dtype,
            name=f"{name}_out",
        )
        maps.append(last(r).astype(jnp.float32))
    return maps


class RpnTowerHead(nn.Module):
    """Two towers and a 1x1 convolution after each: the head of a light network.

    The outputs of Li et al., SiamRPN (CVPR 2018), section 3.2, on towers such as
    SiamCAR's.

    Attributes:
      anchors: number of anchors on every cell.
      depth: repetitions in each tower.
      groups: groups of the towers' group normalization.
      separable: light towers.
      cls_bias: initial value of an anchor's two classification logits.
      dtype: dtype of the computation; outputs are float32.
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
          train: unused; part of the interface of heads.

        Returns:
          `cls` `[B, H, W, A, 2]` logits (1 is the target) and `deltas`
          `[B, H, W, A, 4]`: dx and dy of the center in sizes of the anchor, dw and dh
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


def _mean(module, maps, weights_name):
    """Averages levels, by learned weights unless their name is ""."""
    weights = jnp.ones(len(maps)) / len(maps)
    if weights_name:
        weights = module.param(weights_name, nn.initializers.ones, weights.shape)
        weights = jax.nn.softmax(weights)
    return sum(w * m for w, m in zip(weights, maps, strict=True))


def split_anchors(maps: jax.Array, anchors: int) -> jax.Array:
    """Splits the channels into an axis of anchors and one of values.

        out[..., a, k] = maps[..., k A + a]

    Channels lie as in pysot's networks: the first value of every anchor, then the
    second of every anchor, and so on; so their weights can be used unchanged.

    Args:
      maps: `[B, H, W, n A]`, n values for each of A anchors.
      anchors: A.

    Returns:
      `[B, H, W, A, n]`.
    """
    return jnp.swapaxes(maps.reshape(*maps.shape[:3], -1, anchors), -1, -2)
