"""The state between frames, and the functions of a tracker."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import jax
from flax import struct


class Frame(NamedTuple):
    """A picture on a canvas, so that pictures of many sizes share a compilation.

    Attributes:
      image: `[Hc, Wc, 3]` uint8 RGB, the picture in the canvas's top-left corner.
      hw: `[2]` int32, height and width of the picture, pixels.
    """

    image: jax.Array
    hw: jax.Array


@struct.dataclass
class TrackerState:
    """The state of a tracker between frames.

    Attributes:
      template: features of the target, from `model.encode_template` (a pytree with a
        leading axis of length 1); computed once, in `init`.
      box: `[4]` cxcywh of the last frame, pixels of the picture.
      fill: `[3]` RGB mean of the first frame, for padding.
      memory: with `tracking.over_time`; see `tracking.temporal.Memory`.
    """

    template: Any
    box: jax.Array
    fill: jax.Array
    memory: Any = None


class TrackerOutput(NamedTuple):
    """The output of a tracker for one frame.

    Attributes:
      box: `[4]` cxcywh, pixels of the picture.
      score: `[]` confidence in [0, 1]; low if the target seems lost.
    """

    box: jax.Array
    score: jax.Array


class Probe(NamedTuple):
    """A network's maps over the cells of its response, for analyses.

    Attributes:
      cls: `[H, W]` probability of the target.
      quality: `[H, W]` quality of the cell's box in [0, 1], as used by the selection.
      confidence: `[H, W]` ranking score before penalty and window:
        `cls * quality ** quality_power`.
      xyxy: `[H, W, 4]` each cell's box, pixels of the picture.
    """

    cls: jax.Array
    quality: jax.Array
    confidence: jax.Array
    xyxy: jax.Array


class Crop(NamedTuple):
    """A crop of a frame.

    Attributes:
      aim: where it was cut, from `Tracker.aim` or `aim_first`.
      pixels: from `Tracker.cut`.
    """

    aim: Any
    pixels: Any


class Start(Protocol):
    """Starts on a target."""

    def __call__(self, variables: Any, crops: Sequence[Crop], fill: Any) -> Any:
        """Returns the state of the tracker.

        Args:
          variables: of the network.
          crops: one for each aim of `Tracker.aim_first`.
          fill: from `Tracker.fill`.
        """


class Update(Protocol):
    """Finds the target in a crop; returns results in the order of a `lax.scan` body."""

    def __call__(
        self, variables: Any, state: Any, crop: Crop, settings: Any
    ) -> tuple[Any, TrackerOutput]:
        """Returns the new state and the output for the frame.

        Args:
          variables: of the network.
          state: of the tracker.
          crop: of the next frame.
          settings: see `Tracker`; by default its own.
        """


class ProbeMaps(Protocol):
    """Returns the maps from which `Update` selects."""

    def __call__(self, variables: Any, state: Any, crop: Crop) -> Probe:
        """Returns the maps; arguments as in `Update`."""


class Tracker(NamedTuple):
    """A tracker as pure functions that aim, cut crops, and find the target in them.

    Only `cut` and `fill` read frames, so only they are compiled again for another
    canvas, in a fraction of a second. The network, in `start` and `update`, is compiled
    once. `init` and `step` combine these functions.

    Attributes:
      aim_first: `(box [4] cxcywh px, hw [2]) -> aims`, a tuple of where to cut crops
        out of the first frame.
      aim: `(state, hw [2]) -> aim`, where to cut a crop out of the next frame.
      cut: `(frame, aim) -> pixels`, with shapes independent of the canvas.
      fill: `(frame) -> [3]`, RGB for padding, from the first frame.
      start: `(variables, crops, fill) -> state`.
      update: `(variables, state, crop, settings) -> (state, TrackerOutput)`.
      probe: `(variables, state, crop) -> Probe`, or None.
      settings: NamedTuple of the numbers for `update`, traced or not; by default those
        of the config.
      ranges: of tuning: field of `settings`, which is one of the config's group
        `tracking` -> lowest and highest value to try.
    """

    aim_first: Callable[[jax.Array, jax.Array], tuple[Any, ...]]
    aim: Callable[[Any, jax.Array], Any]
    cut: Callable[[Frame, Any], Any]
    fill: Callable[[Frame], Any]
    start: Start
    update: Update
    probe: ProbeMaps | None = None
    settings: Any = None
    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({})

    def init(self, variables: Any, frame: Frame, box: jax.Array) -> Any:
        """Starts on a target in a frame.

        Args:
          variables: of the network.
          frame: the first one.
          box: `[4]` cxcywh of the target, pixels of the picture.

        Returns:
          The state of the tracker.
        """
        aims = self.aim_first(box, frame.hw)
        crops = [Crop(aim, self.cut(frame, aim)) for aim in aims]
        return self.start(variables, crops, self.fill(frame))

    def step(
        self, variables: Any, state: Any, frame: Frame, *, settings: Any = None
    ) -> tuple[Any, TrackerOutput]:
        """Tracks through a frame; the body of a `lax.scan`.

        Args:
          variables: of the network.
          state: of the tracker.
          frame: the next one.
          settings: of the selection; None takes the tracker's own.

        Returns:
          The new state, and the output for the frame.
        """
        aim = self.aim(state, frame.hw)
        crop = Crop(aim, self.cut(frame, aim))
        if settings is None:
            return self.update(variables, state, crop)
        return self.update(variables, state, crop, settings)
