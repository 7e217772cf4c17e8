"""Decoders of video files, streams and cameras: ffmpeg if installed, else OpenCV."""

import contextlib
import importlib.util
import os
import pathlib
import re
import subprocess
import tempfile
import urllib.parse
from typing import Protocol

import cv2
import numpy as np

from jaxtrack.datasets.pictures import corner, to_rgb
from jaxtrack.errors import InputError, missing

# Consecutive reads that may fail before the file counts as read.
_LEAST_RETRIES, _MOST_RETRIES = 100, 5000
# Lines of ffmpeg's log: a fault, its component first, "[h264 @ 0x55810] [error] ...";
# the decoders of sound, "Stream #0:1: Audio: mp3 (mp3float), ...".
_FAULT = re.compile(
    r"^(?:\[(\S+) @ \w+\] )*\[(?:error|fatal|panic)\] (.*?)\s*$", re.MULTILINE
)
_SOUND = re.compile(r"^\[info\] .*: Audio: (\w+)(?: \((\w+)\))?", re.MULTILINE)
# Time limit for a stream's host, milliseconds.
_TIMEOUT = 10_000


class Decoder(Protocol):
    """Yields the frames of one video, one after another.

    Attributes:
      length: number of frames stated by the container, which is often an estimate
        (duration times rate): good for a progress bar, but no evidence of a fault.
      fps: frames per second, or None if unknown.
    """

    length: int | None
    fps: float | None

    def read(self, canvas: np.ndarray | None = None) -> np.ndarray | None:
        """Decodes the next frame.

        Args:
          canvas: see `jaxtrack.datasets.pictures.to_rgb`.

        Returns:
          `[H, W, 3]` uint8 RGB, or None after the last.
        """

    def faults(self) -> str:
        """Returns the damage found, "" for none; call it after the last frame."""

    def close(self) -> None:
        """Closes the source; may be called twice."""


def open_recording(target: str, name: str, *, start: int = 0) -> Decoder:
    """Opens a video that has an end: a file, or an address of one.

    Uses ffmpeg if imageio-ffmpeg is installed: it has decoders that OpenCV lacks (AV1),
    converts with the stream's own color matrix, while OpenCV assumes BT.601, and
    distinguishes damage from the end.

    Args:
      target: path or address.
      name: for messages.
      start: frames to skip at the beginning.

    Returns:
      The decoder.

    Raises:
      InputError: if it is a TIFF of several pages, or does not open.
    """
    if target.lower().endswith((".tif", ".tiff")) and cv2.imcount(target) > 1:
        raise InputError(
            f"{name} has several pages: save each as a picture, such as with "
            "ImageMagick's `magick FILE.tif %04d.png`, and give their folder"
        )
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        return FfmpegDecoder(target, start=start)
    return OpencvDecoder(target, name, is_live=False, start=start)


def open_stream(
    target: str | int, name: str, *, start: int = 0
) -> tuple[Decoder, bool]:
    """Opens an address, a camera's device or its number.

    Args:
      target: of the source.
      name: for messages.
      start: frames to skip at the beginning; 0 for a live source.

    Returns:
      The decoder, and whether the source is live: it states no number of frames.

    Raises:
      InputError: if it does not open.
    """
    decoder = OpencvDecoder(target, name, is_live=True)
    if decoder.length is None or not is_address(str(target)):
        decoder.length = None
        return decoder, True
    decoder.close()
    return open_recording(str(target), name, start=start), False


