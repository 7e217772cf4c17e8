"""Output files of tracking a video: boxes as text, and a video with boxes drawn."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.tracking import drawing, track_files, video_writer
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.track_files import Row, TrackFiles
from jaxtrack.tracking.video_writer import VideoWriter

_DEFAULT_FPS = 25.0

Say = Callable[[str], None]


class Outputs(NamedTuple):
    """Names of the output files; "" for none.

    Attributes:
      out: video with the boxes drawn, an .mp4.
      boxes: text file with one line per frame: x,y,w,h of each target.
      csv: text file with a header; see `jaxtrack.tracking.track_files`.
    """

    out: str = ""
    boxes: str = ""
    csv: str = ""

    def check(self) -> None:
        """Checks that the files can be written.

        Raises:
          InputError: if a folder is missing, or a name is a folder or not a video.
        """
        if self.out:
            video_writer.check_path(self.out)
        track_files.check_path(self.boxes, option="--boxes")
        track_files.check_path(self.csv, option="--csv")


NOWHERE = Outputs()


class OutputFiles:
    """The files, open; use it in a `with` statement."""

    def __init__(
        self,
        outputs: Outputs,
        hw: Sequence[int],
        fps: float | None,
        *,
        warn: Say,
        to_standard_output: bool = False,
    ):
        """Opens the files.

        Args:
          outputs: their names.
          hw: height and width of the first frame, pixels.
          fps: frames per second of the video; None takes 25.
          warn: called if the video fails, while boxes continue.
          to_standard_output: whether boxes are also printed.

        Raises:
          InputError: if a file cannot be written.
        """
        self._hw = tuple(hw)
        self._warn = warn
        self._has_text = bool(outputs.boxes or outputs.csv)
        texts = {"boxes": outputs.boxes, "csv": outputs.csv}
        with contextlib.ExitStack() as stack:
            self._writer = None
            if outputs.out:
                writer = VideoWriter(outputs.out, self._hw, fps or _DEFAULT_FPS)
                self._writer = stack.enter_context(writer)
            files = TrackFiles(**texts, to_standard_output=to_standard_output)
            self._files = stack.enter_context(files)
            self._stack = stack.pop_all()

    def __enter__(self) -> "OutputFiles":
        """Returns itself."""
        return self

    def __exit__(self, *fault: object) -> None:
        """Finishes the files."""
        self._stack.__exit__(*fault)

    def write(self, frame: Frame, row: Row, *, speed: float = float("nan")) -> None:
        """Adds a frame.

        Args:
          frame: in numpy.
          row: its boxes.
          speed: of the tracker, frames per second; drawn unless NaN.

        Raises:
          InputError: if the boxes cannot be written. If the video cannot, boxes
            continue, and closing the files raises.
        """
        self._files.write(row)
        if self._writer is None:
            return
        picture = drawing.draw_boxes(frame, row, fps=speed)
        try:
            self._writer.write(_of_size(picture, self._hw))
        except InputError as fault:
            if not self._has_text:
                raise
            self._warn(f"{fault}; boxes continue")
            self._writer = None

    def rewrite(self, rows: Iterable[Row]) -> None:
        """Replaces the written boxes after a correction; see `TrackFiles`."""
        self._files.rewrite(rows)


def write_video(
    path: str,
    frames: Iterable[tuple[Frame, Row]],
    hw: Sequence[int],
    fps: float | None,
) -> None:
    """Writes a video with boxes drawn.

    Args:
      path: of the .mp4.
      frames: with their boxes.
      hw: height and width of the first, pixels.
      fps: frames per second; None takes 25.

    Raises:
      InputError: if it cannot be written.
    """
    with VideoWriter(path, tuple(hw), fps or _DEFAULT_FPS) as writer:
        for frame, row in frames:
            writer.write(_of_size(drawing.draw_boxes(frame, row), tuple(hw)))


def _of_size(picture, hw):
    """Crops or pads a picture to the size of the first."""
    if picture.shape[:2] == hw:
        return picture
    canvas = np.zeros((*hw, 3), np.uint8)
    height, width = np.minimum(picture.shape[:2], hw)
    canvas[:height, :width] = picture[:height, :width]
    return canvas
