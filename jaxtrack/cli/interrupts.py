"""Ctrl-C in a command: answered within a second, whatever the command is doing."""

import atexit
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from jaxtrack.signals import Listener

INTERRUPTED = 130  # The exit status that shells report of a program ended by Ctrl-C.
_PATIENCE = 0.8  # Seconds for Python to notice Ctrl-C.
_PAUSE = 0.05  # Seconds between two looks.


class Interrupts:
    """Turns Ctrl-C into `KeyboardInterrupt`.

    While modules are imported it waits, since a C extension that is cut short may
    crash. Where Python cannot run a handler, as during a compilation, a thread says so,
    and the second Ctrl-C ends the process without cleaning up; the third always does.

    Attributes:
      presses: how often Ctrl-C was pressed.
    """

    def __init__(self, end: Callable[[int], None] = os._exit):
        """Installs the handlers; the main thread must call this.

        Args:
          end: ends the process with an exit status.
        """
        self.presses, self._raised, self._end = 0, 0, end
        self._listener = Listener(self._answer)
        numbers = [signal.SIGINT]
        if hasattr(signal, "setitimer"):  # Not on Windows.
            numbers.append(signal.SIGALRM)
        self._before = {n: signal.signal(n, self._catch) for n in numbers}

    def close(self) -> None:
        """Restores the handlers."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._listener.close()

    def _catch(self, number, frame):
        """Raises, or looks again a little later."""
        del number
        if signal.SIGALRM in self._before and _is_importing(frame):
            signal.setitimer(signal.ITIMER_REAL, _PAUSE)
            return
        self._raised += 1
        raise KeyboardInterrupt

    def _answer(self, number):
        """Tells the user what Ctrl-C waits for; ends the process where it must."""
        if number != signal.SIGINT:
            return
        self.presses += 1
        if self.presses < 3:
            deadline = time.monotonic() + _PATIENCE
            while self._raised < self.presses:
                if time.monotonic() > deadline:
                    break
                time.sleep(_PAUSE)
            else:
                return
        if self.presses == 1:
            said = "stopping as soon as possible; press Ctrl-C again to stop now"
            print(said, file=sys.stderr, flush=True)
            return
        print("interrupted", file=sys.stderr, flush=True)
        self._end(INTERRUPTED)


def end_interrupted() -> None:
    """Ends this process after Ctrl-C: cleans up, but does not take Python down.

    XLA that was interrupted while it compiled may crash when its modules are unloaded.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(INTERRUPTED)


def _is_importing(frame: FrameType | None) -> bool:
    """Returns whether an import is under way below a frame."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
