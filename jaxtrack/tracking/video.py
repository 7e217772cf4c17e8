"""Reads frames on the host, ahead of the tracker, and pads them to a canvas."""

import collections
import concurrent.futures
import functools
import itertools
import math
import pathlib
import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from jaxtrack.datasets import depth
from jaxtrack.datasets.pictures import corner, read_image
from jaxtrack.errors import InputError
from jaxtrack.tracking import sources
from jaxtrack.tracking.decoders import is_address
from jaxtrack.tracking.state import Frame

_CANVAS_STEP = 256
_ALIGNMENT = 64  # Bytes.
_NO_RANGES = "; if its index is at the end and the server knows no ranges, download it"

Warn = Callable[[str], None]
_WAITING = 128 << 20  # Bytes of the frames that wait: five of 4K.
# Decodes the next picture, into the corner of a canvas if it fits.
_Load = Callable[[np.ndarray | None], np.ndarray | None]


class FrameReader:
    """Frames of a folder of images, a video file, a stream or a camera, in order.

    Use it in a `with` statement, iterate once. Images are decoded by several threads,
    video by one; both keep at most `ahead` frames waiting. Pictures of more than eight
    bits are scaled by the range of the sequence.

    Attributes:
      name: of the source, for messages.
      hw: height and width of the first frame, pixels.
      canvas: height and width of its canvas, pixels: `hw` rounded up to a multiple of
        256, so that a few compilations serve all videos.
      length: number of frames stated by the source, or None; for a video it may be an
        estimate.
      fps: frames per second, or None if unknown.
      is_live: whether it is a camera or a stream without an end.
      first: the first frame, which iterating also yields.
      skipped: frames so far that were replaced, or parts that did not decode.
    """

    def __init__(
        self,
        source: str | int | pathlib.Path | Sequence[pathlib.Path],
        *,
        start: int = 0,
        num_threads: int = 2,
        ahead: int = 16,
        warn: Warn | None = None,
    ):
        """Opens a source and reads its first frame.

        Args:
          source: see `jaxtrack.tracking.sources.open_source`.
          start: index of the first frame; 0 for a live source.
          num_threads: for decoding images.
          ahead: frames decoded in advance, fewer if they are large (128 MB); none for
            a camera, whose tracker needs the newest frame.
          warn: called with a line for each bad frame, without stopping: an unreadable
            image is replaced by the previous one, so that frames keep their numbers; of
            a damaged video the frames that decode are read. A frame of another size is
            unchanged, on a larger canvas if needed. None raises instead, for a frame of
            another size only if the canvas is too small.

        Raises:
          InputError: if it does not exist, or the first frame cannot be read.
        """
        self.fps = self.length = self._decoder = None
        self.skipped = 0
        self._count = 0
        self._warn = warn
        self._start = start
        self.name, loads = self._open(source, start)
        workers = 1 if self._decoder else num_threads
        self._loads = loads
        self._pool = concurrent.futures.ThreadPoolExecutor(workers, "decode")
        self._waiting = collections.deque()
        try:
            load = next(self._loads, None)
            first = load(None) if load else None
            if first is None:
                raise self._no_frame()
        except BaseException:
            self.close()
            raise
        self.hw = first.shape[:2]
        self.canvas = canvas_size(self.hw)
        self.first = pad(first, self.canvas)
        most = min(ahead, _WAITING // self.first.image.nbytes)
        self._ahead = 1 if self.is_live else max(1, most)
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
          InputError: without `warn`; names the frame that is missing, damaged or too
            large for the canvas, or the damaged video.
        """
        if self._is_read:
            raise ValueError(f"{self.name} was already read: open it again")
        self._is_read = True
        self._count = self._start + 1
        frame = self.first
        yield frame
        while True:
            for load in itertools.islice(self._loads, self._room()):
                self._waiting.append(self._pool.submit(_on_canvas, load, self.canvas))
            if not self._waiting:
                return
            try:
                image, canvas = self._waiting.popleft().result()
            except InputError as fault:
                self._count += 1
                self._skip(f"{fault}; the previous frame replaces it")
                yield frame
                continue
            if image is None:
                self._check_end()
                return
            frame = self._frame(image, canvas)
            yield frame

    def fill(self, canvas: np.ndarray) -> np.ndarray | None:
        """Decodes the next frame onto a canvas, instead of iterating.

        For callers that have threads and memory of their own: nothing is read ahead.

        Args:
          canvas: `[Hc, Wc, 3]` uint8, at least as large as `self.canvas`; it is
            unchanged outside of the picture.

        Returns:
          `[2]` int32, height and width of the picture; None after the last.

        Raises:
          InputError: if the frame is missing, damaged or too large, even with `warn`.
        """
        if not self._is_read:
            self._is_read = True
            self._count = self._start + 1
            height, width = self.hw
            canvas[:height, :width] = self.first.image[:height, :width]
            return self.first.hw
        load = next(self._loads, None)
        image = load(canvas) if load else None
        if image is not None:
            return self._frame(image, canvas, may_grow=False).hw
        self._loads = iter(())
        if load:
            self._check_end()
        return None

    def close(self) -> None:
        """Stops the threads and closes the source; may be called twice."""
        self._loads = iter(())
        for load in self._waiting:
            load.cancel()
        self._waiting.clear()
        self._pool.shutdown(wait=True)
        if self._decoder is not None:
            self._decoder.close()

    def _open(self, given, start) -> tuple[str, Iterator[_Load]]:
        """Returns the source's name and an iterator of loaders, possibly endless."""
        source = sources.open_source(given, start=start)
        self.is_live = source.is_live
        if source.decoder is not None:
            return source.name, self._loads_of(source.decoder)
        paths = source.paths
        self.length = len(paths)
        read = self._image_reader(paths, source.name)
        return source.name, iter(
            [
                lambda canvas, path=path: read(path, canvas=canvas)
                for path in paths[start:]
            ]
        )

    def _loads_of(self, decoder):
        """Takes a decoder; its loaders read one frame after another."""
        self._decoder = decoder
        self.length, self.fps = decoder.length, decoder.fps
        return itertools.repeat(decoder.read)

    def _image_reader(self, paths, name):
        """Returns the function that reads one of the images."""
        span = depth.sequence_range(paths)
        if span is None:
            return read_image
        (self._warn or warnings.warn)(depth.told(name, span))
        return functools.partial(depth.read_stretched, span=span)

    def _room(self) -> int:
        """Returns how many more frames may be sent to the decoders."""
        return self._ahead - len(self._waiting)

    def _frame(self, image: np.ndarray, canvas: np.ndarray, *, may_grow=True) -> Frame:
        """Returns the frame of an image that was decoded onto a canvas, if it fits."""
        self._count += 1
        height, width = image.shape[:2]
        if (height, width) == self.hw:
            return Frame(canvas, np.array(self.hw, np.int32))
        message = (
            f"{self.name}: frame {self._count} is {width} x {height} pixels, the "
            f"first is {self.hw[1]} x {self.hw[0]}"
        )
        fits = corner(canvas, image.shape) is not None
        if not fits and (self._warn is None or not may_grow):
            raise InputError(f"{message}: too large for the canvas, shrink it")
        message += "; it is searched at the same pixel coordinates"
        (self._warn or warnings.warn)(message)
        if fits:
            return Frame(canvas, np.array([height, width], np.int32))
        return pad(image, tuple(map(max, canvas_size((height, width)), self.canvas)))

    def _skip(self, message: str) -> None:
        """Counts and reports a part that was not read, or raises."""
        if self._warn is None:
            raise InputError(message.partition("; ")[0])
        self.skipped += 1
        self._warn(message)

    def _check_end(self) -> None:
        """Reports damage. Fewer frames than stated are no evidence of it."""
        faults = self._decoder.faults() if self._decoder else ""
        if self.is_live and self._warn:
            self._warn(f"{self.name} gives no more frames: {self._count} were read")
        elif faults:
            self._skip(
                f"{self.name} is damaged or cut off: {faults}; {self._count} frames "
                "were read"
            )

    def _no_frame(self) -> InputError:
        """Describes why there is no first frame."""
        why = self._decoder.faults() if self._decoder else ""
        if self._start:
            return InputError(f"{self.name} has no frame {self._start}: it is shorter")
        return InputError(
            f"{self.name} has no frame that can be read"
            + (f" ({why})" if why else "")
            + ": check that it is a video, and whole"
            + (_NO_RANGES if is_address(self.name) else "")
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
    padded = blank((*canvas, 3))
    padded[:height, :width] = image
    return Frame(padded, np.array([height, width], np.int32))


def blank(shape: Sequence[int]) -> np.ndarray:
    """Returns aligned uint8 zeros, which JAX on a CPU uses without a copy.

    Args:
      shape: of the array.
    """
    size = math.prod(shape)
    memory = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].reshape(shape)


def _on_canvas(load: _Load, hw: Sequence[int]) -> tuple[np.ndarray | None, np.ndarray]:
    """Decodes a picture onto a new canvas, if it fits; returns both."""
    canvas = blank((*hw, 3))
    return load(canvas), canvas
