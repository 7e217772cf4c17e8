"""A tracker for programs that pass it one image after another.

Example:
    with jaxtrack.load("lite") as session:
        session.init(first_image, (120, 80, 40, 60))
        for image in images:
            xywh, score = session.update(image)
"""

import pathlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.session_state import SessionState
from jaxtrack.trackers import describe, folded, tracker_of
from jaxtrack.tracking import Tracker, check_init_box, recorded, run, sources
from jaxtrack.tracking.host_boxes import cxcywh_from_xywh, xywh_from_cxcywh
from jaxtrack.tracking.pictures import to_boxes, to_rgb
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.video import canvas_size, pad
from jaxtrack.training.inference import load_for_inference, with_model


class TrackedBox(NamedTuple):
    """The box of the target, or the boxes of n targets.

    Attributes:
      xywh: `[4]` or `[n, 4]` float64, pixels from the image's top-left edge.
      score: confidence in [0, 1], a float or `[n]`.
    """

    xywh: np.ndarray
    score: float | np.ndarray


class Session:
    """A pure tracker and its state from image to image.

    The calling program owns the video: it calls `init` with the first image and
    `update` with each later one, and may call `init` again at any time. An image is
    RGB uint8 `[H, W, 3]`, or anything that `jaxtrack.tracking.pictures.to_rgb`
    converts. If the size changes, the target is searched at the same pixel
    coordinates: nothing is rescaled. A size that rounds up to new multiples of 256
    compiles the crops once, in a fraction of a second. Calls from several threads run
    one at a time.

    Attributes:
      name: of the tracker, such as "lite: siamcar (efficientnet_lite0, light)".
    """

    def __init__(
        self,
        tracker: Tracker,
        variables: Any,
        *,
        name: str = "tracker",
        lost_below: float = 0.0,
    ):
        """Puts the variables on the device; nothing is compiled yet.

        Args:
          tracker: the functions that track.
          variables: of the network.
          name: of the tracker, to display.
          lost_below: a target with a lower score counts as lost; 0 disables this.
        """
        self.name = name
        self._drivers = {0: run.compile_tracker(tracker)}
        self._tracker = tracker
        self._variables = jax.device_put(variables)
        self._lost_below = lost_below
        self._compiled = set()
        self._state = self._frame = None
        self._lock = threading.RLock()

    def __enter__(self) -> "Session":
        """Returns itself."""
        return self

    def __exit__(self, *fault: object) -> None:
        """Forgets the target and frees the device's memory."""
        with self._lock:
            self._state = self._variables = self._frame = None

    @property
    def lost(self) -> bool | np.ndarray:
        """Whether the last score was below the tracker's `tracking.lost_below`.

        A bool, or `[n]` of them; False before `init`. Updates continue near the last
        position, and may find the target again.
        """
        with self._lock:
            if self._state is None:
                return False
            lost = self._state.score < self._lost_below
            return lost if self._state.targets else bool(lost)

    @property
    def state(self) -> SessionState | None:
        """The state, which can be pickled; None before `init`.

        Set it on a session of the same tracker, in any process, to continue there.
        """
        with self._lock:
            return jax.device_get(self._state)

    @state.setter
    def state(self, state: SessionState | None) -> None:
        """Continues from the state of a session of the same tracker."""
        with self._lock:
            if state is not None:
                state = state._replace(tracker=jax.device_put(state.tracker))
            self._state = state

    def compile_for(self, hw: Sequence[int], *, targets: int = 0) -> None:
        """Compiles for an image size in advance.

        Args:
          hw: height and width, pixels.
          targets: how many are tracked at once; 0 is one, whose box is `[4]`.
        """
        with self._lock:
            canvas = canvas_size(hw)
            if (canvas, targets) in self._compiled:
                return
            frame = Frame(np.zeros((*canvas, 3), np.uint8), np.array(canvas, np.int32))
            box = np.full((targets, 4) if targets else 4, 8, np.float32)
            inputs = jax.device_put((frame, box))
            drivers, variables = self._driver(targets), self._open()
            state = drivers.init(variables, *inputs)
            jax.block_until_ready(drivers.step(variables, state, inputs[0]))
            self._compiled.add((canvas, targets))

    def init(self, image: np.ndarray, xywh: Sequence[float]) -> TrackedBox:
        """Starts tracking in an image, and forgets earlier targets.

        Args:
          image: the first image.
          xywh: the target, pixels from the top-left edge, `[4]` or `[1, 4]`; `[n, 4]`
            for n targets, which each call of `update` tracks together.

        Returns:
          The given boxes, with score 1.

        Raises:
          InputError: if a box is not finite, is empty or outside of the image, or
            the arguments are not an image and boxes.
        """
        first = to_boxes(xywh)
        frame = _on_canvas(image)
        cxcywh = cxcywh_from_xywh(first).astype(np.float32)
        for number, box in enumerate(cxcywh.reshape(-1, 4)):
            where = "the first box" if first.ndim == 1 else f"first box {number}"
            check_init_box(box, frame.hw, where=where)
        targets = len(first) if first.ndim == 2 else 0
        score = np.ones(targets) if targets else 1.0
        with self._lock:
            self.compile_for(frame.hw, targets=targets)
            inputs = jax.device_put((frame, cxcywh))
            state = self._driver(targets).init(self._open(), *inputs)
            self._state = SessionState(targets, state, score)
        return TrackedBox(first, score)

    def update(self, image: np.ndarray) -> TrackedBox:
        """Finds the target, or the targets, in the next image.

        Args:
          image: the next image.

        Returns:
          Boxes and scores.

        Raises:
          InputError: if `init` was not called, or the argument is not an image.
        """
        image = image if isinstance(image, Frame) else to_rgb(image)
        with self._lock:
            frame = self._placed(image)
            if self._state is None:
                raise InputError(
                    "no target yet: call init with the first image and box"
                )
            targets, state, _ = self._state
            drivers = self._driver(targets)
            state, output = drivers.step(self._open(), state, jax.device_put(frame))
            box, score = jax.device_get(output)
            score = score.astype(np.float64) if targets else float(score)
            self._state = SessionState(targets, state, score)
        return TrackedBox(xywh_from_cxcywh(box.astype(np.float64)), score)

    def track_videos(
        self,
        videos: Sequence[sources.Name],
        xywh: Sequence[Sequence[float]],
        *,
        at_once: int = 0,
        advance: Callable[[int], object] = lambda count: None,
    ) -> list[TrackedBox]:
        """Tracks one target through each of many videos, apart from `init`'s target.

        Videos whose pictures have a size of the same multiples of 256 go together;
        threads decode them straight into the memory that is sent to the device.

        Args:
          videos: files, folders or lists of images, addresses of recordings; what
            `jaxtrack.tracking.sources.open_source` takes and is not live.
          xywh: `[n, 4]`, the target in each video's first frame, pixels.
          at_once: videos in one step; 0 is 16, or 1 on a CPU, which is faster so.
          advance: told how many frames were tracked, for a progress bar.

        Returns:
          Boxes `[T, 4]` and scores `[T]` of each video, in order. The first row is
          the box that was given, its score 1.

        Raises:
          InputError: if a video does not open, is live or has a frame that cannot be
            read, or a box is unusable.
        """
        first = to_boxes(xywh).reshape(-1, 4) if len(xywh) else np.empty((0, 4))
        starts = cxcywh_from_xywh(first)
        with self._lock:
            drivers, variables = self._driver(0), self._open()
        outputs = recorded.track_recordings(
            drivers, variables, videos, starts, at_once=at_once, advance=advance
        )
        results = []
        for start, (box, score) in zip(first, outputs, strict=True):
            boxes = xywh_from_cxcywh(box.astype(np.float64))
            boxes[0] = start
            results.append(TrackedBox(boxes, score.astype(np.float64)))
        return results

    def _placed(self, image):
        """Puts a picture where the last one was, which the device has read, if it fits.

        New memory costs more than the copy.
        """
        if isinstance(image, Frame):
            return image
        height, width = image.shape[:2]
        if self._frame is None or tuple(self._frame.hw) != (height, width):
            self._frame = _on_canvas(image)
        else:
            self._frame.image[:height, :width] = image
        return self._frame

    def _driver(self, targets):
        """Returns the functions for one target, or for several."""
        kind = min(targets, 1)
        if kind not in self._drivers:
            self._drivers[kind] = run.compile_tracker(run.over_targets(self._tracker))
        return self._drivers[kind]

    def _open(self):
        """Returns the variables."""
        if self._variables is None:
            raise InputError("the session is closed: open another with jaxtrack.load")
        return self._variables


def load(source: str | pathlib.Path = "lite", *, model: str = "") -> Session:
    """Opens a trained tracker.

    Args:
      source: the name of a shipped tracker, such as "lite"; a `.safetensors` file
        written by `jaxtrack weights export`; the workdir of a training, its folder
        `checkpoints`, or the folder of one step in it; or, with `model`, a file of
        weights, such as PyTorch's.
      model: the config for such a file, such as "siamcar_r50".

    Returns:
      The session, not compiled yet.

    Raises:
      InputError: if it does not exist or is damaged.
    """
    saved = load_for_inference(with_model(source, model))
    config = saved.config
    return Session(
        tracker_of(config),
        folded(config, saved.variables),
        name=f"{source}: {describe(config)}",
        lost_below=float(config.tracking.lost_below),
    )


def _on_canvas(image):
    """Pads an image onto its canvas; frames of a reader are already on one."""
    if isinstance(image, Frame):
        return image
    image = to_rgb(image)
    return pad(image, canvas_size(image.shape[:2]))
