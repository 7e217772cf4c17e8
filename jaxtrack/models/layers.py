"""Convolutions that take the affine part of a normalization."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.norms import Affine, BatchNorm
from jaxtrack.ops.dense_conv import dense_conv
from jaxtrack.ops.depthwise_conv import depthwise_conv

# He et al. (arXiv:1502.01852) over the fan-out, as pysot and EfficientNet start.
kaiming = nn.initializers.variance_scaling(2.0, "fan_out", "normal")


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
      kernel_init: initializer of the kernel, `[k, k, Cin, Cout]`.
      bias_init: initializer of the bias, `[Cout]`.
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


def _mapped(y: jax.Array, affine: Affine) -> jax.Array:
    """Returns `a * y + b`."""
    a, b = (None if c is None else c.astype(y.dtype)[None, None, None] for c in affine)
    return y + b if a is None else y * a + b


def conv_bn(
    conv: Conv | DepthwiseConv, bn: BatchNorm, x: jax.Array, *, train: bool
) -> jax.Array:
    """Applies a convolution and its batch normalization.

    Args:
      conv: the convolution.
      bn: the normalization of its output.
      x: `[B, H, W, C]`.
      train: normalize by the batch; otherwise the running statistics are folded into
        the kernel.

    Returns:
      `[B, H', W', C']`.
    """
    return bn(conv(x)) if train else conv(x, affine=bn.affine())
