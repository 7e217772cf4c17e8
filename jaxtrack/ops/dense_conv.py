"""Dense convolution, on a CPU in the form that is fastest for its size."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.ops.conv_window import convolve, make_window
from jaxtrack.ops.plain import is_plain

# On a CPU, convolutions of large maps whose patches are at most so long take half the
# time written out, as the sum fuses with what follows: the stem of a small network, and
# 1x1 convolutions of very few channels.
SHORT_PATCH = 27
FEW_CHANNELS = 16
MANY_CELLS = 4096


def dense_conv(
    x: jax.Array,
    kernel: jax.Array,
    *,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
) -> jax.Array:
    """Cross-correlates `x` with a dense kernel.

        y[b, i, j, o] = sum_uvc kernel[u, v, c, o] * x[b, s*i + d*u, s*j + d*v, c]

    Args:
      x: `[B, H, W, Cin]`.
      kernel: `[k, k, Cin, Cout]`.
      stride: cells from one output to the next.
      padding: zeros on each side, or "SAME".
      dilation: cells from one kernel cell to the next.

    Returns:
      `[B, H', W', Cout]`.
    """
    size, channels = kernel.shape[1:3]
    moves = {"stride": stride, "padding": padding, "dilation": dilation}
    window = make_window(x.shape[1:3], (size, size), **moves)
    is_pointwise = size == stride == 1 and not any(map(any, window.pads))
    plain = _pointwise if is_pointwise else partial(convolve, window)
    if is_plain():
        return plain(x, kernel)
    height, width = _output_hw(window, x, size)
    patch, cells = size * size * channels, len(x) * height * width
    if patch <= (SHORT_PATCH if size > 1 else FEW_CHANNELS) and cells >= MANY_CELLS:
        on_cpu = partial(_written_out, window)
        return lax.platform_dependent(x, kernel, cpu=on_cpu, default=plain)
    return plain(x, kernel)


def _output_hw(window, x, size):
    """Returns height and width of the output of a kernel of `size` x `size` cells."""
    extent = window.dilation * (size - 1) + 1
    return [
        (n + sum(pad) - extent) // window.stride + 1
        for n, pad in zip(x.shape[1:3], window.pads, strict=True)
    ]


def _pointwise(x, kernel):
    """A 1x1 convolution: a matrix product over the channels."""
    return jnp.einsum("bhwi,io->bhwo", x, kernel[0, 0])


def _written_out(window, x, kernel):
    """The convolution as a sum over the patch, gathered in float32."""
    channels = [
        lax.slice_in_dim(cells.astype(jnp.float32), c, c + 1, axis=3)
        for cells in _shifted(window, x, kernel.shape[0])
        for c in range(x.shape[-1])
    ]
    rows = kernel.astype(jnp.float32).reshape(len(channels), 1, 1, 1, -1)
    total = sum(cell * row for cell, row in zip(channels, rows, strict=True))
    return total.astype(x.dtype)


def _shifted(window, x, size):
    """Returns the input at each kernel cell, `[k k]` of `[B, H', W', Cin]`."""
    stride, dilation, pads = window
    height, width = _output_hw(window, x, size)
    x = jnp.pad(x, ((0, 0), *pads, (0, 0)))
    starts = [dilation * u for u in range(size)]
    rows = [slice(a, a + stride * (height - 1) + 1, stride) for a in starts]
    columns = [slice(a, a + stride * (width - 1) + 1, stride) for a in starts]
    return [x[:, u, v] for u in rows for v in columns]
