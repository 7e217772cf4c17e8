"""The findings of a check of training data, and the check of a track's boxes."""

import dataclasses
from collections.abc import Sequence

import numpy as np

# A box with a smaller side shows hardly anything in a crop, px.
_LEAST_SIDE = 4.0
_MOST_ASPECT = 20.0
# A box seldom moves farther between consecutive frames, in multiples of its side.
_MOST_JUMP = 3.0
_LEAST_INSIDE = 0.1  # Fraction of a box's area inside the picture.


@dataclasses.dataclass
class Findings:
    """The result of checking some data.

    Attributes:
      num_pictures: decoded pictures.
      num_tracks: tracks.
      num_boxes: frames with a box.
      num_absent: frames without one.
      damaged: items that are certainly wrong, one line each.
      suspicious: items to look at, one line each.
      sides: geometric means of width and height of boxes, `[n]` px, a few thousand.
    """

    num_pictures: int = 0
    num_tracks: int = 0
    num_boxes: int = 0
    num_absent: int = 0
    damaged: list[str] = dataclasses.field(default_factory=list)
    suspicious: list[str] = dataclasses.field(default_factory=list)
    sides: list[float] = dataclasses.field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Adds the result for other data."""
        for field in dataclasses.fields(self):
            both = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, both)

    def text(self) -> str:
        """Returns the numbers in one line."""
        shares = np.quantile(self.sides or [0.0], (0.05, 0.5, 0.95))
        sides = ", ".join(f"{side:.0f}" for side in shares)
        return (
            f"{self.num_pictures} pictures decoded, {self.num_tracks} tracks, "
            f"{self.num_boxes} boxes, {self.num_absent} frames without; sides of boxes "
            f"(5 %, median, 95 %): {sides} px; {len(self.damaged)} damaged, "
            f"{len(self.suspicious)} suspicious"
        )


def check_boxes(
    name: str,
    xyxy: np.ndarray,
    hw: Sequence[tuple[int, int] | None],
    *,
    times: np.ndarray | None,
) -> Findings:
    """Compares a track's boxes with their pictures and with each other.

    Args:
      name: of the track, for messages.
      xyxy: boxes, `[T, 4]` px; NaN if the object is absent.
      hw: height and width of each frame's picture, px; None if unknown.
      times: number of each frame, `[T]`; None for crops, whose boxes cannot be compared
        with each other.

    Returns:
      The result.
    """
    findings = Findings(num_tracks=1)
    last = None
    for row, (box, size) in enumerate(zip(np.float64(xyxy), hw, strict=True)):
        if np.isnan(box).any():
            findings.num_absent += 1
            continue
        findings.num_boxes += 1
        where = f"{name}, frame {row if times is None else times[row]}"
        fault = _fault_of(box, size)
        if fault:
            (findings.damaged if fault[0] else findings.suspicious).append(
                f"{where}: {fault[1]}: {_worded(box)}"
            )
        if last is not None and times is not None:
            before, when = last
            if times[row] - when == 1 and _is_jump(before, box):
                findings.suspicious.append(
                    f"{where}: jumps from {_worded(before)} to {_worded(box)}"
                )
        last = box, (0 if times is None else times[row])
        if len(findings.sides) < 8:
            findings.sides.append(float(np.sqrt(max(np.prod(box[2:] - box[:2]), 0))))
    if not findings.num_boxes:
        findings.suspicious.append(f"{name}: its object is visible in no frame")
    return findings


def _fault_of(box, hw):
    """Returns whether a box is certainly wrong, and why; None if it is valid."""
    wh = box[2:] - box[:2]
    if not np.isfinite(box).all() or wh.min() <= 0:
        return True, "a box of no size"
    if hw is not None:
        limits = np.array([hw[1], hw[0], hw[1], hw[0]])
        inside = np.clip(box, 0, limits)
        share = np.prod(inside[2:] - inside[:2]) / np.prod(wh)
        if share <= 0:
            return True, f"a box outside of its picture of {hw[1]} x {hw[0]} px"
        if share < _LEAST_INSIDE:
            return False, f"only {100 * share:.0f} % of the box is inside the picture"
    if wh.min() < _LEAST_SIDE:
        return False, "a very small box"
    if wh.max() / wh.min() > _MOST_ASPECT:
        return False, "a very oblong box"
    return None


def _is_jump(before, box):
    """Returns whether a box is far from the previous one."""
    centers = (before[:2] + before[2:]) / 2, (box[:2] + box[2:]) / 2
    side = max((before[2:] - before[:2]).max(), (box[2:] - box[:2]).max())
    return np.abs(centers[1] - centers[0]).max() > _MOST_JUMP * side


def _worded(box):
    """Formats a box as x, y, width, height."""
    x0, y0, x1, y1 = box
    return f"x {x0:.0f}, y {y0:.0f}, w {x1 - x0:.1f}, h {y1 - y0:.1f}"
