"""A tracker that remembers, for programs that hand it one picture after another."""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.tracking import Tracker, check_init_box, from_config, run
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.video import canvas_size, pad
from jaxtrack.training.checkpoint import load_for_inference


class Answer(NamedTuple):
    """Where the target is.

    Attributes:
      xywh: `[4]` float64, pixels from the picture's top-left edge.
      score: confidence in [0, 1].
    """

    xywh: np.ndarray
    score: float


class StatefulTracker:
    """A pure tracker and the state that it hands from frame to frame.

    Another program's loop owns the video: it calls `start` with the first picture and
    `follow` with each later one, and may start again at any time. Pictures whose sides
    round up to the same multiples of 256 share a compilation.
    """

    def __init__(self, tracker: Tracker, variables: Any):
        """Puts the variables on the device; nothing is compiled yet.

        Args:
          tracker: init and step.
          variables: of the network.
        """
        self._drivers = run.compile_tracker(tracker)
        self._variables = jax.device_put(variables)
        self._compiled = set()
        self._state = None

    def compile_for(self, hw: Sequence[int]) -> None:
        """Compiles for pictures of a size, so that no later call waits for it.

        Args:
          hw: height and width, pixels.
        """
        canvas = canvas_size(hw)
        if canvas in self._compiled:
            return
        frame = Frame(np.zeros((*canvas, 3), np.uint8), np.array(canvas, np.int32))
        inputs = jax.device_put((frame, np.full(4, 8, np.float32)))
        state = self._drivers.init(self._variables, *inputs)
        jax.block_until_ready(self._drivers.step(self._variables, state, inputs[0]))
        self._compiled.add(canvas)

    def start(self, image: np.ndarray, xywh: Sequence[float]) -> Answer:
        """Starts on a picture; forgets what was followed before.

        Args:
          image: `[H, W, 3]` uint8 RGB.
          xywh: the target, pixels from the top-left edge.

        Returns:
          The box as it was given, with score 1.

        Raises:
          InputError: if the box is not finite, is empty or outside of the picture.
          ValueError: if the picture is none.
        """
        x, y, width, height = (float(value) for value in xywh)
        cxcywh = np.array([x + width / 2, y + height / 2, width, height], np.float32)
        frame = _on_canvas(image)
        check_init_box(cxcywh, frame.hw)
        self.compile_for(frame.hw)
        self._state = self._drivers.init(
            self._variables, *jax.device_put((frame, cxcywh))
        )
        return Answer(np.array([x, y, width, height]), 1.0)

    def follow(self, image: np.ndarray) -> Answer:
        """Finds the target in the next picture.

        Args:
          image: `[H, W, 3]` uint8 RGB.

        Returns:
          Box and confidence.

        Raises:
          InputError: if nothing was started.
          ValueError: if the picture is none.
        """
        if self._state is None:
            raise InputError("no target yet: start the tracker with a first box")
        frame = jax.device_put(_on_canvas(image))
        self._state, output = self._drivers.step(self._variables, self._state, frame)
        box, score = jax.device_get(output)
        box = box.astype(np.float64)
        return Answer(np.concatenate([box[:2] - box[2:] / 2, box[2:]]), float(score))


def open_tracker(checkpoint: str | pathlib.Path) -> StatefulTracker:
    """Reads a checkpoint.

    Args:
      checkpoint: what `training.checkpoint.load_for_inference` takes: the folder that
        train.py wrote.

    Returns:
      Its tracker, not compiled yet.

    Raises:
      InputError: if the checkpoint is missing or damaged.
    """
    saved = load_for_inference(checkpoint)
    return StatefulTracker(from_config(saved.config), saved.variables)


def _on_canvas(image):
    """Pads a picture onto its canvas."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"a picture is uint8 [H, W, 3], not {image.dtype} {image.shape}"
        )
    return pad(image, canvas_size(image.shape[:2]))
