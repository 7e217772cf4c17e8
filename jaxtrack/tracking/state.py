"""What passes between frames, and the pair of functions that is a tracker."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from flax import struct


class Frame(NamedTuple):
    """One picture on a canvas, so that pictures of many sizes share a compilation.

    Attributes:
      image: `[Hc, Wc, 3]` uint8 RGB, the picture in the canvas's top-left corner.
      hw: `[2]` int32, height and width of the part that is picture, pixels.
    """

    image: jax.Array
    hw: jax.Array


@struct.dataclass
class TrackerState:
    """What a tracker remembers between frames.

    Attributes:
      template: features of the target, as `model.encode_template` returns them
        (a pytree with a leading axis of length 1); computed once, at `init`.
      box: `[4]` cxcywh of the last frame, pixels of the picture.
      fill: `[3]` RGB mean of the first frame, seen outside the picture.
    """

    template: Any
    box: jax.Array
    fill: jax.Array


class TrackerOutput(NamedTuple):
    """What a tracker says of one frame.

    Attributes:
      box: `[4]` cxcywh, pixels of the picture.
      score: `[]` confidence in [0, 1]; low where the target seems lost.
    """

    box: jax.Array
    score: jax.Array


class Tracker(NamedTuple):
    """A tracker is two pure functions.

    Attributes:
      init: `(variables, frame, box [4] cxcywh px) -> TrackerState`.
      step: `(variables, state, frame) -> (TrackerState, TrackerOutput)`; the order of
        the results makes it the body of a `lax.scan`.
    """

    init: Callable[..., TrackerState]
    step: Callable[..., tuple[TrackerState, TrackerOutput]]
