"""How a kernel moves over a map, and the convolution as XLA has it."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
from jax import lax


class Window(NamedTuple):
    """How a kernel moves.

    Attributes:
      stride: cells between two outputs.
      dilation: cells between two kernel cells.
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
    """Returns how a kernel moves over a map.

    Args:
      hw: height and width of the map, cells.
      kernel_hw: height and width of the kernel.
      stride: cells between two outputs.
      padding: zeros on each of the four sides, or "SAME" (TensorFlow's) or "VALID".
      dilation: cells between two kernel cells.
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
      window: how the kernel moves.
      x: `[B, H, W, Cin]`.
      kernel: `[kh, kw, Cin / groups, Cout]`.
      groups: of channels that do not meet; Cin of a depthwise convolution.

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
