"""One-line errors for failed writes."""

import contextlib
import pathlib
from collections.abc import Iterator

from jaxtrack.errors import InputError


@contextlib.contextmanager
def writing(folder: pathlib.Path) -> Iterator[None]:
    """Turns failed writes to a folder into an `InputError`.

    Args:
      folder: of work in progress, for the error message.
    """
    try:
        yield
    except OSError as error:
        # numpy's errors have no error number.
        raise InputError(
            f"{folder}: cannot be written to ({error.strerror or error}): free space, "
            "then run the same command again to continue"
        ) from error