class FfmpegDecoder:
    """Decodes with the ffmpeg of imageio-ffmpeg; see `Decoder`."""

    def __init__(self, target: str, *, start: int = 0):
        """Starts the decoder.

        Args:
          target: path of a file, or an address.
          start: frames to skip at the beginning; they are decoded, since the index of
            a file is not always exact.
        """
        import imageio_ffmpeg  # An extra, checked by the caller.

        self.length, self.fps = _stated(_capture(target))
        self._log = tempfile.TemporaryFile()
        # PPM states the size of each picture. All stored frames are read, none is
        # repeated or dropped to keep a rate; `file:` since a name may contain colons.
        place = target if is_address(target) else f"file:{target}"
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-nostats"]
        command += ["-hide_banner", "-loglevel", "level+info"]
        command += ["-i", place, "-map", "0:V:0", "-fps_mode", "passthrough"]
        command += ["-vf", f"select=gte(n\\,{start})"] if start else []
        command += ["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,  # Ctrl-C is for the tracker.
        )

    def read(self, canvas: np.ndarray | None = None) -> np.ndarray | None:
        """See `Decoder`."""
        pipe = self._process.stdout
        if pipe.closed or pipe.readline() != b"P6\n":
            return None
        width, height = map(int, pipe.readline().split())
        pipe.readline()  # The highest level, 255.
        place = corner(canvas, (height, width))
        is_direct = place is not None and place.flags.c_contiguous
        image = place if is_direct else np.empty((height, width, 3), np.uint8)
        if pipe.readinto(image.reshape(-1)) != image.size:
            return None
        if place is None or is_direct:
            return image
        place[:] = image
        return place

    def faults(self) -> str:
        """See `Decoder`."""
        if self._log.closed:
            return ""
        self._process.wait()
        self._log.seek(0)
        log = self._log.read().decode(errors="replace")
        # Sound is decoded to find out what it is; its damage is not the video's.
        sound = {name for names in _SOUND.findall(log) for name in names if name}
        found = _FAULT.findall(log)
        said = dict.fromkeys(what for part, what in found if part not in sound)
        if not said:
            return ""
        if any("matches no streams" in line for line in said):
            return "it has no video, only sound or a cover"
        first = next(iter(said))
        return f"{first} (and {len(said) - 1} more)" if len(said) > 1 else first

    def close(self) -> None:
        """See `Decoder`."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._process.stdout.close()
        self._process.wait()
        self._log.close()


class OpencvDecoder:
    """Decodes a file, a stream or a camera with OpenCV; see `Decoder`."""

    def __init__(self, target: str | int, name: str, *, is_live: bool, start: int = 0):
        """Opens the source.

        Args:
          target: path, address or number.
          name: for messages.
          is_live: whether an unreadable frame is the end; in a recording others may
            follow.
          start: frames to skip at the beginning.

        Raises:
          InputError: if it does not open.
        """
        self._capture = _capture(target)
        self._is_live = is_live
        self._count = self._lost = 0
        if not self._capture.isOpened():
            raise InputError(f"{name} {_why_closed(target)}")
        self.length, self.fps = _stated(self._capture)
        for _ in range(start):
            self.read()

    def read(self, canvas: np.ndarray | None = None) -> np.ndarray | None:
        """See `Decoder`."""
        for lost in range(self._retries() + 1):
            is_read, image = self._capture.read()
            if is_read:
                self._count += 1
                self._lost += lost
                return to_rgb(image, canvas=canvas)
        return None

    def faults(self) -> str:
        """See `Decoder`."""
        if not self._count:
            code = int(self._capture.get(cv2.CAP_PROP_FOURCC))
            codec = code.to_bytes(4, "little", signed=True).decode("latin-1")
            named = f"its codec is {codec}, which " if codec.isprintable() else ""
            install = missing("imageio_ffmpeg")
            return f"{named}OpenCV may not decode, but ffmpeg may: {install}"
        return f"{self._lost} frames cannot be decoded" if self._lost else ""

    def close(self) -> None:
        """See `Decoder`."""
        self._capture.release()

    def _retries(self):
        """Yields once for every read that may fail before the end is assumed."""
        if self._is_live:
            return 0
        expected = (self.length or 0) - self._count
        return min(max(expected, _LEAST_RETRIES), _MOST_RETRIES)


def is_address(source: str) -> bool:
    """Returns whether a source is an address such as rtsp://..."""
    return "://" in source and "/" not in source.partition("://")[0]


def local_path(source: str) -> pathlib.Path:
    """Returns the path of a source: itself, or the path in file:///..."""
    is_file = source.lower().startswith("file://")
    path = urllib.parse.unquote(urllib.parse.urlsplit(source).path)
    return pathlib.Path(path if is_file else source)


def _why_closed(target):
    """Describes why a source may not open, and what to do."""
    if isinstance(target, int):
        return "does not open: `ls /dev/video*` lists cameras; or name a video file"
    if is_address(target):
        return "does not answer, or sends no video: check the address and the network"
    return "does not open as a video: check that it is one"


def _capture(target):
    """Opens a source with OpenCV, without output of its decoders."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
    if is_address(str(target)):
        # Otherwise OpenCV waits half a minute for a host.
        limits = (cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, cv2.CAP_PROP_READ_TIMEOUT_MSEC)
        options = [word for limit in limits for word in (limit, _TIMEOUT)]
        return cv2.VideoCapture(target, cv2.CAP_FFMPEG, options)
    return cv2.VideoCapture(target)


def _stated(capture):
    """Reads the number of frames and the rate from a container's header."""
    count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    fps = capture.get(cv2.CAP_PROP_FPS)
    length = int(count) if 0 < count < 1e9 else None
    return length, fps if 1 <= fps <= 1000 else None
