"""A folder that one process at a time may write to."""

import contextlib
import pathlib
from collections.abc import Iterator

from jaxtrack.errors import InputError


@contextlib.contextmanager
def locked(folder: str | pathlib.Path, what: str = "study") -> Iterator[None]:
    """Keeps a second process out of a folder while the block runs.

    Args:
      folder: made where it is missing.
      what: is at work in there, for the message.

    Raises:
      InputError: another one is, or the folder cannot be made.
    """
    import fcntl  # Late: reading what is there works where there is none.

    folder = pathlib.Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".lock").open("w")
    except OSError as fault:
        raise InputError(f"cannot write into {folder}: {fault.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(
                f"{folder}: another {what} is at work in there; wait for its end, or "
                "choose another --out"
            ) from None
        yield
