"""How a command ends when something goes wrong, and what it prints."""

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Callable

from jaxtrack.errors import EXTRAS, InputError, missing

INTERRUPTED = 130  # Exit statuses, as shells report programs ended by signals.
_BROKEN_PIPE = 141
_PATIENCE = 3  # Times that Ctrl-C is pressed.
_presses: list[int] = []
_FREE_SPACE = "free space, then run the same command again"
# Errors of the system that code cannot prevent -> what to do.
_OF_THE_SYSTEM = {
    errno.EACCES: "choose another place, or change its permissions",
    errno.EPERM: "choose another place, or change its permissions",
    errno.EROFS: "choose another place",
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "raise the limit on file sizes (`ulimit -f`)",
    errno.EMFILE: "raise the limit on open files (`ulimit -n`)",
}


def fail(message: str) -> None:
    """Prints one line to standard error and exits with status 2."""
    with contextlib.suppress(OSError):  # Standard error is a file on the full disk.
        print(f"error: {' '.join(str(message).split())}", file=sys.stderr, flush=True)
    raise SystemExit(2)


def catch_interrupts() -> None:
    """Counts Ctrl-C, which ends the process without cleaning up at the third time."""

    def handler(number, frame):
        _presses.append(number)
        if len(_presses) >= _PATIENCE:
            os._exit(INTERRUPTED)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handler)


def guarded(call: Callable[[], None]) -> None:
    """Calls; reports errors that a user can fix in one line, ends quietly at Ctrl-C."""
    try:
        _reported(call)
    except SystemExit:
        raise
    except BaseException as fault:
        # A module that is being imported may turn Ctrl-C into another exception.
        if not isinstance(fault, KeyboardInterrupt) and not _presses:
            raise
        print("interrupted", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


def _reported(call):
    """Calls; reports errors that a user can fix in one line."""
    try:
        try:
            call()
        finally:
            sys.stdout.flush()
    except InputError as fault:
        fail(str(fault))
    except ModuleNotFoundError as fault:
        package = (fault.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        fail(missing(package))
    except BrokenPipeError:  # As in `jaxtrack track ... | head`.
        _drop_output()
        raise SystemExit(_BROKEN_PIPE) from None
    except OSError as fault:
        if fault.errno not in _OF_THE_SYSTEM:
            raise
        _drop_output()
        where = f"{fault.filename}: " if fault.filename else ""
        fail(f"{where}{fault.strerror}: {_OF_THE_SYSTEM[fault.errno]}")


def _drop_output():
    """Drops buffered output that cannot be written, which Python would try at its end.

    Where it can be written, it is.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
