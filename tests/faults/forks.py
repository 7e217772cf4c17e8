"""Forks of a program that has imported everything, and started no backend of jax."""

import os
import sys
from collections.abc import Callable


def start(call: Callable[[], object], log: str) -> int:
    """Forks a process that calls; returns its id. It appends its output to a file."""
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    status = 1
    try:
        call()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(status)


def ended(pid: int) -> int:
    """Waits for a process; returns its exit status, or minus its signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
