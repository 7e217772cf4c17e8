"""Depthwise convolution: one small kernel a channel."""

import functools
import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops.conv_window import Window, convolve, make_window
from jaxtrack.ops.plain import is_plain

# Products the CPU's kernel gradient writes out in one loop body. Measured at
# [32, 32, 32, 96] with 5x5 kernels on two cores: 100 take 70 ms, 400 take 10 ms; more
# only compile for longer. (Reductions over all cells, XLA's own way, take 70 ms.)
UNROLLED = 400
# Kernels of more entries than fit into a CPU core's first cache beside the map are
# applied to about so many channels at a time: 5x5 kernels of 672 channels then take 0.8
# of the time. (On two cores with 32 kB each.)
MOST_ENTRIES = 5000
PART = 112


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

    on the zero-padded `x`. XLA's grouped convolution is slow on a CPU (by 10 to 40
    times, forward); there the sum is written out over the kernel's cells, and fuses
    into one pass. Differentiable in reverse mode.

    Args:
      x: `[B, H, W, C]`.
      kernel: `[kh, kw, 1, C]`.
      stride: s, cells from one output to the next.
      padding: zeros on each of the four sides, or "SAME" (TensorFlow's: output size
        ceil(size / stride), the odd zero below and right), or "VALID".
      dilation: d, cells from one kernel cell to the next.

    Returns:
      `[B, H', W', C]`.

    Raises:
      ValueError: if the kernel is not `[kh, kw, 1, C]` with the channels of `x`.
    """
    if kernel.ndim != 4 or kernel.shape[2:] != (1, x.shape[-1]):
        raise ValueError(f"kernel {kernel.shape} is not [kh, kw, 1, C] of x {x.shape}")
    moves = {"stride": stride, "padding": padding, "dilation": dilation}
    window = make_window(x.shape[1:3], kernel.shape[:2], **moves)
    if is_plain():
        return _grouped(window, x, kernel)
    return _conv(window, x, kernel)


def _grouped(window, x, kernel):
    """XLA's convolution."""
    return convolve(window, x, kernel, groups=x.shape[-1])


