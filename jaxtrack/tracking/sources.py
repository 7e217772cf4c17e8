"""Opens a video by name: a file, images, an address or a camera."""

import pathlib
import re
from collections.abc import Sequence
from typing import NamedTuple

from jaxtrack.datasets import frame_files
from jaxtrack.errors import InputError
from jaxtrack.tracking import decoders
from jaxtrack.tracking.decoders import Decoder

# A number in the name of an image, as printf writes it: %d, %04d.
_NUMBER = re.compile(r"%(?:0(\d+))?d")

Name = str | int | pathlib.Path | Sequence[pathlib.Path]


class Source(NamedTuple):
    """A source of frames, open.

    Attributes:
      name: for messages.
      paths: of images; None for a video.
      decoder: of a video; None for images.
      is_live: whether it is a camera or a stream.
    """

    name: str
    paths: Sequence[pathlib.Path] | None = None
    decoder: Decoder | None = None
    is_live: bool = False


def open_source(source: Name, *, start: int = 0) -> Source:
    """Opens a video by name.

    Args:
      source: a folder of images (or with a folder of images, `img`), a list of image
        files, a pattern such as "frames/%04d.jpg", a video file, an
        address such as rtsp://..., a device such as "/dev/video0", or the number of a
        camera ("0" too, unless it is a file).
      start: number of frames of a recording to skip at the beginning.

    Returns:
      The source.

    Raises:
      InputError: if it does not exist or does not open.
    """
    if isinstance(source, int):
        return _open_stream(source, f"camera {source}")
    if not isinstance(source, str | pathlib.Path):
        paths = [pathlib.Path(path) for path in source]
        if not paths:
            raise InputError("an empty list of images: give at least one")
        return Source(str(paths[0].parent), paths)
    named = str(source)
    path = decoders.local_path(named)
    if path.is_dir():
        paths = image_files(path)
        return Source(str(paths[0].parent), paths)
    if path.is_file():
        decoder = decoders.open_recording(str(path), str(path), start=start)
        return Source(str(path), decoder=decoder)
    if named.isdecimal():
        return _open_stream(int(named), f"camera {named}")
    if decoders.is_address(named) or path.exists():
        return _open_stream(named, named, start=start)
    if _NUMBER.search(path.name):
        return Source(named, _matching(path))
    raise InputError(
        f"no video {source}: give a video file, a folder of images, a pattern such as "
        "frames/%04d.jpg, an address such as rtsp://..., or a camera's number"
    )


def image_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Lists the images of a sequence's folder, sorted by their numbers.

    Args:
      folder: of the sequence; `frame_files.image_folder` says where they may lie.

    Returns:
      Paths, `2.jpg` before `10.jpg`.

    Raises:
      InputError: if there are none.
    """
    return frame_files.list_frames(frame_files.image_folder(folder))


def _open_stream(target, name, *, start=0):
    """Opens a camera or an address."""
    decoder, is_live = decoders.open_stream(target, name, start=start)
    return Source(name, decoder=decoder, is_live=is_live)


def _matching(pattern):
    """Lists the images whose names match a pattern, by number.

    `%04d` matches at least four digits, and more for larger numbers.
    """
    before, width, after = _NUMBER.split(pattern.name, maxsplit=1)
    digits = rf"(\d{{{width or 1},}})"
    name = re.compile(re.escape(before) + digits + re.escape(after.replace("%%", "%")))
    folder = pattern.parent
    found = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        if match := name.fullmatch(path.name):
            found[int(match[1])] = path
    if not found:
        raise InputError(f"no image matches {pattern}: check folder and digits")
    return [found[number] for number in sorted(found)]
