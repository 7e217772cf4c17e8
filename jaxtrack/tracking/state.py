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


class Probe(NamedTuple):
    """What a network thinks of every cell of its response, for analyses.

    Attributes:
      cls: `[H, W]` probability of the target.
      quality: `[H, W]` quality of the cell's box in [0, 1], as the selection takes it.
      confidence: `[H, W]` by which cells are ranked before penalty and window:
        `cls * quality ** quality_power`.
      xyxy: `[H, W, 4]` each cell's box, pixels of the picture.
    """

    cls: jax.Array
    quality: jax.Array
    confidence: jax.Array
    xyxy: jax.Array


class Tracker(NamedTuple):
    """A tracker is a pair of pure functions, and a third that shows its maps.

    Attributes:
      init: `(variables, frame, box [4] cxcywh px) -> TrackerState`.
      step: `(variables, state, frame) -> (TrackerState, TrackerOutput)`; the order of
        the results makes it the body of a `lax.scan`.
      probe: `(variables, state, frame) -> Probe`, looking where `step` would look.
    """

    init: Callable[..., TrackerState]
    step: Callable[..., tuple[TrackerState, TrackerOutput]]
    probe: Callable[..., Probe] | None = None
