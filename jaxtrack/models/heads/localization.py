"""SiamLA's separate localization branch: how well a cell's box fits the target."""

import jax
import jax.numpy as jnp
from flax import linen as nn
from jax import lax

from jaxtrack.models.heads.car import CarHead, Tower, small_normal
from jaxtrack.models.layers import Conv
from jaxtrack.ops import boxes, grid, interpolation


class NonLocal(nn.Module):
    """The localization-aware non-local block: attention with position embedding.

        y = f(softmax(t(x + p) k(x + p)^T) v(x)) + x

    Nie et al., SiamLA, Eq. 9 as printed (S21): the embedding p is added to queries and
    keys, not to values, and the products are not divided by a root. f starts at 0, so
    that the block is the identity at first.

    Attributes:
      features: channels of queries, keys and values.
      key_stride: side of the squares of cells averaged before keys and values are
        computed (Wang et al., Non-local Neural Networks, arXiv:1711.07971, section 3.3,
        do the same); 1 is the paper's.
      dtype: dtype of the computation.
    """

    features: int = 128
    key_stride: int = 1
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, p: jax.Array) -> jax.Array:
        """Enhances `x`, `[B, H, W, C]`, with the embedding `p` of the same shape."""
        batch, height, width, channels = x.shape

        def project(features, name):
            return Conv(
                self.features,
                use_bias=True,
                kernel_init=small_normal,
                dtype=self.dtype,
                name=name,
            )(features).reshape(batch, -1, self.features)

        few_x, few_p = (_pooled(m, self.key_stride) for m in (x, p))
        query = project(x + p, "query")
        key, value = project(few_x + few_p, "key"), project(few_x, "value")
        logits = jnp.einsum("bqc,bkc->bqk", query, key).astype(jnp.float32)
        weights = jax.nn.softmax(logits, axis=-1).astype(self.dtype)
        seen = jnp.einsum("bqk,bkc->bqc", weights, value)
        out = Conv(
            channels,
            use_bias=True,
            kernel_init=nn.initializers.zeros,
            dtype=self.dtype,
            name="out",
        )
        return out(seen.reshape(batch, height, width, self.features)) + x


class PointAggregation(nn.Module):
    """Features of the predicted box: those of its center and its four corners.

    Nie et al., SiamLA, Fig. 5, as resolved in S22: bilinear features at the five
    points, concatenated, through one 1x1 convolution, here with a ReLU (or the
    convolutions around it would be one). The convolution is applied first, to every
    cell, and its outputs are sampled: both are linear, and fewer channels are moved.

    Attributes:
      features: channels of the result.
      geometry: positions of the response's cells.
      center: "point", the cell itself, or "box", the middle of its predicted box.
      dtype: dtype of the computation.
    """

    features: int
    geometry: grid.Geometry
    center: str = "point"
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, ltrb: jax.Array) -> jax.Array:
        """Gathers features of boxes.

        Args:
          x: `[B, H, W, C]`.
          ltrb: predicted boxes, `[B, H, W, 4]` distances in pixels of the search crop;
            no gradient flows into them.

        Returns:
          `[B, H, W, features]`.

        Raises:
          ValueError: if `center` is unknown.
        """
        if self.center not in ("point", "box"):
            raise ValueError(f"center must be point or box, got {self.center!r}")
        parts = Conv(
            5 * self.features, use_bias=False, dtype=self.dtype, name="project"
        )(x)
        middle, *corners = jnp.split(parts, 5, axis=-1)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x0, y0, x1, y1 = jnp.moveaxis(self._cells(lax.stop_gradient(ltrb)), -1, 0)
        if self.center == "box":
            middle = _sampled(middle, (x0 + x1) / 2, (y0 + y1) / 2)
        total = middle + bias.astype(self.dtype)[None, None, None]
        places = ((x0, y0), (x1, y0), (x1, y1), (x0, y1))
        for corner, place in zip(corners, places, strict=True):
            total += _sampled(corner, *place)
        return nn.relu(total)

    def _cells(self, ltrb):
        """Corners of the boxes in cells of the map, `[B, H, W, 4]` xyxy."""
        points = grid.points(self.geometry)
        xyxy = boxes.ltrb_to_xyxy(points[None], ltrb.astype(jnp.float32))
        return (xyxy - self.geometry.offset) / self.geometry.stride


class LocalizationBranch(nn.Module):
    """A tower of its own, the non-local block, the five points, one logit a cell.

    Nie et al., SiamLA, section III-D, as resolved in S19.

    Attributes:
      tower: maps the response to features of the same shape.
      non_local: the non-local block, or None to omit it (Table VI).
      aggregation: the five points, or None to omit them (Table VI).
      kernel_size: side of the last convolution's kernel, cells.
      dtype: dtype of the computation; the output is float32.
    """

    tower: nn.Module
    non_local: nn.Module | None
    aggregation: nn.Module | None
    kernel_size: int = 3
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(
        self, response: jax.Array, p: jax.Array | None, ltrb: jax.Array
    ) -> jax.Array:
        """Predicts the IoU of every cell's box with the target.

        Args:
          response: `[B, H, W, C]`.
          p: position embedding, of the same shape; None without the non-local block.
          ltrb: predicted boxes, `[B, H, W, 4]`, pixels of the search crop.

        Returns:
          Logits, `[B, H, W, 1]`.
        """
        x = self.tower(response)
        if self.non_local is not None:
            x = self.non_local(x, p)
        if self.aggregation is not None:
            x = self.aggregation(x, ltrb)
        logits = Conv(
            1,
            self.kernel_size,
            padding=self.kernel_size // 2,
            use_bias=True,
            kernel_init=small_normal,
            dtype=self.dtype,
            name="logits",
        )(x)
        return logits.astype(jnp.float32)


class LocalizationHead(nn.Module):
    """SiamLA's head: SiamCAR's two towers and the localization branch.

    Attributes:
      car: classification (one logit) and regression.
      branch: the localization branch.
    """

    car: CarHead
    branch: LocalizationBranch

    def __call__(
        self, inputs: tuple[jax.Array, jax.Array], *, train: bool = False
    ) -> dict[str, jax.Array]:
        """Predicts class, box and the box's quality.

        Args:
          inputs: response and position embedding, `[B, H, W, C]` each; see
            `jaxtrack.models.correlations.PositionedCorrelation`.
          train: unused; part of the interface of heads.

        Returns:
          `cls` `[B, H, W, 1]` logits, `ltrb` `[B, H, W, 4]` pixels of the search crop
          and `localization` `[B, H, W, 1]` logits of the IoU.
        """
        response, p = inputs
        outputs = self.car(response, train=train)
        return {**outputs, "localization": self.branch(response, p, outputs["ltrb"])}


def make_tower(like: CarHead) -> Tower:
    """Returns a tower like those of the head, for the localization branch."""
    return Tower(like.depth, like.groups, like.separable, like.dtype)


def _pooled(x, stride):
    """Averages squares of `stride` x `stride` cells; the sides must be multiples."""
    if stride == 1:
        return x
    batch, height, width, channels = x.shape
    squares = (batch, height // stride, stride, width // stride, stride, channels)
    return jnp.mean(x.reshape(squares), axis=(2, 4))


def _sampled(x, u, v):
    """Reads `[B, H, W, C]` at the cells `u, v`, `[B, H, W]` each."""
    batch, height, width, channels = x.shape
    cells = jnp.stack([u, v], axis=-1).reshape(batch, -1, 2)
    values = jax.vmap(interpolation.bilinear)(x, cells)
    return values.reshape(batch, height, width, channels)
