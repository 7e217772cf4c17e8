"""Checks the input of VOT's scores and converts it to arrays."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.metrics import regions

# Codes in the place of a region.
STARTED, FAILED, SKIPPED = 1, 2, 0
# Frames from a failure to the next start.
SKIP = 5


class Run(NamedTuple):
    """A repetition on N frames.

    Attributes:
      codes: `[N]`, -1 at regions.
      corners: `[N, 4, 2]` float32, NaN at codes.
      copies: how many repetitions were just so.
    """

    codes: np.ndarray
    corners: np.ndarray
    copies: int


def check_names(ground_truth: Mapping, results: Mapping, image_size: Mapping) -> None:
    """Rejects an empty score, or sequences without results or image size.

    Args:
      ground_truth: name of a sequence -> its rows.
      results: name -> repetitions.
      image_size: name -> width and height, px.

    Raises:
      InputError: naming a sequence.
    """
    if not ground_truth:
        raise InputError("no sequences to score: give ground truth")
    for what, of in (("results", results), ("image size", image_size)):
        missing = sorted(set(ground_truth) - set(of))
        if missing:
            raise InputError(
                f"no {what} for {len(missing)} of {len(ground_truth)} sequences, such "
                f"as {missing[0]!r}: add them, or leave them out of the ground truth"
            )
    for name in ground_truth:
        size = np.asarray(image_size[name], np.float64)
        if size.shape != (2,) or not np.all(size >= 1) or not np.all(size < np.inf):
            raise InputError(
                f"sequence {name}: image size {image_size[name]!r} is not a width and "
                "height in pixels"
            )


def truth_polygons(name: str, rows: np.ndarray) -> np.ndarray:
    """Rejects ground truth that cannot be drawn.

    Args:
      name: of the sequence.
      rows: `[N, 4]` or `[N, 8]`, pixel indices.

    Returns:
      Corners, `[N, 4, 2]` float32.

    Raises:
      InputError: another shape, no rows, or a row that is not finite.
    """
    truth = np.asarray(rows, np.float64)
    if truth.ndim != 2 or truth.shape[1] not in (4, 8) or not len(truth):
        raise InputError(
            f"sequence {name}: ground truth is {truth.shape}, not [N, 4] or [N, 8]"
        )
    bad = ~np.all(np.isfinite(truth), axis=1)
    if bad.any():
        raise InputError(
            f"sequence {name}: ground truth of frame {int(np.argmax(bad))} is not "
            "finite; VOT's sequences show their target in every frame"
        )
    return regions.polygons(truth)


def cut_to_length(
    name: str, truth: np.ndarray, runs: Sequence[Sequence[np.ndarray]]
) -> tuple[np.ndarray, list[Sequence[np.ndarray]], list[str]]:
    """Cuts runs and ground truth to the shorter length, as pysot does.

    Args:
      name: of the sequence.
      truth: `[N, ...]`.
      runs: repetitions, each of any number of rows.

    Returns:
      Truth and runs of as many rows as the shortest has, and a sentence where something
      was cut.
    """
    lengths = [len(rows) for rows in runs]
    length = min([len(truth), *lengths])
    if set(lengths) <= {len(truth)} or not length:
        return truth, list(runs), []
    counts = " or ".join(map(str, sorted(set(lengths))))
    warning = (
        f"sequence {name}: {counts} rows of results, {len(truth)} of ground truth; the "
        f"first {length} are scored, as pysot does"
    )
    return truth[:length], [rows[:length] for rows in runs], [warning]


def tag_flags(
    name: str, flags: Mapping[str, np.ndarray], names: Sequence[str], length: int
) -> dict[str, np.ndarray]:
    """Gives every tag a flag a frame; files may end early.

    Args:
      name: of the sequence.
      flags: tag -> up to N flags.
      names: of all tags.
      length: N.

    Returns:
      tag -> `[N]` bool; what is not given is False.

    Raises:
      InputError: more than N flags.
    """
    padded = {tag: np.zeros(length, bool) for tag in names}
    for tag, values in flags.items():
        values = np.asarray(values)
        if values.ndim != 1 or len(values) > length:
            raise InputError(
                f"sequence {name}: tag {tag} is {values.shape}, for {length} frames: "
                "give at most one flag a frame"
            )
        padded[tag][: len(values)] = values.astype(bool)
    return padded


def fault_of_row(row: np.ndarray) -> str:
    """What is wrong with a row of a run, "" where nothing is.

    Args:
      row: `[1]` a code, `[4]` or `[8]` a region.

    Returns:
      The end of a sentence that begins with the row.
    """
    if row.ndim != 1 or len(row) not in (1, 4, 8):
        return "is not a code (0, 1 or 2) nor a region of 4 or 8 numbers"
    if not np.all(np.isfinite(row)):
        return "is not finite"
    if len(row) == 1 and row[0] not in (STARTED, FAILED, SKIPPED):
        return "is no code: 1 is a start, 2 a failure, 0 a frame that was skipped"
    if len(row) == 4 and np.any(row[2:] < 0):
        return "is a rectangle of negative size"
    return ""


def unique_runs(
    name: str, runs: Sequence[Sequence[np.ndarray]], length: int
) -> tuple[list[Run], list[int]]:
    """Checks repetitions and finds those that are identical.

    Args:
      name: of the sequence.
      runs: repetitions of N rows, see `fault_of_row`.
      length: N.

    Returns:
      Those that differ, and for each repetition its place among them.

    Raises:
      InputError: none are given, other than N rows, a row that is no code nor region,
        or codes out of order.
    """
    if not len(runs):
        raise InputError(f"sequence {name}: no repetition: give at least one run")
    places, unique, which = {}, [], []
    for number, rows in enumerate(runs, start=1):
        rows = [np.atleast_1d(np.asarray(row, np.float64)) for row in rows]
        key = np.array([len(row) for row in rows]).tobytes()
        key += b"".join(row.tobytes() for row in rows)
        place = places.setdefault(key, len(places))
        if place == len(unique):
            where = f"sequence {name}, run {number}"
            unique.append(_checked_run(where, rows, length))
        else:
            unique[place] = unique[place]._replace(copies=unique[place].copies + 1)
        which.append(place)
    return unique, which


def _checked_run(where: str, rows, length: int) -> Run:
    """Turns rows into arrays; refuses what the protocol cannot have written."""
    if len(rows) != length:
        raise InputError(
            f"{where}: {len(rows)} rows of results, {length} of ground truth: run the "
            "tracker on the whole sequence"
        )
    codes = np.full(length, -1)
    corners = np.full((length, 4, 2), np.nan, np.float32)
    for frame, row in enumerate(rows):
        fault = fault_of_row(row)
        if fault:
            raise InputError(f"{where}, frame {frame}: {row.tolist()} {fault}")
        if len(row) == 1:
            codes[frame] = int(row[0])
        else:
            corners[frame] = regions.polygons(row[None])[0]
    _check_order(where, codes)
    return Run(codes, corners, 1)


def _check_order(where: str, codes: np.ndarray) -> None:
    """Rejects codes that no run with resets has, as they would be scored wrongly."""
    if codes[0] != STARTED:
        first = "a region" if codes[0] < 0 else f"the code {codes[0]}"
        raise InputError(
            f"{where}: begins with {first}, but a run with resets begins with the code "
            "1: give results of the experiment 'baseline'"
        )
    failed_at = None
    for frame, code in enumerate(codes[1:].tolist(), start=1):
        if failed_at is None:
            fault = {STARTED: "a start (1)", SKIPPED: "a skipped frame (0)"}.get(code)
            if fault:
                raise InputError(
                    f"{where}, frame {frame}: {fault} without a failure (2) before it"
                )
            failed_at = frame if code == FAILED else None
        elif code == STARTED and frame >= failed_at + SKIP:
            failed_at = None
        elif code != SKIPPED:
            raise InputError(
                f"{where}, frame {frame}: after the failure at frame {failed_at} come "
                f"zeros, and a start (1) {SKIP} frames later or not at all"
            )
