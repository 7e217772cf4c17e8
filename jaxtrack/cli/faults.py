"""The end of a command after an error: its message and its exit status."""

import contextlib
import os
import sys
from collections.abc import Callable

from jaxtrack.cli.interrupts import INTERRUPTED, Interrupts
from jaxtrack.errors import EXTRAS, REMEDIES, InputError, missing, system_reason

_BROKEN_PIPE = 141  # The exit status that shells report of a program ended by it.
_caught: list[Interrupts] = []


def fail(message: str) -> None:
    """Prints one line to standard error and exits with status 2."""
    with contextlib.suppress(OSError):  # Standard error is a file on the full disk.
        print(f"error: {' '.join(str(message).split())}", file=sys.stderr, flush=True)
    raise SystemExit(2)


def catch_interrupts() -> None:
    """Answers Ctrl-C for the rest of the process; see `jaxtrack.cli.interrupts`."""
    _caught.append(Interrupts())


def guarded(call: Callable[[], None]) -> None:
    """Calls; reports errors that a user can fix in one line, ends quietly at Ctrl-C."""
    try:
        _reported(call)
    except SystemExit:
        raise
    except BaseException as fault:
        # A library that calls Python may turn Ctrl-C into another exception.
        pressed = any(interrupts.presses for interrupts in _caught)
        if not isinstance(fault, KeyboardInterrupt) and not pressed:
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
        if fault.errno not in REMEDIES:
            raise
        _drop_output()
        where = f"{fault.filename}: " if fault.filename else ""
        fail(f"{where}{system_reason(fault)}")


def _drop_output():
    """Drops buffered output that cannot be written, which Python would try at its end.

    Where it can be written, it is.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
