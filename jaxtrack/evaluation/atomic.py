"""Files that appear whole or not at all, and folders for one process."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jaxtrack.errors import InputError


def write_text(path: str | Path, text: str) -> None:
    """Writes a file whole or not at all: a temporary file beside it, then renamed."""
    write_bytes(path, text.encode())


def write_bytes(path: str | Path, content: bytes) -> None:
    """Writes a file whole or not at all: a temporary file beside it, then renamed.

    Raises:
      InputError: the folder cannot be made or written to.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = file.name
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as fault:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise InputError(f"cannot write {path}: {fault.strerror}") from None


@contextmanager
def locked(folder: str | Path, what: str = "study") -> Iterator[None]:
    """Keeps a second process out of a folder while the block runs.

    Args:
      folder: made where it is missing.
      what: is at work in there, for the message.

    Raises:
      InputError: another one is, or the folder cannot be made.
    """
    import fcntl  # Late: reading what is there works where there is none.

    folder = Path(folder)
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
