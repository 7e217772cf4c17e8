"""What passes between frames, and the pair of functions that is a tracker."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import jax
from flax import struct

from jaxtrack.errors import InputError


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


class Init(Protocol):
    """Starts on a target."""

    def __call__(self, variables: Any, frame: Frame, box: jax.Array) -> Any:
        """Returns what the tracker remembers.

        Args:
          variables: of the network.
          frame: the first one.
          box: `[4]` cxcywh of the target, pixels of the picture.
        """


class Step(Protocol):
    """Tracks through a frame; its results come in the order of a `lax.scan`'s body."""

    def __call__(
        self, variables: Any, state: Any, frame: Frame, settings: Any
    ) -> tuple[Any, TrackerOutput]:
        """Returns what the tracker remembers, and what it says of the frame.

        Args:
          variables: of the network.
          state: what was remembered.
          frame: the next one.
          settings: see `Tracker`; its own where they are left out.
        """


class ProbeMaps(Protocol):
    """Looks where `Step` would look."""

    def __call__(self, variables: Any, state: Any, frame: Frame) -> Probe:
        """Returns what the network thinks of every cell; arguments as of `Step`."""


class Tracker(NamedTuple):
    """A tracker is a pair of pure functions, and a third that shows its maps.

    Attributes:
      init: `(variables, frame, box [4] cxcywh px) -> state`.
      step: `(variables, state, frame, settings) -> (state, TrackerOutput)`.
      probe: `(variables, state, frame) -> Probe`, or None.
      settings: NamedTuple of the numbers that `step` takes, traced or not: the
        configuration's, its default.
      ranges: what tuning may vary: field of `settings`, which is one of the group
        `tracking` of the configuration -> lowest and highest value to try.
    """

    init: Init
    step: Step
    probe: ProbeMaps | None = None
    settings: Any = None
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({})


def check_init_box(
    box: Sequence[float], hw: Sequence[int], *, where: str = "the first box"
) -> None:
    """Refuses a first box with which tracking cannot start; for the host, not for jit.

    Args:
      box: `[4]` cxcywh, pixels.
      hw: height and width of the picture, pixels.
      where: what the message names, such as a path and line.

    Raises:
      InputError: if a number is NaN or infinite, the box is empty, or lies wholly
        outside of the picture.
    """
    cx, cy, width, height = (float(value) for value in box)
    x, y = cx - width / 2, cy - height / 2
    shown = f"{where} is x,y,w,h = {x:g},{y:g},{width:g},{height:g}"
    if not all(map(math.isfinite, (x, y, width, height))):
        raise InputError(f"{shown}: give four finite numbers")
    if width <= 0 or height <= 0:
        raise InputError(f"{shown}: width and height must be positive")
    if x >= hw[1] or y >= hw[0] or x + width <= 0 or y + height <= 0:
        raise InputError(
            f"{shown}, outside of the picture of {hw[1]} x {hw[0]} pixels: "
            "give a box that meets it"
        )
