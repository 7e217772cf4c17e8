"""Convolutions and normalisations whose affine parts fold into the kernel."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax

from jaxtrack.ops.dense_conv import dense_conv
from jaxtrack.ops.depthwise_conv import depthwise_conv
from jaxtrack.ops.plain import is_plain

# He et al. (arXiv:1502.01852) over the fan-out, as pysot and EfficientNet start.
kaiming = nn.initializers.variance_scaling(2.0, "fan_out", "normal")

# Factor and offset of every channel, `[C]` each; no factor is 1.
Affine = tuple[jax.Array | None, jax.Array]


class Conv(nn.Module):
    """A dense 2-D convolution; a 1x1 one is a matrix product over the channels.

    Attributes:
      features: number of output channels.
      kernel_size: side of the square kernel, cells.
      stride: cells between two outputs.
      padding: zeros on each of the four sides, or "SAME" (TensorFlow's, which puts
        the odd cell below and right).
      dilation: cells between two kernel cells.
      use_bias: whether it has a bias.
      kernel_init: initialiser of the kernel, `[k, k, Cin, Cout]`.
      bias_init: initialiser of the bias, `[Cout]`.
      dtype: dtype of the computation; parameters stay float32.
    """

    features: int
    kernel_size: int = 1
    stride: int = 1
    padding: int | str = 0
    dilation: int = 1
    use_bias: bool = False
    kernel_init: Callable = kaiming
    bias_init: Callable = nn.initializers.zeros
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, *, affine: Affine | None = None) -> jax.Array:
        """Convolves `x`, then applies the affine map to the output channels.

        Args:
          x: `[B, H, W, Cin]`.
          affine: `(a, b)`, `[Cout]` each, for `a * y + b`; no a is 1. It costs
            nothing: a pass over the output adds the bias and cuts it off anyway,
            whereas a kernel may be larger than its output.

        Returns:
          `[B, H', W', Cout]`.
        """
        size = self.kernel_size
        shape = (size, size, x.shape[-1], self.features)
        kernel = self.param("kernel", self.kernel_init, shape)
        y = dense_conv(
            x.astype(self.dtype),
            kernel.astype(self.dtype),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )
        if self.use_bias:
            bias = self.param("bias", self.bias_init, (self.features,))
            y = y + bias.astype(self.dtype)[None, None, None]
        if affine is not None:
            y = _mapped(y, affine)
        return y


class DepthwiseConv(nn.Module):
    """A depthwise 2-D convolution: one kernel per channel.

    Attributes:
      kernel_size: side of the square kernel, cells.
      stride: cells between two outputs.
      dilation: cells between two kernel cells.
      dtype: dtype of the computation; parameters stay float32.
      padding: see `Conv`.
    """

    kernel_size: int
    stride: int = 1
    dilation: int = 1
    dtype: jnp.dtype = jnp.float32
    padding: int | str = "SAME"

    @nn.compact
    def __call__(self, x: jax.Array, *, affine: Affine | None = None) -> jax.Array:
        """Convolves `x`, then applies the affine map.

        Args:
          x: `[B, H, W, C]`.
          affine: `(a, b)`, `[C]` each, for `a * y + b`; `a` multiplies the kernel, no
            a is 1.

        Returns:
          `[B, H', W', C]`; with "SAME" H' is ceil(H / stride).
        """
        shape = (self.kernel_size, self.kernel_size, 1, x.shape[-1])
        kernel = self.param("kernel", kaiming, shape)
        a, b = affine or (None, None)
        if a is not None:
            kernel = kernel * a[None, None, None]
        y = depthwise_conv(
            x.astype(self.dtype),
            kernel.astype(self.dtype),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
        )
        return y if b is None else _mapped(y, (None, b))


class BatchNorm(nn.Module):
    """Batch normalisation that returns its affine map for evaluation.

    Ioffe & Szegedy (arXiv:1502.03167). In training, mean and variance are computed over
    the batch of all devices on `axis_name`; the running variance averages the unbiased
    one, as in PyTorch.

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

    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalises `x`, `[B, H, W, C]`, by its own batch and updates the averages.

        Raises:
          ValueError: if it is folded.
        """
        if self.is_folded:
            raise ValueError("a folded normalisation has no statistics to train")
        mean, var, count = self._statistics(x.astype(jnp.float32))
        if not self.is_initializing():
            keep, take = self.momentum, 1.0 - self.momentum
            unbiased = var * (count / max(count - 1, 1))
            self.mean.value = keep * self.mean.value + take * mean
            self.var.value = keep * self.var.value + take * unbiased
        a = self.scale * lax.rsqrt(var + self.epsilon)
        b = self.bias - mean * a
        y = x.astype(jnp.float32) * a[None, None, None] + b[None, None, None]
        return y.astype(x.dtype)

    def _statistics(self, x: jax.Array) -> tuple[jax.Array, jax.Array, int]:
        """Mean and biased variance, `[C]`, over all devices, and their cell count."""
        axes = (0, 1, 2)
        count = x.shape[0] * x.shape[1] * x.shape[2]
        mean = jnp.mean(x, axes)
        if self.axis_name is None or self.is_initializing():
            return mean, jnp.mean(jnp.square(x - mean[None, None, None]), axes), count
        mean = lax.pmean(mean, self.axis_name)
        square = jnp.mean(jnp.square(x - mean[None, None, None]), axes)
        var = lax.pmean(square, self.axis_name)
        return mean, var, count * lax.axis_size(self.axis_name)


class GroupNorm(nn.Module):
    """Group normalisation: means first, then one multiply-add per cell.

    Wu & He (arXiv:1803.08494); groups are contiguous channels, epsilon PyTorch's.

    Attributes:
      num_groups: number of groups; divides the number of channels.
      epsilon: added to the variance.
    """

    num_groups: int
    epsilon: float = 1e-5

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Normalises `x`, `[B, H, W, C]`, over cells and the channels of a group."""
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
        centred = y - group_mean(y)[:, None]
        var = group_mean(jnp.square(centred))
        a = scale[None] * lax.rsqrt(var + self.epsilon)
        y = centred * a[:, None] + bias[None, None]
        return y.reshape(x.shape).astype(x.dtype)


def _mapped(y: jax.Array, affine: Affine) -> jax.Array:
    """Returns `a * y + b`."""
    a, b = (None if c is None else c.astype(y.dtype)[None, None, None] for c in affine)
    return y + b if a is None else y * a + b


def conv_bn(
    conv: Conv | DepthwiseConv, bn: BatchNorm, x: jax.Array, *, train: bool
) -> jax.Array:
    """Applies a convolution and its batch normalisation.

    Args:
      conv: the convolution.
      bn: the normalisation of its output.
      x: `[B, H, W, C]`.
      train: normalise by the batch; otherwise the running statistics are folded into
        the kernel.

    Returns:
      `[B, H', W', C']`.
    """
    return bn(conv(x)) if train else conv(x, affine=bn.affine())
