"""Correlations: compare template and search features and fuse the result."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.layers import Conv, conv_bn
from jaxtrack.models.norms import BatchNorm, GroupNorm
from jaxtrack.ops.xcorr import depthwise_xcorr, full_xcorr, pixelwise_xcorr


class LevelCorrelation(nn.Module):
    """Depthwise correlation of every level, fused by a 1x1 convolution.

    Guo et al., SiamCAR (arXiv:1911.07241), Eq. 1 and section 3.1.

    Attributes:
      features: channels of the response.
      dtype: dtype of the computation.
    """

    features: int = 256
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, z: tuple, x: tuple, *, train: bool = False) -> jax.Array:
        """Correlates levels `z`, `[B, Hz, Wz, C]` each, with `x`, `[B, Hx, Wx, C]`.

        Args:
          z: levels of the template.
          x: levels of the search crop.
          train: unused; part of the interface of correlations.

        Returns:
          `[B, Hx - Hz + 1, Wx - Wz + 1, features]`.
        """
        del train
        r = jnp.concatenate([depthwise_xcorr(*zx) for zx in zip(z, x, strict=True)], -1)
        return Conv(self.features, use_bias=True, dtype=self.dtype, name="down")(r)


class SearchCorrelation(nn.Module):
    """Correlation maps concatenated with the search features, on the search grid.

    Depthwise: cells are first scaled to unit length and the map is padded, so that the
    response keeps the search map's size. Pixel-wise: the cosine of every template cell.

    Attributes:
      depthwise: includes the depthwise correlation.
      pixelwise: includes the pixel-wise correlation.
      features: channels of the response.
      groups: groups of the group normalization.
      dtype: dtype of the computation.
    """

    depthwise: bool
    pixelwise: bool
    features: int = 96
    groups: int = 8
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, z: jax.Array, x: jax.Array, *, train: bool = False) -> jax.Array:
        """Correlates `z`, `[B, Hz, Wz, C]`, with `x`, `[B, Hx, Wx, C]`.

        Args:
          z: the template's map.
          x: the search crop's map.
          train: unused; part of the interface of correlations.

        Returns:
          `[B, Hx, Wx, features]`.
        """
        del train
        maps = [x]
        if self.pixelwise:
            maps.append(pixelwise_xcorr(z, x))
        if self.depthwise:
            maps.append(_normalized_depthwise_xcorr(z, x))
        r = jnp.concatenate([m.astype(self.dtype) for m in maps], axis=-1)
        r = Conv(self.features, use_bias=True, dtype=self.dtype, name="fuse")(r)
        return nn.relu(GroupNorm(self.groups, name="norm")(r))


class BranchCorrelation(nn.Module):
    """Depthwise correlation of every level, separately for classes and boxes.

        r = depthwise(relu(bn(conv3x3(z))), relu(bn(conv3x3(x))))

    Li et al., SiamRPN++ (arXiv:1812.11703), section 3.3 and Fig. 5c, with the released
    code's unpadded convolutions: template and search map lose a cell on each side.

    Attributes:
      features: channels of every response.
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    features: int = 256
    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, z: tuple, x: tuple, *, train: bool = False
    ) -> dict[str, tuple[jax.Array, ...]]:
        """Correlates levels `z`, `[B, Hz, Wz, C]` each, with `x`, `[B, Hx, Wx, C]`.

        Args:
          z: levels of the template.
          x: levels of the search crop.
          train: use batch statistics.

        Returns:
          For "cls" and "loc" as many responses as there are levels,
          `[B, Hx - Hz + 1, Wx - Wz + 1, features]` each.
        """

        def filtered(x, branch, role):
            conv = Conv(self.features, 3, dtype=self.dtype, name=f"{branch}_{role}")
            name = f"{branch}_{role}_bn"
            bn = BatchNorm(self.features, axis_name=self.axis_name, name=name)
            return nn.relu(conv_bn(conv, bn, x, train=train))

        levels = list(enumerate(zip(z, x, strict=True), start=2))
        return {
            branch: tuple(
                depthwise_xcorr(
                    filtered(z, f"{branch}{stage}", "kernel"),
                    filtered(x, f"{branch}{stage}", "search"),
                )
                for stage, (z, x) in levels
            )
            for branch in ("cls", "loc")
        }


