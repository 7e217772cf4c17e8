"""Reads frames on the host, ahead of the tracker, and pads them onto a canvas."""

import collections
import concurrent.futures
import itertools
import pathlib
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from jaxtrack.datasets import files
from jaxtrack.datasets.pictures import read_image
from jaxtrack.errors import InputError
from jaxtrack.tracking.state import Frame

_CANVAS_STEP = 256

# Containers overstate their number of frames a little; beyond this share, or this
# number, of missing frames a video counts as damaged.
_LOST_SHARE = 0.02
_LOST_FRAMES = 5


class FrameReader:
    """Frames of a folder of images, a video file or a camera, in order.

    Use it in a `with` statement, iterate once. Images are decoded by several threads,
    video by one; both keep at most `ahead` frames waiting.

    Attributes:
      name: of the source, for messages.
      hw: height and width of every frame, pixels.
      canvas: height and width of the canvas, pixels: `hw` rounded up to a multiple of
        256, so that a few compilations serve all videos.
      length: number of frames, or None where the source does not say.
      fps: frames a second, or None where the source does not say.
      first: the first frame, which iterating yields too.
    """

    def __init__(
        self,
        source: str | int | pathlib.Path | Sequence[pathlib.Path],
        *,
        num_threads: int = 2,
        ahead: int = 16,
    ):
        """Opens a source and reads its first frame.

        Args:
          source: a folder of images (or of a folder `img` with images), a list of image
            files, a video file, or a camera's number ("0" is one too, unless it names
            a file).
          num_threads: that decode images.
          ahead: frames decoded before they are asked for; a camera has none waiting,
            since a live tracker wants the newest frame.

        Raises:
          InputError: if nothing is there, or the first frame cannot be read.
        """
        self.fps = self.length = self._capture = None
        self._count = 0
        self.name, loads = self._open(source)
        self._ahead = max(1, ahead if self.length is not None else 1)
        workers = 1 if self._capture else num_threads
        self._loads = loads
        self._pool = concurrent.futures.ThreadPoolExecutor(workers, "decode")
        self._waiting = collections.deque()
        try:
            first = next(self._loads)()
            if first is None:
                raise InputError(f"{self.name} has no frame that can be read")
        except BaseException:
            self.close()
            raise
        self.hw = first.shape[:2]
        self.canvas = canvas_size(self.hw)
        self.first = pad(first, self.canvas)
        self._is_read = False

    def __enter__(self) -> "FrameReader":
        """Returns itself."""
        return self

    def __exit__(self, *fault: object) -> None:
        """Closes the source."""
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        """Yields frames on the canvas.

        Raises:
          InputError: naming the frame that is missing, damaged or of another size, or
            the video that ends early.
        """
        if self._is_read:
            raise ValueError(f"{self.name} was read already: open it again")
        self._is_read = True
        self._count = 1
        yield self.first
        while True:
            for load in itertools.islice(self._loads, self._room()):
                self._waiting.append(self._pool.submit(load))
            if not self._waiting:
                return
            image = self._waiting.popleft().result()
            if image is None:
                self._check_end()
                return
            yield self._frame(image)

    def close(self) -> None:
        """Stops the threads and lets go of the source; may be called twice."""
        self._loads = iter(())
        for load in self._waiting:
            load.cancel()
        self._waiting.clear()
        self._pool.shutdown(wait=True)
        if self._capture is not None:
            self._capture.release()

    def _open(self, source) -> tuple[str, Iterator[Callable[[], np.ndarray | None]]]:
        """Returns the source's name and an endless or finite row of loaders."""
        if isinstance(source, str | pathlib.Path):
            path = pathlib.Path(source)
            if path.is_dir():
                source = image_files(path)
            elif path.is_file():
                return str(path), self._open_capture(str(path), str(path))
            elif str(source).isdecimal():
                source = int(source)
            else:
                raise InputError(
                    f"no video {source}: give a folder of images, a video file or a "
                    "camera's number"
                )
        if isinstance(source, int):
            return f"camera {source}", self._open_capture(source, f"camera {source}")
        paths = [pathlib.Path(path) for path in source]
        if not paths:
            raise InputError("an empty list of images: give at least one")
        self.length = len(paths)
        loads = iter([lambda path=path: read_image(path) for path in paths])
        return str(paths[0].parent), loads

    def _open_capture(self, target, name):
        """Opens a video file or a camera; its loaders read one frame after another."""
        capture = cv2.VideoCapture(target)
        if not capture.isOpened():
            raise InputError(f"{name} does not open as a video: check that it is one")
        self._capture = capture
        if isinstance(target, str):
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            self.length = count if count > 0 else None
        fps = capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 1 <= fps <= 1000 else None

        def load():
            is_read, image = capture.read()
            return cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if is_read else None

        return itertools.repeat(load)

    def _room(self) -> int:
        """Counts the frames that may still be sent to be decoded."""
        return self._ahead - len(self._waiting)

    def _frame(self, image: np.ndarray) -> Frame:
        """Pads an image onto the canvas."""
        self._count += 1
        if image.shape[:2] != self.hw:
            height, width = image.shape[:2]
            raise InputError(
                f"{self.name}: frame {self._count} is {width} x {height} pixels, the "
                f"first is {self.hw[1]} x {self.hw[0]}: all frames must agree"
            )
        return pad(image, self.canvas)

    def _check_end(self) -> None:
        """Refuses a video file that stops well before the length it states."""
        if self._capture is None or self.length is None:
            return
        lost = self.length - self._count
        if lost > max(_LOST_FRAMES, _LOST_SHARE * self.length):
            raise InputError(
                f"{self.name}: frame {self._count + 1} of {self.length} cannot be "
                "read: the file is damaged or cut off"
            )


def canvas_size(hw: Sequence[int]) -> tuple[int, int]:
    """Rounds a height and width up to multiples of 256 pixels."""
    height, width = (-(-int(side) // _CANVAS_STEP) * _CANVAS_STEP for side in hw)
    return height, width


def pad(image: np.ndarray, canvas: Sequence[int]) -> Frame:
    """Puts an image into the top-left corner of a black canvas.

    Args:
      image: `[H, W, 3]` uint8.
      canvas: height and width, pixels, at least the image's.

    Returns:
      The frame, in numpy.
    """
    height, width = image.shape[:2]
    padded = np.zeros((*canvas, 3), np.uint8)
    padded[:height, :width] = image
    return Frame(padded, np.array([height, width], np.int32))


def image_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Lists the images of a folder's `img`, or its own, by the numbers in names.

    Args:
      folder: where to look.

    Returns:
      Paths, `2.jpg` before `10.jpg`.

    Raises:
      InputError: if there is none.
    """
    for place in (folder / "img", folder):
        if place.is_dir() and files.has_frames(place):
            return files.list_frames(place)
    raise InputError(
        f"{folder} has no images: expected {', '.join(files.FRAME_SUFFIXES)}"
    )
