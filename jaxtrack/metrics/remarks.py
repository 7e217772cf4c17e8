"""Sentences on input that is not as it should be."""

from collections.abc import Mapping

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.metrics.frames import Frames
from jaxtrack.metrics.protocols import OpeProtocol


def on_names(
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
            "tracker on them, or mend the names"
        )
    notes = [f"sequence {name}: no results; scored as boxes of 0" for name in missing]
    if unknown:
        notes.append(
            f"{len(unknown)} sequences of the results have no ground truth and are "
            f"not scored: {', '.join(unknown[:5])}"
        )
    return notes


def on_arguments(protocol: OpeProtocol, absent, cover, image_size) -> list[str]:
    """Names arguments that the rules would have read, had they been given.

    Args:
      protocol: of the protocol.
      absent: as `ope.score` takes it, or None.
      cover: the same.
      image_size: the same.

    Returns:
      Sentences.
    """
    notes = []
    if protocol.absent != "ignored" and absent is None:
        notes.append("no flags of absence given: every frame is taken for present")
    if protocol.reads_cover and cover is None:
        notes.append("no cover given: every frame with a box is taken for visible")
    if protocol.bound_to_image and image_size is None:
        notes.append("no image sizes given: boxes are not bounded by the image")
    return notes


def on_truth(
    name: str, truth: np.ndarray, found: Frames, protocol: OpeProtocol
) -> list[str]:
    """Says what becomes of ground truth that is no box, or not to the rules' liking.

    Args:
      name: of the sequence.
      truth: `[N, 4]` xywh, px.
      found: what was made of it.
      protocol: of the protocol.

    Returns:
      Sentences.
    """
    where = f"sequence {name}"
    if found.num_unusable:
        return [
            f"{where}: {found.num_unusable} frames of the ground truth, the first "
            f"frame {found.first_unusable}, {_fate(protocol)} ({_reason(protocol)})"
        ]
    if protocol.usable not in ("any", "annotated"):
        return []
    notes = []
    is_nan = np.isnan(truth).any(axis=1)
    if is_nan.any() and protocol.usable == "any":
        notes.append(
            f"{where}: {is_nan.sum()} frames without ground truth (NaN), the first "
            f"frame {np.argmax(is_nan)}, never succeed and are never precise"
        )
    is_empty = np.any(truth[:, 2:] <= 0, axis=1)
    if is_empty.any():
        notes.append(
            f"{where}: {is_empty.sum()} frames of the ground truth, the first frame "
            f"{np.argmax(is_empty)}, have no size and are scored like any other"
        )
    return notes


def _reason(protocol: OpeProtocol) -> str:
    """Why a row is not accepted."""
    reason = {
        "all_positive": "x, y, width or height is not above 0",
        "positive_size": "width or height is not above 0",
        "annotated": "a number is NaN",
    }[protocol.usable]
    return f"cover is 0 or {reason}" if protocol.reads_cover else reason


def _fate(protocol: OpeProtocol) -> str:
    """What becomes of a row that is not accepted."""
    if protocol.unusable == "removed":
        return "are left out"
    if protocol.judges_centers:
        return "never succeed, and are precise where the centre is not above 0"
    if protocol.unusable_center_error == np.inf:
        return "never succeed; they count in normalised precision, not in precision"
    return "never succeed and count as precise"