class TaskCorrelation(nn.Module):
    """Depthwise correlation of each task's features; it has no parameters.

    Xu et al., SiamFC++ (arXiv:1911.06188).
    """

    def __call__(
        self, z: dict[str, jax.Array], x: dict[str, jax.Array], *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Correlates `z`, `[B, Hz, Wz, C]` each, with `x`, `[B, Hx, Wx, C]`.

        Args:
          z: the template's maps by task.
          x: the search crop's map.
          train: unused; part of the interface of correlations.

        Returns:
          Of each task `[B, Hx - Hz + 1, Wx - Wz + 1, C]`.
        """
        del train
        return {task: depthwise_xcorr(z[task], x[task]) for task in z}


class AttentiveCorrelation(nn.Module):
    """Pixel-wise correlation for each task, its channels weighted by attention.

        r_uv = <bn(conv(z))_uv, bn(conv(x))>,  r' = r sigmoid(fc2(relu(fc1(mean r))))

    A channel is a template cell, as in Yan et al., LightTrack (arXiv:2104.14545);
    features are not normalized. Layers as in NanoTrack v2.

    Attributes:
      axis_name: mapped axis of the batch normalizations.
      dtype: dtype of the computation.
    """

    axis_name: str | None = None
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, z: jax.Array, x: jax.Array, *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Correlates `z`, `[B, Hz, Wz, C]`, with `x`, `[B, Hx, Wx, C]`.

        Args:
          z: the template's map.
          x: the search crop's map.
          train: use batch statistics.

        Returns:
          A map for "cls" and for "box", `[B, Hx, Wx, Hz * Wz]`.
        """

        def adjusted(features, name):
            width = features.shape[-1]
            conv = Conv(width, use_bias=True, dtype=self.dtype, name=name)
            bn = BatchNorm(width, axis_name=self.axis_name, name=f"{name}_bn")
            return conv_bn(conv, bn, features, train=train)

        def branch(task):
            kernel = adjusted(z, f"{task}_kernel")
            cells = kernel.reshape(kernel.shape[0], -1, kernel.shape[-1])
            r = jnp.einsum("bkc,bijc->bijk", cells, adjusted(x, f"{task}_search"))
            share = jnp.mean(r, axis=(1, 2), keepdims=True)
            for name, activation in (("fc1", nn.relu), ("fc2", nn.sigmoid)):
                fc = Conv(
                    r.shape[-1], use_bias=True, dtype=self.dtype, name=f"{task}_{name}"
                )
                share = activation(fc(share))
            return r * share

        return {task: branch(task) for task in ("cls", "box")}


class PositionEmbedding(nn.Module):
    """Embedding of the template's position in the search map.

        p = e(h(z, x))

    Nie et al., SiamLA, Eq. 8, as resolved in S20: h is the naive correlation with one
    output channel a level, divided by the number of products it adds, and e a 1x1
    convolution over the levels.

    Attributes:
      features: channels of the result.
      on_search_grid: scales cells to unit length (then h is a mean of cosines) and pads
        the map, so that the result has the search map's size.
      dtype: dtype of the computation.
    """

    features: int = 256
    on_search_grid: bool = False
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, z: Any, x: Any) -> jax.Array:
        """Correlates levels `z`, `[B, Hz, Wz, C]`, with `x`, `[B, Hx, Wx, C]`.

        Args:
          z: one map or a tuple of levels.
          x: the same.

        Returns:
          `[B, Hx - Hz + 1, Wx - Wz + 1, features]`, or of the search map's size.
        """
        maps = [
            self._naive(*zx)
            for zx in zip(jax.tree.leaves(z), jax.tree.leaves(x), strict=True)
        ]
        maps = jnp.concatenate(maps, axis=-1).astype(self.dtype)
        return Conv(self.features, use_bias=True, dtype=self.dtype, name="expand")(maps)

    def _naive(self, z, x):
        """The naive correlation, of order one."""
        _, hz, wz, channels = z.shape
        if self.on_search_grid:
            return full_xcorr(_unit(z), _same_padded(_unit(x), hz, wz)) / (hz * wz)
        return full_xcorr(z, x) / (hz * wz * channels)


class PositionedCorrelation(nn.Module):
    """A response together with the embedding of the target's position.

    Attributes:
      response: features to a response, `(z, x)`.
      position: features to an embedding of the response's shape, `(z, x)`, or None.
    """

    response: nn.Module
    position: nn.Module | None

    def __call__(
        self, z: Any, x: Any, *, train: bool = False
    ) -> tuple[jax.Array, jax.Array | None]:
        """Returns response and embedding, `[B, H, W, C]` each."""
        p = None if self.position is None else self.position(z, x)
        return self.response(z, x, train=train), p


def _unit(features):
    """Scales cells to unit length; zero cells stay 0."""
    square = jnp.sum(jnp.square(features), axis=-1, keepdims=True)
    return features * lax.rsqrt(square + 1e-6)


def _same_padded(x, hz, wz):
    """Pads `x` so that correlating it with `hz` x `wz` cells keeps its size.

    Even templates put the odd cell above and left, where the template's center falls on
    the search cell's top-left corner.
    """
    return jnp.pad(
        x, ((0, 0), (hz // 2, (hz - 1) // 2), (wz // 2, (wz - 1) // 2), (0, 0))
    )


def _normalized_depthwise_xcorr(z, x):
    """Depthwise correlation of unit-length cells, of the search map's size.

    Scaled by C / (Hz Wz): a cell's channels have a mean square of 1 / C, so the result
    is of order one.
    """
    _, hz, wz, channels = z.shape
    r = depthwise_xcorr(_unit(z), _same_padded(_unit(x), hz, wz))
    return r * (channels / (hz * wz))
