"""Depthwise convolution: one small kernel a channel."""

import jax
import jax.numpy as jnp
from jax import lax


def depthwise_conv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    stride: int = 1,
    padding: int | str = "SAME",
    dilation: int = 1,
) -> jax.Array:
    """Cross-correlates each channel of `x` with its own kernel.

        y[b, i, j, c] = sum_uv kernel[u, v, 0, c] * x[b, s*i + d*u, s*j + d*v, c]

    on the zero-padded `x`. XLA's grouped convolution is slow on a CPU; there the sum
    is written out over the kernel's cells, and fuses into one pass.

    Args:
      x: `[B, H, W, C]`.
      kernel: `[kh, kw, 1, C]`.
      stride: s, cells between two outputs.
      padding: zeros on each of the four sides, or "SAME" (TensorFlow's: output size
        ceil(size / stride), the odd zero below and right) or "VALID".
      dilation: d, cells between two kernel cells.

    Returns:
      `[B, H', W', C]`.

    Raises:
      ValueError: if the kernel is not `[kh, kw, 1, C]` with the channels of `x`.
    """
    if kernel.ndim != 4 or kernel.shape[2:] != (1, x.shape[-1]):
        raise ValueError(f"kernel {kernel.shape} is not [kh, kw, 1, C] of x {x.shape}")
    kh, kw = kernel.shape[:2]
    extent = (dilation * (kh - 1) + 1, dilation * (kw - 1) + 1)
    if isinstance(padding, str):
        pads = lax.padtype_to_pads(x.shape[1:3], extent, (stride, stride), padding)
    else:
        pads = [(padding, padding)] * 2

    def shifted_sum(x, kernel):
        x = jnp.pad(x, ((0, 0), *pads, (0, 0)))
        height = (x.shape[1] - extent[0]) // stride + 1
        width = (x.shape[2] - extent[1]) // stride + 1
        total = 0.0
        for u in range(kh):
            for v in range(kw):
                top, left = dilation * u, dilation * v
                bottom = top + stride * (height - 1) + 1
                right = left + stride * (width - 1) + 1
                cells = x[:, top:bottom:stride, left:right:stride]
                total += cells * kernel[u, v, 0][None, None, None]
        return total

    def grouped(x, kernel):
        return lax.conv_general_dilated(
            x,
            kernel,
            (stride, stride),
            pads,
            rhs_dilation=(dilation, dilation),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=x.shape[-1],
        )

    return lax.platform_dependent(x, kernel, cpu=shifted_sum, default=grouped)
