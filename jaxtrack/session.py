"""A tracker for programs that hand it one picture after another.

Example:
    session = jaxtrack.load("runs/lite0")
    session.init(first_image, (120, 80, 40, 60))
    for image in images:
        xywh, score = session.update(image)
"""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.trackers import tracker_of
from jaxtrack.tracking import Tracker, check_init_box, run
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.video import canvas_size, pad
from jaxtrack.training.inference import load_for_inference


class TrackedBox(NamedTuple):
    """Where the target is.

    Attributes:
      xywh: `[4]` float64, pixels from the picture's top-left edge.
      score: confidence in [0, 1].
    """

    xywh: np.ndarray
    score: float


class Session:
    """A pure tracker and the state that it hands from frame to frame.

    Another program's loop owns the video: it calls `init` with the first picture and
    `update` with each later one, and may call `init` again at any time. Pictures
    whose sides round up to the same multiples of 256 share a compilation.
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

    def init(self, image: np.ndarray, xywh: Sequence[float]) -> TrackedBox:
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
        return TrackedBox(np.array([x, y, width, height]), 1.0)

    def update(self, image: np.ndarray) -> TrackedBox:
        """Finds the target in the next picture.

        Args:
          image: `[H, W, 3]` uint8 RGB.

        Returns:
          Box and confidence.

        Raises:
          InputError: if `init` was not called.
          ValueError: if the picture is none.
        """
        if self._state is None:
            raise InputError("no target yet: call init with the first picture and box")
        frame = jax.device_put(_on_canvas(image))
        self._state, output = self._drivers.step(self._variables, self._state, frame)
        box, score = jax.device_get(output)
        box = box.astype(np.float64)
        return TrackedBox(
            np.concatenate([box[:2] - box[2:] / 2, box[2:]]), float(score)
        )


def load(checkpoint: str | pathlib.Path) -> Session:
    """Reads a checkpoint to track with.

    Args:
      checkpoint: the workdir of a training, its folder `checkpoints`, or one step's
        folder in there.

    Returns:
      The session, not compiled yet.

    Raises:
      InputError: if the checkpoint is missing or damaged.
    """
    saved = load_for_inference(checkpoint)
    return Session(tracker_of(saved.config), saved.variables)


def _on_canvas(image):
    """Pads a picture onto its canvas."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(
            f"a picture is uint8 [H, W, 3], not {image.dtype} {image.shape}"
        )
    return pad(image, canvas_size(image.shape[:2]))