def _written_out(window, x, kernel):
    """The convolution as a sum of shifted copies of `x`, gathered in float32."""
    stride, dilation, pads = window
    kh, kw, _, channels = kernel.shape
    padded = jnp.pad(x, ((0, 0), *pads, (0, 0))).astype(jnp.float32)
    # Else XLA reads cells inside of `x`, and computes them a second time for that.
    padded = lax.optimization_barrier(padded)
    kernel = kernel.astype(jnp.float32)
    rows = stride * ((padded.shape[1] - dilation * (kh - 1) - 1) // stride) + 1
    columns = stride * ((padded.shape[2] - dilation * (kw - 1) - 1) // stride) + 1

    # `lax` alone: what `jnp` and `[]` do besides takes ten times as long to trace.
    def product(u, v, first, last):
        top, left = dilation * u, dilation * v
        stop = (len(padded), top + rows, left + columns, last)
        start = (0, top, left, first)
        shifted = lax.slice(padded, start, stop, (1, stride, stride, 1))
        cell = lax.slice(kernel, (u, v, 0, first), (u + 1, v + 1, 1, last))
        return lax.mul(shifted, lax.broadcast_in_dim(cell, shifted.shape, range(4)))

    def part(first, last):
        products = (product(u, v, first, last) for u in range(kh) for v in range(kw))
        return functools.reduce(lax.add, products)

    width = channels
    if kernel.size > MOST_ENTRIES:
        width = 16 * math.ceil(channels / math.ceil(channels / PART) / 16)
    firsts = range(0, channels, width)
    parts = [part(first, min(first + width, channels)) for first in firsts]
    return lax.concatenate(parts, 3).astype(x.dtype)


def _input_gradient(window, hw, kernel, g):
    """The gradient of `x`: spread `g` by the stride, correlate with the flipped kernel.

    Args:
      window: window of the convolution.
      hw: height and width of its input.
      kernel: `[kh, kw, 1, C]`.
      g: gradient of its output, `[B, H', W', C]`.

    Returns:
      `[B, H, W, C]`.
    """
    stride, dilation, pads = window
    sides = []
    for size, cells, k, (before, _) in zip(
        hw, g.shape[1:3], kernel.shape[:2], pads, strict=True
    ):
        reach = dilation * (k - 1)
        low = reach - before  # Negative where the padding was wider than the kernel.
        spread = stride * (cells - 1) + 1
        sides.append((low, size + reach - low - spread, stride - 1))
    spread = lax.pad(g, jnp.zeros((), g.dtype), ((0, 0, 0), *sides, (0, 0, 0)))
    turned = Window(1, dilation, ((0, 0), (0, 0)))
    return _written_out(turned, spread, kernel[::-1, ::-1])


def _kernel_gradient(window, x, kernel_shape, g):
    """The gradient of the kernel: products of shifted `x` with `g`, summed.

    A loop runs over blocks of rows; its body multiplies and adds rows elementwise, so
    that it vectorizes over columns and channels; columns are summed at the end.

    Args:
      window: window of the convolution.
      x: its input, `[B, H, W, C]`.
      kernel_shape: `(kh, kw, 1, C)`.
      g: gradient of its output, `[B, H', W', C]`.

    Returns:
      `[kh, kw, 1, C]` float32.
    """
    stride, dilation, pads = window
    kh, kw, _, channels = kernel_shape
    batch, height, width, _ = g.shape
    rows = max(1, min(height, UNROLLED // (kh * kw)))
    blocks = -(-height // rows)
    # Rows of zeros in `g` fill the last block; `x` grows so that no slice is clamped.
    g = jnp.pad(g, ((0, 0), (0, rows * blocks - height), (0, 0), (0, 0)))
    more = stride * (rows * blocks - height)
    x = jnp.pad(x, ((0, 0), (pads[0][0], pads[0][1] + more), pads[1], (0, 0)))
    x_rows = stride * (rows - 1) + dilation * (kh - 1) + 1

    def add_block(n, total):
        b, row = n // blocks, (n % blocks) * rows
        x_size = (1, x_rows, x.shape[2], channels)
        xs = lax.dynamic_slice(x, (b, stride * row, 0, 0), x_size)[0]
        gs = lax.dynamic_slice(g, (b, row, 0, 0), (1, rows, width, channels))[0]
        xs, gs = xs.astype(jnp.float32), gs.astype(jnp.float32)

        def product(u, v, i):  # [1, W', C]
            row, left = stride * i + dilation * u, dilation * v
            stop = (row + 1, left + stride * (width - 1) + 1, channels)
            shifted = lax.slice(xs, (row, left, 0), stop, (1, stride, 1))
            return lax.mul(shifted, lax.slice_in_dim(gs, i, i + 1))

        def products(u, v):
            return functools.reduce(lax.add, (product(u, v, i) for i in range(rows)))

        cells = [products(u, v) for u in range(kh) for v in range(kw)]
        return total + lax.concatenate(cells, 0)

    total = jnp.zeros((kh * kw, width, channels))
    total = lax.fori_loop(0, batch * blocks, add_block, total)
    return total.sum(1).reshape(kernel_shape)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _conv(window, x, kernel):
    """The convolution in the form that is fastest on the platform."""
    return lax.platform_dependent(
        x, kernel, cpu=partial(_written_out, window), default=partial(_grouped, window)
    )


def _conv_forward(window, x, kernel):
    """The convolution, and the residuals of its gradient."""
    return _conv(window, x, kernel), (x, kernel)


def _conv_backward(window, residuals, g):
    """Gradients of `x` and the kernel."""

    def written_out(x, kernel, g):
        dk = _kernel_gradient(window, x, kernel.shape, g)
        dx = _input_gradient(window, x.shape[1:3], kernel, g)
        return dx.astype(x.dtype), dk.astype(kernel.dtype)

    def grouped(x, kernel, g):
        return jax.vjp(partial(_grouped, window), x, kernel)[1](g)

    return lax.platform_dependent(*residuals, g, cpu=written_out, default=grouped)


_conv.defvjp(_conv_forward, _conv_backward)
