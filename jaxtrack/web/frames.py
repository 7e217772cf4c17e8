"""Frames of a video for both tracker and page, in bounded memory."""

import collections
import threading
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import simplejpeg

from jaxtrack.errors import InputError
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.video import FrameReader, Warn, canvas_size, pad

# Of JPEGs, about 2500 frames of 1280 x 720 pixels.
_MEMORY = 256 * 2**20
_QUALITY = 88
_PATIENCE = 0.1  # Seconds.
_NEIGHBORS = 12  # Frames decoded together with one that is no longer in memory.


class Frames(Protocol):
    """A video's frames, which count from 0.

    Attributes:
      name: of the video.
      hw: height and width of the first frame, pixels.
      fps: frames per second, or None.
      length: number of frames stated by the video, or None.
      is_live: whether only the latest frames can be seen again.
      skipped: frames that could not be read.
    """

    name: str
    hw: tuple[int, int]
    fps: float | None
    length: int | None
    is_live: bool
    skipped: int

    def walk(self, start: int) -> Iterator[tuple[int, Frame] | None]:
        """Yields number and frame from `start` on; None while waiting for a live one.

        Raises:
          InputError: if a frame cannot be read.
        """

    def again(self, start: int) -> Iterator[tuple[int, Frame]]:
        """Yields past frames, for readers other than the tracker."""

    def jpeg(self, number: int) -> bytes | None:
        """Returns a past frame, or None if it is not kept.

        Raises:
          InputError: if it cannot be read again.
        """

    def span(self) -> tuple[int, int]:
        """Returns the numbers of the first and the last frame that can be seen."""

    def close(self) -> None:
        """Closes the video."""


def open_frames(video: str, *, warn: Warn | None) -> Frames:
    """Opens a video.

    Args:
      video: see `jaxtrack.tracking.sources.open_source`.
      warn: called for bad frames; None makes them errors.

    Returns:
      Its frames.

    Raises:
      InputError: if it does not open.
    """
    reader = FrameReader(video, warn=warn)
    return Live(reader) if reader.is_live else Recording(video, reader, warn)


class Store:
    """JPEGs of the latest frames."""

    def __init__(self, *, memory: int = _MEMORY):
        """Starts empty.

        Args:
          memory: limit for the JPEGs, bytes; the last one is always kept.
        """
        self._jpegs = collections.OrderedDict()
        self._room = memory
        self._lock = threading.Lock()

    def put(self, number: int, frame: Frame) -> None:
        """Stores a frame, and drops the oldest ones."""
        height, width = frame.hw
        picture = np.ascontiguousarray(frame.image[:height, :width])
        jpeg = simplejpeg.encode_jpeg(picture, _QUALITY, "RGB", "420")
        with self._lock:
            self._room += len(self._jpegs.pop(number, b"")) - len(jpeg)
            self._jpegs[number] = jpeg
            while self._room < 0 and len(self._jpegs) > 1:
                self._room += len(self._jpegs.popitem(last=False)[1])

    def get(self, number: int) -> bytes | None:
        """Returns a frame, or None."""
        return self._jpegs.get(number)

    def span(self) -> tuple[int, int]:
        """Returns the lowest and the highest number kept; -1 without any."""
        with self._lock:
            return min(self._jpegs, default=-1), max(self._jpegs, default=-1)


class Recording:
    """Frames of a video that can be read again."""

    is_live = False

    def __init__(self, video: str, reader: FrameReader, warn: Warn | None):
        """Takes an open reader; see `Frames`."""
        self._video, self._reader, self._warn = video, reader, warn
        self.name, self.hw, self.fps = reader.name, reader.hw, reader.fps
        self.length = reader.length
        self.skipped = 0
        self._end = None
        self._store = Store()
        self._store.put(0, reader.first)
        self._last = 0
        self._lock = threading.Lock()

    def walk(self, start: int) -> Iterator[tuple[int, Frame] | None]:
        """See `Frames`."""
        if start == self._end:
            return
        fresh, self._reader = self._reader, None
        with fresh if fresh and not start else self._open(start) as reader:
            number = start - 1
            for number, frame in enumerate(reader, start):
                self._store.put(number, frame)
                self._last = max(self._last, number)
                yield number, frame
            self._end = number + 1
            self.skipped = max(self.skipped, reader.skipped)

    def again(self, start: int) -> Iterator[tuple[int, Frame]]:
        """See `Frames`."""
        with self._open(start) as reader:
            yield from enumerate(reader, start)

    def jpeg(self, number: int) -> bytes | None:
        """See `Frames`."""
        with self._lock:  # It may have been decoded while waiting.
            if self._store.get(number) is None and 0 <= number <= self._last:
                with self._open(number) as reader:
                    for k, frame in zip(range(_NEIGHBORS), reader, strict=False):
                        self._store.put(number + k, frame)
            return self._store.get(number)

    def span(self) -> tuple[int, int]:
        """See `Frames`."""
        return 0, self._last

    def close(self) -> None:
        """See `Frames`."""
        if self._reader:
            self._reader.close()

    def _open(self, start):
        """Opens the video again, without repeating warnings."""
        warn = self._warn and (self._warn if start > self._last else lambda said: None)
        return FrameReader(self._video, start=start, warn=warn)


class Live:
    """Frames of a camera or a stream; the latest ones are kept."""

    is_live = True

    def __init__(self, reader: FrameReader, *, store: Store | None = None):
        """Takes an open reader and starts to read; see `Frames`.

        Args:
          reader: of the source.
          store: for its frames.
        """
        self._reader, self._store = reader, store or Store()
        self.name, self.hw, self.fps = reader.name, reader.hw, reader.fps
        self.length = None
        self._fault = None
        self._is_closed = False
        self._came = threading.Condition()
        self._store.put(0, reader.first)
        self._thread = threading.Thread(target=self._read, daemon=True, name="live")
        self._thread.start()

    @property
    def skipped(self) -> int:
        """See `Frames`."""
        return self._reader.skipped

    def walk(self, start: int) -> Iterator[tuple[int, Frame] | None]:
        """See `Frames`."""
        number = start
        while True:
            with self._came:
                first, last = self._store.span()
                if last < number:
                    if self._fault:
                        raise self._fault
                    if not self._thread.is_alive():
                        return
                    self._came.wait(_PATIENCE)
            if last < number:
                yield None
                continue
            number = max(number, first)
            jpeg = self._store.get(number)
            if jpeg is not None:
                yield number, _decode(jpeg)
            number += 1

    def again(self, start: int) -> Iterator[tuple[int, Frame]]:
        """See `Frames`."""
        first, last = self._store.span()
        for number in range(max(first, start), last + 1):
            if jpeg := self._store.get(number):
                yield number, _decode(jpeg)

    def jpeg(self, number: int) -> bytes | None:
        """See `Frames`."""
        return self._store.get(number)

    def span(self) -> tuple[int, int]:
        """See `Frames`."""
        return self._store.span()

    def close(self) -> None:
        """See `Frames`."""
        self._is_closed = True
        self._thread.join(timeout=1)

    def _read(self):
        """Stores frames as they come."""
        try:
            with self._reader as reader:
                for number, frame in enumerate(reader):
                    if self._is_closed:
                        return
                    with self._came:
                        self._store.put(number, frame)
                        self._came.notify_all()
        except InputError as fault:
            self._fault = fault
        with self._came:
            self._came.notify_all()


def _decode(jpeg):
    """Returns the frame of a JPEG."""
    image = simplejpeg.decode_jpeg(jpeg, "RGB")
    return pad(image, canvas_size(image.shape[:2]))
