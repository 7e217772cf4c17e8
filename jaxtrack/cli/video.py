"""Tracks through a video from a first box, and writes the results."""

import itertools
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from jaxtrack import session as session_lib
from jaxtrack.cli import first_box
from jaxtrack.session import Session
from jaxtrack.tracking.outputs import NOWHERE, OutputFiles, Outputs
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.track_files import Row
from jaxtrack.tracking.video import FrameReader, Warn

_MOST_WARNINGS = 5


class Summary(NamedTuple):
    """What tracking a video gave.

    Attributes:
      xywh: `[T, n, 4]` boxes of n targets, pixels; the first are the given ones.
      scores: `[T, n]` in [0, 1].
      lost: `[T, n]` bool.
      tracking_fps: frames per second of the tracker alone, without its compilation.
      total_fps: the same with reading, drawing and writing.
      skipped: frames, or parts of a video, that could not be read.
    """

    xywh: np.ndarray
    scores: np.ndarray
    lost: np.ndarray
    tracking_fps: float
    total_fps: float
    skipped: int = 0


def run(
    checkpoint: str,
    video: str,
    boxes: Mapping[str, np.ndarray],
    *,
    outputs: Outputs = NOWHERE,
    model: str = "",
    strict: bool = False,
) -> Summary:
    """Tracks through one video; what `jaxtrack track` does with a first box.

    Args:
      checkpoint: what `jaxtrack.load` takes.
      video: see `jaxtrack.tracking.sources.open_source`.
      boxes: of each target, from `first_box.first_boxes`.
      outputs: where boxes go; with no place they go to standard output, and what is
        said to standard error.
      model: see `jaxtrack.load`.
      strict: stops at the first bad frame; else it is named and the rest tracked.

    Returns:
      Boxes, scores and speeds, which are printed too.

    Raises:
      InputError: if something given cannot be used.
    """
    outputs.check()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    with FrameReader(video, warn=None if strict else warnings()) as reader:
        xywh = first_box.check(boxes, reader.hw)
        session = session_lib.load(checkpoint, model=model)
        say(f"tracking with {session.name}")
        _compile(session, reader.hw, len(xywh))
        summary = track(session, reader, xywh, outputs)
    _report(summary, outputs)
    return summary


def track(
    session: Session, reader: FrameReader, xywh: np.ndarray, outputs: Outputs
) -> Summary:
    """Tracks through an open reader, writing on the way; Ctrl-C ends a live source.

    Args:
      session: compiled for the reader's frames, or these are stalled by it.
      reader: not read yet.
      xywh: `[n, 4]` boxes in the first frame, pixels.
      outputs: where boxes go.

    Returns:
      Boxes, scores and speeds.

    Raises:
      InputError: if a frame cannot be read, or a file not be written.
    """
    rows, busy, fps = [], 0.0, float("nan")
    begin = time.perf_counter()
    with ExitStack() as stack:
        bare = {"warn": _warn, "to_standard_output": _is_bare(outputs)}
        files = OutputFiles(outputs, reader.hw, reader.fps, **bare)
        stack.enter_context(files)
        bar = stack.enter_context(_bar(reader.length, outputs))
        steps = _steps(session, reader, xywh)
        for step in _until_interrupted(steps, is_live=reader.is_live):
            rows.append(step.row)
            bar.update()
            busy += step.seconds
            fps = (len(rows) - 1) / busy if busy else float("nan")
            files.write(step.frame, step.row, speed=fps)
        bar.total = len(rows)  # What was stated may have been a guess.
    seconds = time.perf_counter() - begin
    _, *columns = (np.stack(column) for column in zip(*rows, strict=True))
    return Summary(*columns, fps, len(rows) / seconds, reader.skipped)


class _Step(NamedTuple):
    """A frame and what the session says of it."""

    frame: Frame
    row: Row
    seconds: float  # Of the tracker; 0 of the first frame, which only starts it.


def _steps(session: Session, reader: FrameReader, xywh: np.ndarray) -> Iterator[_Step]:
    """Tracks frame by frame."""
    for number, frame in enumerate(reader):
        begin = time.perf_counter()
        tracked = session.update(frame) if number else session.init(frame, xywh)
        seconds = time.perf_counter() - begin if number else 0.0
        boxes = tracked.xywh.reshape(-1, 4)
        columns = (np.reshape(column, -1) for column in (tracked.score, session.lost))
        yield _Step(frame, Row(number, boxes, *columns), seconds)


def warnings() -> Warn:
    """Returns what prints the first warnings and counts the others."""
    numbers = itertools.count(1)

    def warn(message):
        number = next(numbers)
        if number <= _MOST_WARNINGS:
            _warn(message)
        if number == _MOST_WARNINGS:
            _warn("there are more such frames")

    return warn


def _warn(message):
    """Prints a warning above the bar."""
    tqdm.write(f"warning: {message}", file=sys.stderr)


def _compile(session, hw, targets):
    """Compiles, so that it neither stalls nor counts later."""
    folder = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    where = f" (kept in {folder})" if folder else ""
    say(f"compiling{where} ...")
    begin = time.perf_counter()
    session.compile_for(hw, targets=targets if targets > 1 else 0)
    say(f"ready after {time.perf_counter() - begin:.1f} s")


def _bar(length, outputs):
    """Returns the bar with its estimate of the time that is left."""
    # Boxes and a bar on one screen would be unreadable.
    disable = _is_bare(outputs) and sys.stdout.isatty()
    return tqdm(total=length, unit="frame", file=sys.stderr, disable=disable)


def _is_bare(outputs):
    """Whether there is no place for boxes, so that standard output gets them."""
    return not any(outputs)


def _report(summary, outputs):
    """Reports how it went."""
    written = (path for path in (outputs.boxes, outputs.csv, outputs.out) if path)
    text = (
        f"{len(summary.scores)} frames, tracked at {summary.tracking_fps:.1f} frames/s "
        f"({summary.total_fps:.1f} with reading, drawing and writing)"
    )
    for number, column in enumerate(summary.lost.T, 1):
        if lost := int(np.sum(column)):
            which = "the target" if summary.lost.shape[1] == 1 else f"target {number}"
            text += f"; {which} counts as lost in {lost}"
    if summary.skipped:
        text += f"; finished with {summary.skipped} skipped, see the warnings"
    text += "".join(f"; wrote {path}" for path in written)
    print(text, file=sys.stderr if _is_bare(outputs) else sys.stdout)


def say(text):
    """Prints a line to standard error, before what it tells of begins."""
    print(text, file=sys.stderr, flush=True)


def _until_interrupted(steps: Iterable[_Step], *, is_live: bool) -> Iterator[_Step]:
    """Yields steps; of a live source Ctrl-C is the end, not a fault."""
    try:
        yield from steps
    except KeyboardInterrupt:
        if not is_live:
            raise
