"""What a disk refuses, told in one line."""

import contextlib
import pathlib
from collections.abc import Iterator

from jaxtrack.errors import InputError


@contextlib.contextmanager
def writing(folder: pathlib.Path) -> Iterator[None]:
    """Turns what the disk refuses while a folder is written to into an `InputError`.

    Args:
      folder: of work in progress, which the error names.
    """
    try:
        yield
    except OSError as error:
        # numpy's has no number of the error.
        raise InputError(
            f"{folder}: cannot be written to ({error.strerror or error}): free space, "
            "then run the same command again, which goes on"
        ) from error
