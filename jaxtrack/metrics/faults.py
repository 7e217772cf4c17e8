"""Damaged input: how a protocol handles it, and the warnings about it."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.metrics import rows
from jaxtrack.metrics.protocols import OpeProtocol

_FLAG_HELP = "give one flag a frame, or leave the argument out"


class FixedResults(NamedTuple):
    """One sequence's boxes, row for row, and what was done to them.

    Attributes:
      truth: `[N, 4]` xywh, px; all of the ground truth but where the protocol cuts it.
      predicted: `[N, 4]` xywh, px; rows of NaN are lost.
      warnings: sentences; none where nothing was done.
      start: frames before these, which are not scored.
    """

    truth: np.ndarray
    predicted: np.ndarray
    warnings: list[str]
    start: int = 0


def check_boxes(boxes, what: str) -> np.ndarray:
    """Converts what a caller gave to `[N, 4]` float64.

    Args:
      boxes: the boxes.
      what: "ground truth" or "results", for the message.

    Raises:
      InputError: not numbers, not four a row, or no row.
    """
    try:
        array = np.asarray(boxes, np.float64)
    except (TypeError, ValueError):
        raise InputError(
            f"{what} are not rows of four numbers: write x, y, width, height"
        ) from None
    if array.ndim != 2 or array.shape[1] != 4 or not len(array):
        raise InputError(
            f"{what} is {array.shape}, not [N, 4]: give x, y, width, height of every "
            "frame"
        )
    return array


def fix_results(
    name: str, truth: np.ndarray, predicted: np.ndarray, protocol: OpeProtocol
) -> FixedResults:
    """Makes results as long as the ground truth, and repairs damaged rows.

    Args:
      name: of the sequence, by which some toolkits decide.
      truth: `[N, 4]` xywh, px; rows without a target are NaN or have no size.
      predicted: `[M, 4]` xywh, px.
      protocol: which damage to repair and how; other damage is refused.

    Returns:
      Copies.

    Raises:
      InputError: naming the frame: the lengths differ, or a box is not finite
        or of negative size, and the protocol does not say what to do about it.
    """
    _check_truth(truth, protocol)
    is_strict = protocol.missing_rows == "refused"
    start, predicted, warnings = rows.place_rows(
        name, truth, predicted, fills_end=is_strict
    )
    truth, count = truth[start:], len(predicted)
    warnings += rows.first_row_warnings(truth[0], predicted[0])
    if count > len(truth):
        if not any(fnmatchcase(name, pattern) for pattern in protocol.surplus_cut):
            raise _length_error(truth, predicted, protocol)
        warnings.append(
            f"{count} results for {len(truth)} frames; those from frame "
            f"{len(truth)} on are cut off"
        )
        if protocol.repeats == "zero_size":  # Checked before it is cut, as there.
            _refuse(predicted, _damaged(predicted, protocol), protocol)
        predicted = predicted[: len(truth)]
    elif count < len(truth) and protocol.missing_rows == "refused":
        raise _length_error(truth, predicted, protocol)
    if protocol.not_finite == "lost":
        predicted = _lose(predicted, warnings)
    predicted = _repeat(truth[:count], predicted, protocol, warnings)
    if count < len(truth):
        truth, predicted = _fill(truth, predicted, protocol, warnings)
    return FixedResults(truth.copy(), predicted.copy(), warnings, start)


def _check_truth(truth: np.ndarray, protocol: OpeProtocol) -> None:
    """Rejects ground truth that the toolkit cannot score."""
    bad = np.isinf(truth).any(axis=1)
    if protocol.usable in ("annotated", "any"):
        bad |= np.any(truth[:, 2:] < 0, axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"ground truth of frame {row} is {truth[row].tolist()}, infinite or of "
            "negative size: correct the file (NaN says: no target)"
        )
    bad = np.isnan(truth).any(axis=1)
    if bad.any() and not protocol.accepts_nan_truth:
        row = int(np.argmax(bad))
        raise InputError(
            f"ground truth of frame {row} is {truth[row].tolist()}; the toolkit of "
            f"{protocol.name!r} stops at NaN: score by another protocol, or leave the "
            f"sequence out ({bad.sum()} such frames)"
        )


def _length_error(truth, predicted, protocol) -> InputError:
    """Returns the error for too many or too few rows."""
    return InputError(
        f"results are {predicted.shape}, ground truth is {truth.shape}: "
        f"{protocol.name!r} needs one box a frame; run the tracker on the whole "
        "sequence, or check that both are of the same video"
    )


def _lose(predicted: np.ndarray, warnings: list[str]) -> np.ndarray:
    """Makes all of a row NaN where a number of it is not finite."""
    lost = ~np.isfinite(predicted).all(axis=1)
    if lost.any():
        warnings.append(
            f"{lost.sum()} results are NaN or infinite, the first in frame "
            f"{np.argmax(lost)}; such frames count as lost"
        )
    return np.where(lost[:, None], np.nan, predicted)


def _damaged(predicted: np.ndarray, protocol: OpeProtocol) -> np.ndarray:
    """Rows that are no boxes, `[N]` bool; a size of 0 is allowed."""
    damaged = np.any(predicted[:, 2:] < 0, axis=1)
    if protocol.not_finite == "lost":
        return damaged
    return damaged | ~np.isfinite(predicted).all(axis=1)


def _refuse(predicted, bad, protocol) -> None:
    """Raises an error that names the first bad row."""
    if not bad.any():
        return
    row = int(np.argmax(bad))
    raise InputError(
        f"result of frame {row} is {predicted[row].tolist()}; boxes are finite and "
        f"sizes not negative ({bad.sum()} rows are otherwise, and {protocol.name!r} "
        "does not repair them): correct the results"
    )


def _repeat(truth, predicted, protocol, warnings) -> np.ndarray:
    """Repeats the row before where the protocol says so; refuses the rest."""
    damaged = _damaged(predicted, protocol)
    empty = ~damaged & np.any(predicted[:, 2:] == 0, axis=1)
    matters = np.ones(len(predicted), bool)
    bad = np.zeros(len(predicted), bool)
    if protocol.repeats != "none":
        annotated = ~np.isnan(truth).any(axis=1)
        bad = empty & annotated
        if protocol.repeats == "not_positive":
            damage = np.isnan(predicted).any(axis=1)
            damage |= np.any(predicted[:, 2:] <= 0, axis=1)
            bad = damage & annotated
            # Row 0 is replaced by the truth; without a truth nothing is compared.
            matters = annotated
            matters[0] = False
    bad[:1] = False
    places = np.arange(len(predicted))
    source = np.maximum.accumulate(np.where(bad, 0, places))
    repaired = predicted[source]
    _refuse(predicted, damaged[source] & matters, protocol)
    if bad.any():
        warnings.append(
            f"{bad.sum()} results without a proper size, the first "
            f"in frame {np.argmax(bad)}, are replaced by the box before"
        )
    has_no_size = np.any(repaired[:, 2:] == 0, axis=1) & (places > 0)
    if has_no_size.any():
        warnings.append(
            f"{has_no_size.sum()} results have no size, the first in frame "
            f"{np.argmax(has_no_size)}; they are scored as they are and overlap nothing"
        )
    return repaired


def _fill(truth, predicted, protocol, warnings) -> tuple[np.ndarray, np.ndarray]:
    """Fills or cuts the end where there are too few results."""
    count, missing = len(predicted), len(truth) - len(predicted)
    what = f"results end before frame {count}; the last {missing} of {len(truth)} "
    what += "frames "
    if protocol.missing_rows == "cut":
        warnings.append(what + "are not scored")
        return truth[:count], predicted
    value = np.nan if protocol.missing_rows == "lost" else 0.0
    warnings.append(what + ("count as lost" if np.isnan(value) else "get boxes of 0"))
    return truth, np.concatenate([predicted, np.full((missing, 4), value)])


def check_flags(
    values: Mapping[str, np.ndarray] | None, name: str, length: int, what: str
) -> np.ndarray | None:
    """Returns one sequence's numbers per frame, `[N]` float64, or None without any.

    Args:
      values: name -> `[N]` numbers or bools; surplus zeros at the end are cut.
      name: of the sequence.
      length: N.
      what: "absent" or "cover", for the message.

    Raises:
      InputError: the sequence has none, or they are not N numbers.
    """
    if values is None:
        return None
    if name not in values:
        raise InputError(f"no flags of {what}: {_FLAG_HELP}")
    try:
        array = np.asarray(values[name], np.float64).reshape(-1)
    except (TypeError, ValueError):
        raise InputError(f"{what}: not numbers: {_FLAG_HELP}") from None
    if len(array) < length or array[length:].any() or np.isnan(array).any():
        nan = ", some NaN" if np.isnan(array).any() else ""
        raise InputError(
            f"{what}: {len(array)} flags for {length} frames{nan}: {_FLAG_HELP}"
        )
    return array[:length]


def check_size(
    image_size: Mapping[str, tuple[float, float]] | None, name: str
) -> tuple[float, float] | None:
    """Returns width and height of one sequence's images, px, or None without any.

    Args:
      image_size: name -> (width, height).
      name: of the sequence.

    Raises:
      InputError: the sequence has none, or they are not two positive numbers.
    """
    if image_size is None:
        return None
    size = image_size.get(name)
    if size is None or len(size) != 2 or not all(np.isfinite(size)) or min(size) <= 0:
        raise InputError(
            f"image_size is {size}: give width and height of the images, or leave the "
            "argument out"
        )
    return size


def name_warnings(
    ground_truth: Mapping, results: Mapping, protocol: OpeProtocol
) -> list[str]:
    """Compares the sequences of the results with those to score.

    Args:
      ground_truth: by name of the sequence.
      results: by name of the sequence.
      protocol: whether a sequence may be missing.

    Returns:
      Sentences; none where the names are the same.

    Raises:
      InputError: there is nothing to score, or a sequence has no results.
    """
    if not ground_truth:
        raise InputError("no sequences to score: the ground truth is empty")
    missing = sorted(set(ground_truth) - set(results))
    unknown = sorted(set(results) - set(ground_truth))
    all_are = len(missing) == len(ground_truth)
    if missing and (protocol.missing_sequence == "refused" or all_are):
        hint = f"; results without ground truth: {unknown[:5]}" if unknown else ""
        raise InputError(
            f"no results for {len(missing)} sequences: {missing[:20]}{hint}: run the "
            "tracker on them, or correct the names"
        )
    warnings = [f"sequence {n}: no results; scored as boxes of 0" for n in missing]
    if unknown:
        warnings.append(
            f"{len(unknown)} sequences of the results have no ground truth and are "
            f"not scored: {', '.join(unknown[:5])}"
        )
    return warnings


def argument_warnings(protocol: OpeProtocol, absent, cover, image_size) -> list[str]:
    """Names missing arguments that the protocol would have read.

    Args:
      protocol: says which frames count, and how.
      absent: as `ope.score` takes it, or None.
      cover: the same.
      image_size: the same.

    Returns:
      Sentences.
    """
    warnings = []
    if protocol.absent != "ignored" and absent is None:
        warnings.append("no flags of absence given: every frame is taken for present")
    if protocol.reads_cover and cover is None:
        warnings.append("no cover given: every frame with a box is taken for visible")
    if protocol.bound_to_image and image_size is None:
        warnings.append("no image sizes given: boxes are not bounded by the image")
    return warnings
