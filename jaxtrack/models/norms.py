"""Normalizations, and over which pairs their statistics are computed."""

import contextlib
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax

from jaxtrack.ops.plain import is_plain

# Factor and offset of every channel, `[C]` each; no factor is 1.
Affine = tuple[jax.Array | None, jax.Array]


class Statistics(NamedTuple):
    """Over which pairs batch normalizations compute their statistics in training.

    Attributes:
      split: equal groups of neighbors that a device's batch is divided into, each with
        statistics of its own.
      devices: how many neighboring devices share statistics; 0 is all.
      is_frozen: normalize by the running statistics, which stay as they are.
    """

    split: int = 1
    devices: int = 0
    is_frozen: bool = False


WHOLE_BATCH = Statistics()


class BatchNorm(nn.Module):
    """Batch normalization that returns its affine map for evaluation.

    Ioffe & Szegedy (arXiv:1502.03167). In training, mean and variance are computed over
    the batch of all devices on `axis_name`, or over groups of it, as Hoffer et al.
    (arXiv:1705.08741) do in "ghost" batch normalization; the running variance averages
    the unbiased one, as in PyTorch.

    If its only variable is a bias, it is folded into the convolution before it
    (see `jaxtrack.models.folding`) and can only be used for evaluation.

    Attributes:
      features: number of channels.
      epsilon: added to the variance.
      momentum: weight of the old running statistics in a step.
      axis_name: mapped axis over which statistics are shared, or None.
    """

    features: int
    epsilon: float = 1e-5
    momentum: float = 0.9
    axis_name: str | None = None

    def setup(self):
        """Declares scale, bias and the running statistics, all `[C]`."""
        shape = (self.features,)
        if not self.is_folded:
            self.scale = self.param("scale", nn.initializers.ones, shape)
            self.mean = self.variable("batch_stats", "mean", jnp.zeros, shape)
            self.var = self.variable("batch_stats", "var", jnp.ones, shape)
        self.bias = self.param("bias", nn.initializers.zeros, shape)

    @property
    def is_folded(self) -> bool:
        """Whether all but the bias is folded into the convolution before it."""
        has_own = self.has_variable("params", "scale") or self.has_variable(
            "batch_stats", "mean"
        )
        return not (has_own or self.is_initializing())

    def affine(self) -> Affine:
        """Returns `(a, b)`, `[C]` each: at evaluation the layer is `a * x + b`.

        Folded, there is no a.
        """
        if self.is_folded:
            return None, self.bias
        a = self.scale * lax.rsqrt(self.var.value + self.epsilon)
        return a, self.bias - self.mean.value * a

    def __call__(
        self, x: jax.Array, *, statistics: Statistics = WHOLE_BATCH
    ) -> jax.Array:
        """Normalizes `x` by its own batch and updates the running statistics.

        Args:
          x: `[B, H, W, C]`.
          statistics: what they are computed over; see `statistics_of`.

        Raises:
          ValueError: if it is folded.
        """
        if self.is_folded:
            raise ValueError("a folded normalization has no statistics to train")
        if statistics.is_frozen:
            a, b = (c[None] for c in self.affine())
        else:
            mean, var = self._statistics(x.astype(jnp.float32), statistics)
            a = self.scale[None] * lax.rsqrt(var + self.epsilon)
            b = self.bias[None] - mean * a
        y = x.astype(jnp.float32).reshape(len(a), -1, *x.shape[1:])
        y = y * a[:, None, None, None] + b[:, None, None, None]
        return y.reshape(x.shape).astype(x.dtype)

    def _statistics(self, x, statistics):
        """Returns mean and biased variance, `[G, C]`; updates the running ones."""
        axis = None if self.is_initializing() else self.axis_name
        own = partial(_mean_over, axis, statistics.devices)
        axes = (1, 2, 3)
        x = x.reshape(statistics.split, -1, *x.shape[1:])
        mean = own(jnp.mean(x, axes))
        var = own(jnp.mean(jnp.square(x - mean[:, None, None, None]), axes))
        if not self.is_initializing():
            count = x[0, ..., 0].size
            if axis is not None:
                count *= statistics.devices or lax.axis_size(axis)
            keep, take = self.momentum, 1.0 - self.momentum
            unbiased = var * (count / max(count - 1, 1))
            # Those of all groups, on all devices alike.
            every = partial(_mean_over, axis if statistics.devices else None, 0)
            self.mean.value = keep * self.mean.value + take * every(mean.mean(0))
            self.var.value = keep * self.var.value + take * every(unbiased.mean(0))
        return mean, var


def _mean_over(axis: str | None, devices: int, x: jax.Array) -> jax.Array:
    """Averages over `devices` neighbors; 0 averages over all, no axis over none."""
    if axis is None or devices == 1:
        return x
    if not devices:
        return lax.pmean(x, axis)
    firsts = range(0, lax.axis_size(axis), devices)
    groups = [list(range(first, first + devices)) for first in firsts]
    return lax.pmean(x, axis, axis_index_groups=groups)


def statistics_of(statistics: Statistics) -> contextlib.AbstractContextManager[None]:
    """Makes all batch normalizations compute their statistics over the same pairs.

    Args:
      statistics: over which; they hold for what is traced inside the context.

    Raises:
      ValueError: from a network with Flax's own batch normalization, which cannot.
    """

    def intercept(method, args, kwargs, context):
        if isinstance(context.module, nn.BatchNorm):
            raise ValueError("use jaxtrack.models.norms.BatchNorm, not flax.linen's")
        if isinstance(context.module, BatchNorm) and context.method_name == "__call__":
            kwargs = {**kwargs, "statistics": statistics}
        return method(*args, **kwargs)

    if statistics == WHOLE_BATCH:
        return contextlib.nullcontext()
    return nn.intercept_methods(intercept)


class GroupNorm(nn.Module):
    """Group normalization: means first, then one multiply-add per cell.

    Wu & He (arXiv:1803.08494); groups are contiguous channels, epsilon PyTorch's.

    Attributes:
      num_groups: number of groups; divides the number of channels.
      epsilon: added to the variance.
    """

    num_groups: int
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalizes `x`, `[B, H, W, C]`, over cells and the channels of a group."""
        batch, height, width, channels = x.shape
        scale = self.param("scale", nn.initializers.ones, (channels,))
        bias = self.param("bias", nn.initializers.zeros, (channels,))
        cells, size = height * width, channels // self.num_groups

        def reduction(y):  # [B, N, C] -> [B, C], equal within a group
            mean = jnp.mean(y, 1).reshape(batch, self.num_groups, -1).mean(-1)
            return jnp.repeat(mean, size, axis=-1)

        def product(y):  # The same; XLA's reductions take a CPU five times as long.
            group = np.arange(channels) // size
            is_same = jnp.asarray(group[:, None] == group[None], jnp.float32)
            ones = jnp.ones((batch, 1, cells), jnp.float32)
            return (ones @ y)[:, 0] @ (is_same / (cells * size))

        def group_mean(y):
            if is_plain():
                return reduction(y)
            return lax.platform_dependent(y, cpu=product, default=reduction)

        y = x.astype(jnp.float32).reshape(batch, cells, channels)
        centered = y - group_mean(y)[:, None]
        var = group_mean(jnp.square(centered))
        a = scale[None] * lax.rsqrt(var + self.epsilon)
        y = centered * a[:, None] + bias[None, None]
        return y.reshape(x.shape).astype(x.dtype)
