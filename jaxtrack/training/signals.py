"""Stopping on a signal: after a step, in all processes after the same step."""

import os
import signal
import sys
import threading
from collections.abc import Callable

import jax
import numpy as np
from jax.experimental import multihost_utils

from jaxtrack.signals import Listener

_PATIENCE = 1.0  # Seconds for Python to notice the second Ctrl-C.
_INTERRUPTED = 130  # The exit status of a program that Ctrl-C ends.

Say = Callable[[str], None]


class Stopper:
    """Turns SIGTERM and the first Ctrl-C into a flag while it is open.

    The second Ctrl-C raises `KeyboardInterrupt`. While XLA compiles or a device
    computes, when Python cannot, and at the third Ctrl-C, the process is ended without
    it. A listener tells the user at once.

    Attributes:
      until: what the first signal waits for, such as "this step".
      saved: step of the last checkpoint, or None.
    """

    def __init__(
        self, *, every: int = 1, say: Say = print, end: Callable[[int], None] = os._exit
    ):
        """Makes the flag, not yet set.

        Args:
          every: steps between two queries if several processes must agree.
          say: shows a line to the user; called by a thread.
          end: ends the process with an exit status.
        """
        self.until, self.saved = "this step", None
        self._every, self._say, self._end = every, say, end
        self._flag, self._is_raised = threading.Event(), threading.Event()
        self._old: dict = {}
        self._count = self._heard = 0

    def __enter__(self):
        """Installs the handlers, if this is the main thread."""
        if threading.current_thread() is threading.main_thread():
            self._listener = Listener(self._answer)
            for number in (signal.SIGTERM, signal.SIGINT):
                self._old[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, *_):
        """Restores the handlers."""
        if not self._old:
            return
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._listener.close()

    def _catch(self, number, frame):
        """Sets the flag; the second Ctrl-C raises."""
        del frame
        self._count += number == signal.SIGINT
        if self._count > 1:
            self._is_raised.set()
            raise KeyboardInterrupt
        self._flag.set()

    def _answer(self, number):
        """Acknowledges signals; ends the process where Python cannot."""
        self._heard += number == signal.SIGINT
        if number == signal.SIGTERM or self._heard == 1:
            self._acknowledge()
        elif self._heard > 2 or not self._is_raised.wait(_PATIENCE):
            self._say(f"stopped without saving: {self._told()}")
            sys.stdout.flush()
            self._end(_INTERRUPTED)

    def _acknowledge(self):
        """Reports when the run will stop."""
        self._say(
            f"stopping after {self.until}, then saving; press Ctrl-C again to stop now "
            f"({self._told()})"
        )

    def _told(self):
        """Names the last checkpoint."""
        if self.saved is None:
            return "no checkpoint is saved yet"
        return f"the last checkpoint is step {self.saved}"

    def is_set(self, step: int) -> bool:
        """Returns whether to stop after a step.

        Args:
          step: the same in all processes; all must call this at every step.

        Returns:
          Whether a signal came; of several processes, whether any got one. They compare
          at multiples of `every` only, since that makes them wait for each other.
        """
        if jax.process_count() == 1:
            return self._flag.is_set()
        if step % self._every:
            return False
        flags = multihost_utils.process_allgather(np.array(self._flag.is_set()))
        return bool(np.any(flags))
