"""What `jaxtrack track` does: tracks through a video, draws, shows and writes."""

import pathlib
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import cv2
import jax
import numpy as np
from tqdm import tqdm

from jaxtrack.cli.first_box import first_box
from jaxtrack.datasets import files
from jaxtrack.errors import InputError
from jaxtrack.trackers import tracker_of
from jaxtrack.tracking import drawing
from jaxtrack.tracking.run import Drivers, compile_tracker, track_video
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.video import FrameReader
from jaxtrack.tracking.video_writer import VideoWriter, check_path
from jaxtrack.training import inference

_WINDOW = "jaxtrack"
_DEFAULT_FPS = 25.0


class Summary(NamedTuple):
    """What tracking a video gave.

    Attributes:
      cxcywh: `[T, 4]` boxes, pixels; the first is the given one.
      scores: `[T]` in [0, 1].
      tracking_fps: frames a second of the tracker alone, without its compilation.
      total_fps: the same with reading, drawing and writing.
    """

    cxcywh: np.ndarray
    scores: np.ndarray
    tracking_fps: float
    total_fps: float


def run(
    checkpoint: str,
    video: str,
    *,
    box: str = "",
    out: str = "",
    boxes: str = "",
    show: bool = False,
) -> Summary:
    """Tracks one target through one video; what `jaxtrack track` does.

    Args:
      checkpoint: workdir of a training.
      video: a video file, a folder of images or a camera's number.
      box: "x,y,w,h" in the first frame, pixels. Without it: the first line of the
        folder's `groundtruth_rect.txt`, or with `show` what the mouse draws.
      out: where to write the video with the box drawn, an .mp4; "" writes none.
      boxes: where to write a line x,y,w,h a frame; "" writes none.
      show: opens a window; "q" or Escape ends.

    Returns:
      Boxes, scores and speeds, which are printed too.

    Raises:
      InputError: if something given cannot be used.
    """
    if not video:
        raise InputError("no video: give --video a file, a folder or a camera's number")
    if not checkpoint:
        raise InputError("no checkpoint: give --checkpoint the workdir of a training")
    if out:
        check_path(out)
    if boxes and not pathlib.Path(boxes).absolute().parent.is_dir():
        raise InputError(f"no folder for --boxes={boxes}: make it first")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    if show:
        _open_window()
    try:
        with FrameReader(video) as reader:
            start = first_box(
                video, reader.first, box=box, window=_WINDOW if show else None
            )
            saved = inference.load_for_inference(checkpoint)
            drivers = compile_tracker(tracker_of(saved.config))
            variables = jax.device_put(saved.variables)
            summary = track(drivers, variables, reader, start, out=out, show=show)
    finally:
        if show:
            cv2.destroyAllWindows()
    if boxes:
        _write_boxes(pathlib.Path(boxes), summary.cxcywh)
    written = "".join(f"; wrote {path}" for path in (boxes, out) if path)
    print(
        f"{len(summary.scores)} frames, tracked at {summary.tracking_fps:.1f} frames/s "
        f"({summary.total_fps:.1f} with reading, drawing and writing){written}"
    )
    return summary


def track(
    drivers: Drivers,
    variables: Any,
    reader: FrameReader,
    box: np.ndarray,
    *,
    out: str = "",
    show: bool = False,
) -> Summary:
    """Tracks through an open reader, drawing on the way; Ctrl-C ends a camera.

    Args:
      drivers: from `compile_tracker`.
      variables: of the network, on the device.
      reader: not read yet.
      box: `[4]` cxcywh in the first frame, pixels.
      out: .mp4 to write, "" for none.
      show: whether a window shows the frames.

    Returns:
      Boxes, scores and speeds.

    Raises:
      InputError: if a frame cannot be read, or `out` not be written.
    """
    _compile(drivers, variables, reader.first, box)
    frames = _Remembered(reader)
    outputs, busy, fps = [], 0.0, float("nan")
    begin = time.perf_counter()
    with ExitStack() as stack:
        writer = None
        if out:
            writer = VideoWriter(out, reader.hw, reader.fps or _DEFAULT_FPS)
            stack.enter_context(writer)
        bar = tqdm(total=reader.length, unit="frame", file=sys.stderr)
        stack.enter_context(bar)
        tracked = track_video(drivers, variables, frames, box, ahead=0)
        for output in _until_interrupted(tracked, is_endless=reader.length is None):
            if outputs:  # The first frame starts the tracker and is no step.
                busy += time.perf_counter() - frames.given
            outputs.append(output)
            fps = (len(outputs) - 1) / busy if busy else float("nan")
            bar.update()
            if not (writer or show):
                continue
            picture = drawing.draw_box(frames.last, output, fps=fps)
            if writer:
                writer.write(picture)
            if show and not _show(picture):
                break
    cxcywh, scores = (np.stack(column) for column in zip(*outputs, strict=True))
    total = time.perf_counter() - begin
    return Summary(cxcywh, scores, fps, len(outputs) / total)


class _Remembered:
    """Frames as they come; keeps the last one and when the tracker got it."""

    def __init__(self, frames: Iterable[Frame]):
        """Wraps an iterable."""
        self._frames = frames
        self.last = None
        self.given = 0.0

    def __iter__(self) -> Iterator[Frame]:
        """Yields frames."""
        for frame in self._frames:
            self.last, self.given = frame, time.perf_counter()
            yield frame


def _compile(drivers, variables, frame, box):
    """Runs the tracker once, so that compiling neither stalls nor counts later."""
    print("compiling the tracker ...", file=sys.stderr)
    state = drivers.init(variables, *jax.device_put((frame, box)))
    jax.block_until_ready(drivers.step(variables, state, jax.device_put(frame)))


def _until_interrupted(outputs, *, is_endless):
    """Yields outputs; of an endless source Ctrl-C is the end, not a fault."""
    try:
        yield from outputs
    except KeyboardInterrupt:
        if not is_endless:
            raise


def _write_boxes(path, cxcywh):
    """Writes a line x,y,w,h a frame; the file appears when it is whole."""
    partial = path.with_name(f".{path.name}.partial")
    low = cxcywh[:, :2] - cxcywh[:, 2:] / 2
    try:
        files.write_boxes(partial, np.hstack([low, low + cxcywh[:, 2:]]))
        partial.replace(path)
    except OSError as fault:
        raise InputError(f"{path} could not be written: {fault.strerror}") from fault
    finally:
        partial.unlink(missing_ok=True)


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
