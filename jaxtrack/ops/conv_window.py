"""The window of a convolution, and XLA's convolution."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
from jax import lax


class Window(NamedTuple):
    """The window of a convolution.

    Attributes:
      stride: cells from one output to the next.
      dilation: cells from one kernel cell to the next.
      pads: zeros, ((top, bottom), (left, right)).
    """

    stride: int
    dilation: int
    pads: tuple[tuple[int, int], tuple[int, int]]


def make_window(
    hw: Sequence[int],
    kernel_hw: Sequence[int],
    *,
    stride: int,
    padding: int | str,
    dilation: int,
) -> Window:
    """Returns the window of a convolution over a map.

    Args:
      hw: height and width of the map, cells.
      kernel_hw: height and width of the kernel.
      stride: cells from one output to the next.
      padding: zeros on each of the four sides, or "SAME" (TensorFlow's) or "VALID".
      dilation: cells from one kernel cell to the next.
    """
    if isinstance(padding, str):
        extent = [dilation * (size - 1) + 1 for size in kernel_hw]
        pads = lax.padtype_to_pads(hw, extent, (stride, stride), padding)
    else:
        pads = [(padding, padding)] * 2
    return Window(stride, dilation, tuple(map(tuple, pads)))


def convolve(
    window: Window, x: jax.Array, kernel: jax.Array, *, groups: int = 1
) -> jax.Array:
    """Cross-correlates `x` with a kernel by XLA's own convolution.

    Args:
      window: strides, dilation and padding.
      x: `[B, H, W, Cin]`.
      kernel: `[kh, kw, Cin / groups, Cout]`.
      groups: number of channel groups; Cin for a depthwise convolution.

    Returns:
      `[B, H', W', Cout]`.
    """
    stride, dilation, pads = window
    return lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        pads,
        rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )
