"""Files that appear whole or not at all."""

import os
import tempfile
from pathlib import Path

from jaxtrack.errors import unwritable


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
        raise unwritable(path, fault) from None
