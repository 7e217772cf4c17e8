"""One process at work in a folder at a time, or one group of them, and who it is.

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
import time
from collections.abc import Iterator

from jaxtrack.errors import InputError

FILE = ".lock"
_MOST_SHOWN = 160  # Characters of a command.
_MOMENT = 2.0  # Seconds in which the first of a group writes down who they are.
_LOOK = 0.1  # Seconds that are more than a look of `is_held` takes.
# What a file system says that has no locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


class BusyError(InputError):
    """Another process is at work in a folder."""


@contextlib.contextmanager
def locked(
    folder: str | pathlib.Path,
    what: str,
    *,
    option: str = "--out",
    name: str = FILE,
    group: str = "",
) -> Iterator[bool]:
    """Keeps a second process out of a folder while the block runs.

    What a dead process left is taken over, and a line says so.

    Args:
      folder: made where it is missing.
      what: is at work in there, such as "training", for messages.
      option: of the command, that names the folder.
      name: of the file.
      group: processes that say the same may be in there together; "" is alone.

    Yields:
      Whether others are kept out: not where the file system has no locks.

    Raises:
      BusyError: another process is at work in there.
      InputError: the folder cannot be made or written to.
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
        is_first, is_alone = _take(file, folder, what, option, group)
        if is_first:
            if dead := _owner(file):
                _say(
                    f"{folder}: taking over from the {dead}, which did not end by "
                    "itself"
                )
            _write(file, _self(what, group))
            if group:
                _flock(file, fcntl.LOCK_SH)
        try:
            yield is_alone
        except InputError:
            # Nothing came of it; others may have written above the folder.
            if new and not group and [*folder.iterdir()] == [path]:
                path.unlink()
                with contextlib.suppress(OSError):
                    for place in new:
                        place.rmdir()
            raise
        finally:
            # Of a group, the last one.
            if not group or _flock(file, fcntl.LOCK_EX) is not False:
                _write(file, "")


def is_held(folder: str | pathlib.Path, *, name: str = FILE) -> bool:
    """Whether a living process holds a lock.

    Args:
      folder: see `locked`.
      name: see `locked`.
    """
    try:
        with open(pathlib.Path(folder) / name, "r+") as file:
            return _flock(file, fcntl.LOCK_EX) is False
    except OSError:
        return False


def _take(file, folder, what, option, group):
    """Takes the lock of an open file; refuses, naming the owner, if it is taken.

    Returns:
      Whether this process is the first of its group, and whether there are locks.
    """
    end = time.monotonic() + (_MOMENT if group else _LOOK)
    while (free := _flock(file, fcntl.LOCK_EX)) is False:
        if group and _flock(file, fcntl.LOCK_SH):
            if _told(file).get("group") == group:
                return False, True
            _flock(file, fcntl.LOCK_UN)
        elif time.monotonic() < end:
            time.sleep(_LOOK / 3)
            continue
        owner = _owner(file)
        owner = f"another {what}" if owner is None else f"another {owner}"
        raise BusyError(
            f"{folder}: {owner} is at work in there; wait for its end, or choose "
            f"another {option}"
        )
    if free is None:
        _say(
            f"{folder}: its file system has no locks: let no other process work in "
            "there"
        )
    return True, free is not None


def _flock(file, kind):
    """Takes a lock, or another kind of it.

    Returns:
      Whether it was free; None if the file system has no locks.
    """
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as fault:
        return None if fault.errno in _NO_LOCKS else False
    return True


def _self(what, group):
    """Describes this process as JSON."""
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
        "group": group,
    }
    return json.dumps(owner)


def _owner(file):
    """Describes the owner that a file names; None if it names none."""
    told = _told(file)
    try:
        command = " ".join(str(told["command"]).split())
        if len(command) > _MOST_SHOWN:
            command = f"{command[:_MOST_SHOWN]}..."
        where = f"process {told['pid']} on {told['host']} since {told['since']}"
        return f"{told['what']} ({where}: {command})"
    except LookupError:
        return None


def _told(file):
    """Reads what a file says of its owner; nothing if it is damaged."""
    file.seek(0)
    try:
        told = json.loads(file.read())
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _write(file, text):
    """Replaces the text of a file; a full disk does not matter."""
    with contextlib.suppress(OSError):
        file.truncate(0)
        file.write(text)
        file.flush()


def _say(line):
    """Prints a line to standard error."""
    print(line, file=sys.stderr, flush=True)
