"""Trackers of several libraries with one interface."""

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from jaxtrack.errors import InputError

# Option -> its name in a table, and the class of OpenCV that it needs.
OPENCV = {
    "nano": ("NanoTrack", "TrackerNano"),
    "csrt": ("CSRT", "TrackerCSRT"),
    "kcf": ("KCF", "TrackerKCF"),
    "mil": ("MIL", "TrackerMIL"),
}


class Tracker(Protocol):
    """Follows one target.

    Attributes:
      is_bgr: whether pictures are BGR instead of RGB.
    """

    is_bgr: bool

    def init(self, image: np.ndarray, xywh: Sequence[float]) -> None:
        """Starts on a picture `[H, W, 3]` uint8 with a box in pixels."""

    def update(self, image: np.ndarray) -> Sequence[float]:
        """Returns the target's box, xywh in pixels, in the next picture."""


class Spec(NamedTuple):
    """Which tracker to run; what a child process is told.

    Attributes:
      name: in tables.
      library: "jaxtrack" or "opencv".
      source: what `jaxtrack.load` takes, or a key of `OPENCV`.
      weights: ONNX files that OpenCV's NanoTrack needs: backbone, head.
    """

    name: str
    library: str
    source: str
    weights: tuple[str, ...] = ()


class JaxtrackTracker:
    """A session of this package."""

    is_bgr = False

    def __init__(self, source: str):
        """Loads what `jaxtrack.load` takes."""
        import jaxtrack  # Late: a child of OpenCV's does not pay for jax.

        self._session = jaxtrack.load(source)

    def init(self, image: np.ndarray, xywh: Sequence[float]) -> None:
        """Starts on a picture."""
        self._session.init(image, xywh)

    def update(self, image: np.ndarray) -> np.ndarray:
        """Returns the box in the next picture."""
        xywh, _ = self._session.update(image)
        return xywh


class OpenCvTracker:
    """A tracker of OpenCV; if it reports a loss, it keeps its last box."""

    is_bgr = True

    def __init__(self, make: Callable[[], cv2.Tracker]):
        """Keeps what makes a tracker: each target gets a new one."""
        self._make = make

    def init(self, image: np.ndarray, xywh: Sequence[float]) -> None:
        """Starts on a picture; OpenCV takes boxes rounded to whole pixels."""
        self._box = tuple(round(float(value)) for value in xywh)
        self._tracker = self._make()
        self._tracker.init(image, self._box)

    def update(self, image: np.ndarray) -> Sequence[float]:
        """Returns the box in the next picture."""
        is_found, box = self._tracker.update(image)
        if is_found:
            self._box = box
        return self._box


def open_tracker(spec: Spec) -> Tracker:
    """Loads a tracker.

    Args:
      spec: which.

    Raises:
      InputError: it cannot be loaded.
    """
    if spec.library == "jaxtrack":
        return JaxtrackTracker(spec.source)
    if spec.source == "nano":
        params = cv2.TrackerNano_Params()
        params.backbone, params.neckhead = spec.weights
        return OpenCvTracker(lambda: cv2.TrackerNano_create(params))
    return OpenCvTracker(getattr(cv2, f"{OPENCV[spec.source][1]}_create"))


def jaxtrack_specs(checkpoints: Sequence[str]) -> list[Spec]:
    """Reads `SOURCE` or `NAME=SOURCE`; without a name, a path's last part is it."""
    specs = []
    for text in checkpoints:
        name, _, source = text.rpartition("=")
        name = name or pathlib.PurePath(source).stem
        specs.append(Spec(name, "jaxtrack", source))
    return specs


def opencv_specs(
    wanted: Sequence[str] | None, weights: Mapping[str, str]
) -> list[Spec]:
    """Chooses OpenCV's trackers.

    Args:
      wanted: keys of `OPENCV`; None takes those that run here.
      weights: "nano_backbone" and "nano_head" -> ONNX file, "" where not given.

    Raises:
      InputError: a tracker is unknown, not in this OpenCV, or lacks its weights.
    """
    has_weights = all(weights.values())
    for option, path in weights.items():
        if path and not pathlib.Path(path).is_file():
            raise InputError(f"--{option}={path}: no such file")
    if any(weights.values()) and not has_weights:
        raise InputError("NanoTrack needs both --nano_backbone and --nano_head")
    if wanted is None:
        wanted = [key for key in OPENCV if _is_in_opencv(key)]
        wanted = [key for key in wanted if key != "nano" or has_weights]
    for key in wanted:
        if key not in OPENCV:
            raise InputError(
                f"--opencv: no tracker {key!r}: choose from {', '.join(OPENCV)}"
            )
        if not _is_in_opencv(key):
            raise InputError(
                f"this OpenCV ({cv2.__version__}) has no {OPENCV[key][0]}: leave it "
                "out of --opencv, or install opencv-contrib-python-headless instead "
                "of opencv-python-headless"
            )
        if key == "nano" and not has_weights:
            raise InputError(
                "NanoTrack needs its weights: give --nano_backbone and --nano_head, "
                "the two ONNX files of OpenCV's model zoo"
            )
    paths = tuple(weights.values())
    return [
        Spec(OPENCV[key][0], "opencv", key, paths if key == "nano" else ())
        for key in wanted
    ]


def _is_in_opencv(key: str) -> bool:
    """Whether this build of OpenCV has a tracker."""
    return hasattr(cv2, f"{OPENCV[key][1]}_create")
