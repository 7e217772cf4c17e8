"""Labels a whole video from a few boxes, checked by tracking forward and back."""

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from jaxtrack.datasets.pictures import read_image
from jaxtrack.metrics import overlap

CHUNK = 16  # Frames between two checks by tracking back, if only one end is known.
MET = 0.5  # Smallest IoU with the start for the way back to count.


class Follower(Protocol):
    """A tracker, such as `jaxtrack.Session`."""

    def init(self, image: np.ndarray, xywh: np.ndarray) -> object:
        """Starts on an image, RGB uint8 `[H, W, 3]`."""

    def update(self, image: np.ndarray) -> tuple[np.ndarray, float]:
        """Returns the box xywh, px, and score in the next image."""


class Labels(NamedTuple):
    """Boxes of T frames, with their reliability.

    Attributes:
      xywh: `[T, 4]` px; NaN if the target is absent or nothing is known.
      agreement: `[T]` IoU of the boxes from both directions, see `label`; 1 for known
        boxes, 0 if nothing is known.
      score: `[T]` of the tracker, likewise.
    """

    xywh: np.ndarray
    agreement: np.ndarray
    score: np.ndarray


class Way(NamedTuple):
    """The result of a tracker on n frames; the first box is given.

    Attributes:
      xywh: `[n, 4]` px.
      score: `[n]`.
    """

    xywh: np.ndarray
    score: np.ndarray


def label(
    frames: Sequence[Path], known: Mapping[int, np.ndarray], follower: Follower
) -> Labels:
    """Labels a video from some known boxes.

    Between two known boxes the target is tracked from both, and the results are
    averaged, weighted by the distance to their starts. Before the first and after the
    last known box it is tracked forth, and back every 16 frames, or fewer if it does
    not return; agreement is then the smallest since the known box, and 0 once it is
    lost. Between two frames known to be without the target, it is absent. Kalal et al.,
    Forward-Backward Error (ICPR 2010), for boxes instead of points.

    Args:
      frames: image files, T of them.
      known: index of a frame -> `[4]` xywh, px; NaN means that the target is absent.
      follower: the tracker.

    Returns:
      The boxes of all frames.

    Raises:
      InputError: a frame cannot be read, or a box cannot be tracked.
      ValueError: no box is known, or an index is not a frame.
    """
    count = len(frames)
    if not known or not 0 <= min(known) <= max(known) < count:
        raise ValueError(f"known boxes of frames {sorted(known)}, out of {count}")
    boxes = {number: np.asarray(box, float) for number, box in known.items()}
    labels = Labels(np.full((count, 4), np.nan), np.zeros(count), np.zeros(count))
    for number, box in boxes.items():
        _put(labels, [number], np.array([box]), np.ones(1), np.ones(1))
    for left, right in itertools.pairwise([-1, *sorted(boxes), count]):
        has_left = left >= 0 and np.isfinite(boxes[left]).all()
        has_right = right < count and np.isfinite(boxes[right]).all()
        if right - left < 2:
            continue
        if has_left and has_right:
            _between(labels, frames, range(left, right + 1), follower)
        elif has_left:
            _onwards(labels, frames, range(left, right), follower)
        elif has_right:
            _onwards(labels, frames, range(right, left, -1), follower)
        elif 0 <= left and right < count:
            labels.agreement[left:right] = labels.score[left:right] = 1
    return labels


def _between(labels, frames, numbers, follower):
    """Fills the frames between two known boxes, from both."""
    numbers = list(numbers)
    there = _track(frames, numbers, labels.xywh[numbers[0]], follower)
    back = _track(frames, numbers[::-1], labels.xywh[numbers[-1]], follower)
    back = Way(back.xywh[::-1], back.score[::-1])
    share = np.linspace(0, 1, len(numbers))[:, None]  # Weight of the way back.
    mean = (1 - share) * there.xywh + share * back.xywh
    agreement = overlap.iou_xywh(there.xywh, back.xywh)
    score = np.minimum(there.score, back.score)
    inner = slice(1, -1)
    _put(labels, numbers[inner], mean[inner], agreement[inner], score[inner])


def _onwards(labels, frames, numbers, follower):
    """Fills the frames on one side of a known box."""
    numbers = list(numbers)
    there = _track(frames, numbers, labels.xywh[numbers[0]], follower)
    agreement, start, size = np.zeros(len(numbers)), 0, CHUNK
    while size and start < len(numbers) - 1:
        part = slice(start, start + size + 1)
        boxes = there.xywh[part]
        back = _track(frames, numbers[part][::-1], boxes[-1], follower)
        met = overlap.iou_xywh(boxes, back.xywh[::-1])
        if met[0] < MET:
            size //= 2  # It was lost on the way: try fewer frames.
            continue
        agreement[part] = np.minimum(met[0], met)
        start += size
    agreement[0] = 1
    agreement = np.minimum.accumulate(agreement)
    _put(labels, numbers[1:], there.xywh[1:], agreement[1:], there.score[1:])


def _track(frames, numbers, xywh, follower):
    """Tracks through frames from a box in the first of them."""
    follower.init(read_image(frames[numbers[0]]), xywh)
    found = [follower.update(read_image(frames[number])) for number in numbers[1:]]
    boxes = [xywh, *(box for box, _ in found)]
    return Way(np.array(boxes), np.array([1.0, *(score for _, score in found)]))


def _put(labels, numbers, xywh, agreement, score):
    """Sets the labels of some frames."""
    labels.xywh[numbers] = xywh
    labels.agreement[numbers] = agreement
    labels.score[numbers] = score


def accepted(labels: Labels, *, agreement: float, score: float = 0.0) -> np.ndarray:
    """Returns which boxes are reliable, `[T]` bool.

    Args:
      labels: of the frames.
      agreement: smallest agreement.
      score: smallest score.
    """
    return (labels.agreement >= agreement) & (labels.score >= score)


def to_correct(is_accepted: np.ndarray) -> list[range]:
    """Lists the ranges of frames without reliable boxes.

    A known box in the middle of a range helps most: it splits the range in two.

    Args:
      is_accepted: `[T]` bool.
    """
    edges = np.diff(np.concatenate([[1], is_accepted.astype(int), [1]]))
    starts, ends = np.flatnonzero(edges < 0), np.flatnonzero(edges > 0)
    return [range(*map(int, both)) for both in zip(starts, ends, strict=True)]
