"""Checks of options that need no slow import."""

import contextlib
import difflib
import os
import pathlib
import tempfile

from jaxtrack import configs
from jaxtrack.cli import options
from jaxtrack.errors import InputError

_VIDEO = "a video file, a folder of images, a pattern such as frames/%04d.jpg, an "
_VIDEO += "address such as rtsp://..., or a camera's number"


def check_tracker(
    source: str, *, model: str = "", option: str = "--checkpoint"
) -> None:
    """Rejects a tracker that does not exist.

    Args:
      source: a shipped tracker's name, a file, files joined by commas, or a folder.
      model: config of the network, for a file of weights; "" for none.
      option: the option that names the tracker, for the message.

    Raises:
      InputError: there is no such tracker or config.
    """
    if not source:
        raise InputError(f"{option} is missing: name {options.TRACKER}")
    if model:
        configs.find(model)
    if source in options.SHIPPED:
        return
    paths = [pathlib.Path(part) for part in source.split(",")]
    if pathlib.Path(source).exists() or not any(path.exists() for path in paths):
        paths = [pathlib.Path(source)]
    for path in paths:
        if not path.exists():
            near = difflib.get_close_matches(str(path), options.SHIPPED, n=1)
            meant = f"did you mean {near[0]}? It takes" if near else "name"
            what = "no such file or folder" if len(paths) == 1 else f"no file {path}"
            raise InputError(f"{option}={source}: {what}: {meant} {options.TRACKER}")
        if path.is_dir() and not _has_steps(path):
            raise InputError(
                f"{option}={source}: no checkpoint in that folder: name the workdir of "
                "a training that has saved one (config.run.checkpoint_every)"
            )


def _has_steps(folder):
    """Returns whether a folder is a step of a training, or holds one."""
    inner = folder / "checkpoints"
    inner = inner if inner.is_dir() else folder
    with contextlib.suppress(OSError):  # An unreadable folder is reported later.
        return folder.name.isdigit() or any(p.name.isdigit() for p in inner.iterdir())
    return True


def check_video(source: str) -> None:
    """Rejects a video that does not exist, whatever else is missing.

    Args:
      source: a file, a folder, a pattern of names, an address or a camera's number.

    Raises:
      InputError: it is none of these.
    """
    if not source:
        raise InputError(f"VIDEO is missing: name {_VIDEO}")
    is_elsewhere = source.isdecimal() or "://" in source or "%" in source
    if not is_elsewhere and not pathlib.Path(source).exists():
        raise InputError(f"no video {source}: name {_VIDEO}")


def check_folder(path: str, *, option: str = "--out", is_new: bool = False) -> None:
    """Rejects a folder that cannot be created or written to.

    Args:
      path: of the folder.
      option: the option that names it, for the message.
      is_new: whether it must not exist yet.

    Raises:
      InputError: it is a file or inside of one, exists already, or cannot be written
        to.
    """
    place = pathlib.Path(path).absolute()
    if is_new and place.exists():
        raise InputError(f"{option}={path} exists already: name another folder")
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise InputError(f"{option}={path}: {place} is a file: name another folder")
    _try_to_write(place, f"{option}={path}")


def check_file(path: str, *, suffix: str = "", option: str = "--out") -> None:
    """Rejects a file that cannot be written.

    Args:
      path: of the file.
      suffix: required end of its name; "" for any.
      option: the option that names it, for the message.

    Raises:
      InputError: its folder is missing or cannot be written to, it is a folder itself,
        or its name has another suffix.
    """
    place = pathlib.Path(path).absolute()
    if place.is_dir():
        raise InputError(f"{option}={path} is a folder: give the name of a file")
    if not place.name.endswith(suffix):
        raise InputError(f"{option}={path}: the name of the file must end in {suffix}")
    if not place.parent.is_dir():
        raise InputError(f"{option}={path}: no folder {place.parent}: make it first")
    _try_to_write(place.parent, f"{option}={path}")


def _try_to_write(folder, option):
    """Creates and removes a folder: permissions alone do not tell."""
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".jaxtrack", dir=folder))
    except OSError as fault:
        raise InputError(
            f"{option}: cannot write in {folder} ({fault.strerror}): name another place"
        ) from None
