"""What `jaxtrack track` does: tracks through a video, draws, shows and writes."""

import itertools
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

import cv2
import numpy as np
from tqdm import tqdm

from jaxtrack import session as session_lib
from jaxtrack.cli import track_files
from jaxtrack.cli.first_box import first_box
from jaxtrack.errors import InputError
from jaxtrack.session import Session
from jaxtrack.tracking import drawing
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.video import FrameReader, Warn
from jaxtrack.tracking.video_writer import VideoWriter, check_path

_WINDOW = "jaxtrack"
_DEFAULT_FPS = 25.0
_MOST_WARNINGS = 5


class Outputs(NamedTuple):
    """Where boxes go; "" and False are nowhere.

    Attributes:
      out: video with the box drawn, an .mp4.
      boxes: text file, a line x,y,w,h a frame.
      csv: text file with a header; see `jaxtrack.cli.track_files`.
      show: an open window.
    """

    out: str = ""
    boxes: str = ""
    csv: str = ""
    show: bool = False


class Summary(NamedTuple):
    """What tracking a video gave.

    Attributes:
      xywh: `[T, 4]` boxes, pixels; the first is the given one.
      scores: `[T]` in [0, 1].
      lost: `[T]` bool.
      tracking_fps: frames a second of the tracker alone, without its compilation.
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
    *,
    box: str = "",
    out: str = "",
    boxes: str = "",
    csv: str = "",
    show: bool = False,
    model: str = "",
    strict: bool = False,
) -> Summary:
    """Tracks one target through one video; what `jaxtrack track` does.

    Args:
      checkpoint: what `jaxtrack.load` takes.
      video: a video file, a folder of images, an address or a camera's number.
      box: "x,y,w,h" in the first frame, pixels. Without it: the first line of the
        folder's `groundtruth_rect.txt`, or with `show` what the mouse draws.
      out: where to write the video with the box drawn, an .mp4; "" writes none.
      boxes: where to write a line x,y,w,h a frame; "" writes none.
      csv: where to write a line frame,x,y,w,h,score,lost a frame; "" writes none.
      show: opens a window; "q" or Escape ends.
      model: see `jaxtrack.load`.
      strict: stops at the first bad frame; else it is named and the rest tracked.

    Returns:
      Boxes, scores and speeds, which are printed too. With no place for boxes they go
      to standard output, and what is said to standard error.

    Raises:
      InputError: if something given cannot be used.
    """
    if not video:
        raise InputError("no video: give a file, a folder or a camera's number")
    if not checkpoint:
        raise InputError("no checkpoint: leave --checkpoint out, or name a tracker")
    if out:
        check_path(out)
    track_files.check_path(boxes, option="--boxes")
    track_files.check_path(csv, option="--csv")
    outputs = Outputs(out, boxes, csv, show)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    if show:
        _open_window()
    try:
        with FrameReader(video, warn=None if strict else _warnings()) as reader:
            window = _WINDOW if show else None
            start = first_box(video, reader.first, box=box, window=window)
            session = session_lib.load(checkpoint, model=model)
            _say(f"tracking with {session.name}")
            _compile(session, reader.hw)
            summary = track(session, reader, start, outputs)
    finally:
        if show:
            cv2.destroyAllWindows()
    _report(summary, outputs)
    return summary


def track(
    session: Session, reader: FrameReader, box: np.ndarray, outputs: Outputs
) -> Summary:
    """Tracks through an open reader, writing on the way; Ctrl-C ends a camera.

    Args:
      session: compiled for the reader's frames, or these are stalled by it.
      reader: not read yet.
      box: `[4]` xywh in the first frame, pixels.
      outputs: where boxes go.

    Returns:
      Boxes, scores and speeds.

    Raises:
      InputError: if a frame cannot be read, or a file not be written.
    """
    rows, busy, fps = [], 0.0, float("nan")
    begin = time.perf_counter()
    with ExitStack() as stack:
        writer = None
        if outputs.out:
            writer = VideoWriter(outputs.out, reader.hw, reader.fps or _DEFAULT_FPS)
            stack.enter_context(writer)
        texts = {"boxes": outputs.boxes, "csv": outputs.csv}
        files = track_files.TrackFiles(**texts, to_standard_output=_is_bare(outputs))
        stack.enter_context(files)
        bar = stack.enter_context(_bar(reader.length, outputs))
        steps = _steps(session, reader, box)
        for step in _until_interrupted(steps, is_endless=reader.length is None):
            xywh, score, is_lost = step.xywh, step.score, step.is_lost
            rows.append((xywh, score, is_lost))
            files.write(xywh, score, lost=is_lost)
            bar.update()
            busy += step.seconds
            fps = (len(rows) - 1) / busy if busy else float("nan")
            if not (writer or outputs.show):
                continue
            picture = drawing.draw_box(step.frame, xywh, score, fps=fps, lost=is_lost)
            if writer:
                writer = _write(writer, picture, reader.hw, outputs)
            if outputs.show and not _show(picture):
                break
        bar.total = len(rows)  # What was stated may have been a guess.
    seconds = time.perf_counter() - begin
    columns = (np.stack(column) for column in zip(*rows, strict=True))
    return Summary(*columns, fps, len(rows) / seconds, reader.skipped)


class _Step(NamedTuple):
    """A frame and what the session says of it."""

    frame: Frame
    xywh: np.ndarray
    score: float
    is_lost: bool
    seconds: float  # Of the tracker; 0 of the first frame, which only starts it.


def _steps(session: Session, reader: FrameReader, box: np.ndarray) -> Iterator[_Step]:
    """Tracks frame by frame."""
    is_started = False
    for frame in reader:
        begin = time.perf_counter()
        found = session.update(frame) if is_started else session.init(frame, box)
        seconds = time.perf_counter() - begin if is_started else 0.0
        yield _Step(frame, *found, session.lost, seconds)
        is_started = True


def _write(writer, picture, hw, outputs):
    """Adds a picture; returns the writer, or None where it failed and boxes go on."""
    if picture.shape[:2] != tuple(hw):  # A frame of another size.
        canvas = np.zeros((*hw, 3), np.uint8)
        height, width = np.minimum(picture.shape[:2], hw)
        canvas[:height, :width] = picture[:height, :width]
        picture = canvas
    try:
        writer.write(picture)
    except InputError as fault:
        if not (outputs.boxes or outputs.csv or outputs.show):
            raise
        # Leaving the writer raises it again: the command fails when all is tracked.
        tqdm.write(f"warning: {fault}; boxes go on", file=sys.stderr)
        return None
    return writer


def _warnings() -> Warn:
    """Returns what prints the first warnings and counts the others."""
    numbers = itertools.count(1)

    def warn(said):
        number = next(numbers)
        if number <= _MOST_WARNINGS:
            tqdm.write(f"warning: {said}", file=sys.stderr)
        if number == _MOST_WARNINGS:
            tqdm.write("warning: there are more such frames", file=sys.stderr)

    return warn


def _compile(session, hw):
    """Compiles, so that it neither stalls nor counts later."""
    folder = os.environ.get("JAX_COMPILATION_CACHE_DIR")
    where = f", kept in {folder}," if folder else ""
    _say(f"compiling{where} ...")
    begin = time.perf_counter()
    session.compile_for(hw)
    _say(f"ready after {time.perf_counter() - begin:.1f} s")


def _bar(length, outputs):
    """Returns the bar with its estimate of the time that is left."""
    # Boxes and a bar on one screen would be unreadable.
    disable = _is_bare(outputs) and sys.stdout.isatty()
    return tqdm(total=length, unit="frame", file=sys.stderr, disable=disable)


def _is_bare(outputs):
    """Whether there is no place for boxes, so that standard output gets them."""
    return not any(outputs)


def _report(summary, outputs):
    """Says how it went."""
    written = (path for path in (outputs.boxes, outputs.csv, outputs.out) if path)
    said = (
        f"{len(summary.scores)} frames, tracked at {summary.tracking_fps:.1f} frames/s "
        f"({summary.total_fps:.1f} with reading, drawing and writing)"
    )
    if lost := int(np.sum(summary.lost)):
        said += f"; the target counts as lost in {lost}"
    if summary.skipped:
        said += f"; finished with {summary.skipped} skipped, see the warnings"
    said += "".join(f"; wrote {path}" for path in written)
    print(said, file=sys.stderr if _is_bare(outputs) else sys.stdout)


def _say(text):
    """Prints a line to standard error, before what it tells of begins."""
    print(text, file=sys.stderr, flush=True)


def _until_interrupted(steps: Iterable[_Step], *, is_endless: bool) -> Iterator[_Step]:
    """Yields steps; of an endless source Ctrl-C is the end, not a fault."""
    try:
        yield from steps
    except KeyboardInterrupt:
        if not is_endless:
            raise


def _open_window():
    """Opens the window, if this OpenCV has any."""
    try:
        cv2.namedWindow(_WINDOW, cv2.WINDOW_NORMAL)
    except cv2.error as fault:
        raise InputError(
            "--show needs a display and an OpenCV with windows (opencv-python instead "
            "of opencv-python-headless): leave it out and use --out"
        ) from fault


def _show(picture):
    """Shows a picture; returns whether to go on."""
    cv2.imshow(_WINDOW, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return cv2.waitKey(1) & 0xFF not in (ord("q"), 27)
