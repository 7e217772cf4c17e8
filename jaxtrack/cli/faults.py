"""What a command says and how it ends when something goes wrong."""

import errno
import os
import sys
from collections.abc import Callable

from jaxtrack.errors import EXTRAS, InputError, missing

INTERRUPTED = 130  # Exit codes, as a shell has them of programs that signals end.
_BROKEN_PIPE = 141
_FREE_SPACE = "free space, then run the same command again"
# Faults of the system that no code can prevent -> what to do.
_OF_THE_SYSTEM = {
    errno.EACCES: "name another place, or change its rights",
    errno.EPERM: "name another place, or change its rights",
    errno.EROFS: "name another place",
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: "raise the limit of a file's size (`ulimit -f`)",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`)",
}


def fail(message: str) -> None:
    """Prints one line to standard error and leaves with exit code 2."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    raise SystemExit(2)


def guarded(call: Callable[[], None]) -> None:
    """Calls; turns what a user can mend into one line, and Ctrl-C into a quiet end."""
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
        # What is buffered still would be written, and fail, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(_BROKEN_PIPE) from None
    except OSError as fault:
        if fault.errno not in _OF_THE_SYSTEM:
            raise
        where = f"{fault.filename}: " if fault.filename else ""
        fail(f"{where}{fault.strerror}: {_OF_THE_SYSTEM[fault.errno]}")
    except RuntimeError as fault:
        if "nable to initialize backend" not in str(fault):
            raise
        fail(
            f"no device for JAX_PLATFORMS={os.environ.get('JAX_PLATFORMS', '')}: unset "
            "it, or install the extra of the device (`jaxtrack doctor` says more)"
        )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
