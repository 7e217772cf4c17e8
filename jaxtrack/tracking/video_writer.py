"""Writes H.264 video that browsers play."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

import numpy as np

from jaxtrack.errors import REMEDIES, InputError, require, unwritable


class VideoWriter:
    """Encodes frames with the ffmpeg of imageio-ffmpeg.

    Use it in a `with` statement. The file appears under its name at the end, also after
    an error, with the frames up to then; without a frame there is no file. Odd sizes
    are padded by a black row or column, since H.264 halves the color resolution.
    """

    def __init__(self, path: str | pathlib.Path, hw: tuple[int, int], fps: float):
        """Starts the encoder.

        Args:
          path: of the file, ending in .mp4.
          hw: height and width of the frames, pixels.
          fps: frames per second.

        Raises:
          InputError: if the name has another ending, or the folder or the encoder is
            missing.
        """
        self.path = check_path(path)
        import imageio_ffmpeg  # An extra, that `check_path` looks for.

        self._partial = self.path.with_name(f".{self.path.stem}.partial.mp4")
        self._hw = tuple(hw)
        self._log = tempfile.TemporaryFile()
        height, width = self._hw
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        even = "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709"
        names = ("-colorspace", "-color_primaries", "-color_trc")
        colors = [word for name in names for word in (name, "bt709")]
        coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]
        coded += ["-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
        command += [*source, "-r", f"{fps:g}", "-i", "-", "-an", "-vf", even]
        # A session of its own: Ctrl-C is for the tracker, which then ends the file.
        self._process = subprocess.Popen(
            [*command, *colors, *coded, str(self._partial)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=True,
            # Where Python ignores SIGXFSZ the encoder names the limit too.
            restore_signals=False,
        )
        self._count = 0

    def __enter__(self) -> "VideoWriter":
        """Returns itself."""
        return self

    def __exit__(self, kind: type | None, *fault: object) -> None:
        """Finishes the file; after an error it has the frames up to then."""
        try:
            if kind is None:
                self._finish()
            elif self._count:
                with contextlib.suppress(InputError):  # The first error says more.
                    self._finish()
        finally:
            self._process.kill()
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()
            self._log.close()
            self._partial.unlink(missing_ok=True)

    def write(self, image: np.ndarray) -> None:
        """Adds a frame.

        Args:
          image: `[H, W, 3]` uint8 RGB.

        Raises:
          InputError: if the encoder stopped, as on a full disk.
          ValueError: if the frame is of another size.
        """
        if image.shape != (*self._hw, 3) or image.dtype != np.uint8:
            raise ValueError(
                f"a frame is {image.dtype} {image.shape}, not uint8 {(*self._hw, 3)}"
            )
        try:
            self._process.stdin.write(np.ascontiguousarray(image).data)
        except BrokenPipeError:
            raise self._failure() from None
        self._count += 1

    def _finish(self) -> None:
        """Waits for the encoder and gives the file its name."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if self._process.wait():
            raise self._failure()
        self._partial.replace(self.path)

    def _failure(self) -> InputError:
        """Returns the error with the system's reason, or the encoder's last words."""
        self._process.wait()
        self._log.seek(0)
        told = self._log.read().decode(errors="replace")
        for number in REMEDIES:
            if os.strerror(number) in told:
                return unwritable(self.path, OSError(number, os.strerror(number)))
        words = told.strip().splitlines()
        return InputError(
            f"{self.path} could not be written: {words[-1] if words else 'no reason'}"
        )


def check_path(path: str | pathlib.Path) -> pathlib.Path:
    """Checks that a video can be written.

    Args:
      path: of the file.

    Returns:
      The path.

    Raises:
      InputError: if the name does not end in .mp4 or is a folder, or its folder or the
        encoder is missing.
    """
    require("imageio_ffmpeg")
    path = pathlib.Path(path)
    if path.suffix.lower() != ".mp4":
        raise InputError(f"{path} does not end in .mp4: give the video that ending")
    if path.is_dir():
        raise InputError(f"{path} is a folder: give the video another name")
    if not path.parent.is_dir():
        raise InputError(f"no folder {path.parent}: make it before {path.name}")
    return path
