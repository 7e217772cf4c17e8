"""The time that a training has taken, all its runs together."""

import time
from collections.abc import Callable

import jax
import numpy as np
from jax.experimental import multihost_utils


class Clock:
    """Counts the seconds of a training, compilations included."""

    def __init__(
        self,
        before: float,
        *,
        every: int = 1,
        now: Callable[[], float] = time.monotonic,
    ):
        """Starts.

        Args:
          before: seconds of the runs before this one.
          every: steps between two readings if several processes must agree.
          now: time in seconds.
        """
        self._start, self._every, self._now = now() - before, every, now
        self._agreed = before

    def seconds(self) -> float:
        """Returns the seconds so far, in this process."""
        return self._now() - self._start

    def agreed(self, step: int) -> float:
        """Returns the seconds so far, the same in all processes.

        Args:
          step: the same in all processes; all must call this at every step. Several of
            them read the first one's clock at multiples of `every` only, since that
            makes them wait for each other.
        """
        if jax.process_count() == 1:
            return self.seconds()
        if step % self._every == 0:
            seconds = np.float32(self.seconds())
            self._agreed = float(multihost_utils.broadcast_one_to_all(seconds))
        return self._agreed
