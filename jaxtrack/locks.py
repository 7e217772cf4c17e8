"""One process at work in a folder at a time, and who it is.

The system takes the lock of `fcntl.flock` back from a process that dies, however it
dies; on Linux it works over NFS too. The file's text only tells who holds it.
"""

import contextlib
import datetime
import errno
import fcntl
import json
import os
import pathlib
import shlex
import socket
import sys
from collections.abc import Iterator

from jaxtrack.errors import InputError

FILE = ".lock"
_MOST_SHOWN = 160  # Characters of a command.
# What a file system says that has no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextlib.contextmanager
def locked(
    folder: str | pathlib.Path, what: str, *, option: str = "--out", name: str = FILE
) -> Iterator[None]:
    """Keeps a second process out of a folder while the block runs.

    What a dead process left is taken over, and a line says so.

    Args:
      folder: made where it is missing.
      what: is at work in there, such as "training", for messages.
      option: of the command, that names the folder.
      name: of the file.

    Raises:
      InputError: another process is at work in there, or the folder cannot be made or
        written to.
    """
    folder = pathlib.Path(folder)
    path = folder / name
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(path, "a+")
    except OSError as fault:
        raise InputError(
            f"cannot write into {folder}: {fault.strerror}; choose another {option}"
        ) from None
    with file:
        _take(file, folder, what, option)
        if dead := _owner(file):
            _say(f"{folder}: taking over from a {dead}, which did not end by itself")
        _write(file, _self(what))
        try:
            yield
        except InputError:
            if new and [*folder.iterdir()] == [path]:  # Nothing came of it.
                path.unlink()
                for place in new:
                    place.rmdir()
            raise
        finally:
            _write(file, "")


def _take(file, folder, what, option):
    """Takes the lock of an open file; refuses, naming the owner, if it is taken."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        if fault.errno in _NO_LOCKS:
            _say(
                f"{folder}: its file system has no locks ({fault.strerror}): let no "
                "other process work in there"
            )
            return
        owner = _owner(file)
        owner = f"another {what}" if owner is None else f"another {owner}"
        raise InputError(
            f"{folder}: {owner} is at work in there; wait for its end, or choose "
            f"another {option}"
        ) from None


def _self(what):
    """Says who this process is, as JSON."""
    program = pathlib.Path(sys.argv[0] or "python")
    if program.name == "__main__.py":
        program = program.parent
    now = datetime.datetime.now().astimezone()
    owner = {
        "what": what,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": now.isoformat(" ", "seconds"),
        "command": shlex.join([program.name, *sys.argv[1:]]),
    }
    return json.dumps(owner)


def _owner(file):
    """Words whom a file names; None if it names nobody."""
    file.seek(0)
    try:
        told = json.loads(file.read())
        command = " ".join(str(told["command"]).split())
        if len(command) > _MOST_SHOWN:
            command = f"{command[:_MOST_SHOWN]}..."
        where = f"process {told['pid']} on {told['host']} since {told['since']}"
        return f"{told['what']} ({where}: {command})"
    except (ValueError, LookupError, TypeError):
        return None


def _write(file, text):
    """Replaces the text of a file; a full disk does not matter."""
    with contextlib.suppress(OSError):
        file.truncate(0)
        file.write(text)
        file.flush()


def _say(line):
    """Prints a line to standard error."""
    print(line, file=sys.stderr, flush=True)
