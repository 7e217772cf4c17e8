"""Stopping on a signal: at a step's end, in all processes at the same step."""

import signal
import threading

import jax
import numpy as np
from jax.experimental import multihost_utils


class Stopper:
    """Turns SIGTERM and the first Ctrl-C into a flag while it is open."""

    def __init__(self, *, every: int = 1):
        """Makes the flag, not yet set.

        Args:
          every: steps between two questions, where several processes must agree.
        """
        self._every = every
        self._flag = threading.Event()
        self._old: dict = {}

    def __enter__(self):
        """Takes the signals over, where this is the main thread."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._old[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, *_):
        """Gives the signals back."""
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _catch(self, number, frame):
        """Notes a signal; a second Ctrl-C acts as ever."""
        del frame
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._flag.set()

    def is_set(self, step: int) -> bool:
        """Says whether to stop after a step.

        Args:
          step: the same in all processes, which all must ask at every step.

        Returns:
          Whether a signal came; of several processes, whether any got one, asked at
          multiples of `every` only since the question makes them wait for each other.
        """
        if jax.process_count() == 1:
            return self._flag.is_set()
        if step % self._every:
            return False
        flags = multihost_utils.process_allgather(np.array(self._flag.is_set()))
        return bool(np.any(flags))
