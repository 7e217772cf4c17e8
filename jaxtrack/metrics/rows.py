"""Matches the rows of a result file with frames where rows are missing."""

from typing import NamedTuple

import numpy as np

# Sequence, in lower case -> frames at its beginning that pytracking leaves out
# (`initOmit` of its OTB dataset).
LATE_STARTS = {"tiger1": 5}


class PlacedRows(NamedTuple):
    """Results of a sequence, one row per frame from a first frame on.

    Attributes:
      start: frames at the beginning that are not scored.
      predicted: `[M, 4]` xywh, px; the first row is frame `start`'s.
      warnings: sentences; none where nothing was done.
    """

    start: int
    predicted: np.ndarray
    warnings: list[str]


def place_rows(
    name: str, truth: np.ndarray, predicted: np.ndarray, *, fills_end: bool
) -> PlacedRows:
    """Finds the frames that the rows of a short result file belong to.

    pytracking begins some sequences later; some trackers write no row where the ground
    truth has no size. Such frames repeat the box before, which changes no score.

    Args:
      name: of the sequence.
      truth: `[N, 4]` xywh, px.
      predicted: `[M, 4]` xywh, px.
      fills_end: whether rows may be missing at the end too.

    Returns:
      The results as they are where none of this is so.
    """
    count, num_frames = len(predicted), len(truth)
    late = LATE_STARTS.get(name.lower(), 0)
    if late and count == num_frames - late:
        warning = (
            f"{count} results for {num_frames} frames are taken for frames {late + 1} "
            f"to {num_frames}: pytracking leaves out the first {late}"
        )
        return PlacedRows(late, predicted, [warning])
    with np.errstate(invalid="ignore"):
        has_size = np.isfinite(truth).all(axis=1) & (truth[:, 2:] > 0).all(axis=1)
    if count >= num_frames or has_size.all():
        return PlacedRows(0, predicted, [])
    if count == has_size.sum():
        row = np.maximum(np.cumsum(has_size) - 1, 0)
    elif fills_end and not has_size[count:].any():
        row = np.minimum(np.arange(num_frames), count - 1)
    else:
        return PlacedRows(0, predicted, [])
    warning = (
        f"{count} results for {num_frames} frames: the missing rows are taken for "
        "those whose ground truth has no size"
    )
    return PlacedRows(0, predicted[row], [warning])


def first_row_warnings(truth: np.ndarray, predicted: np.ndarray) -> list[str]:
    """Warns if the first result looks like corners x1, y1, x2, y2, or like fractions.

    Args:
      truth: `[4]` xywh of the first scored frame, px.
      predicted: `[4]` of the same frame, as the file says.

    Returns:
      A sentence, or none.
    """
    if not (np.isfinite(truth).all() and (truth > 0).all()):
        return []
    is_share = (predicted >= 0).all() and (predicted <= 1).all()
    if is_share and predicted[2:].all() and (truth[2:] > 1).all():
        return [
            "the first result lies in [0, 1], as fractions of the picture's sides do; "
            "results are read as pixels: check them"
        ]
    corners = np.append(truth[:2], truth[:2] + truth[2:])
    is_near = np.abs(predicted - corners).max() <= 1.0
    if not is_near or np.abs(predicted - truth).max() <= 1.0:
        return []
    return [
        "the first result is the corners x1, y1, x2, y2 of the ground truth; results "
        "are read as x, y, width, height: check the other rows"
    ]
