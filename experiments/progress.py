"""One bar over much work, with the time that is left."""

import sys
import time
from collections.abc import Callable

from tqdm import tqdm

_SHOW_SECONDS = 2.0
_LOG_SECONDS = 60.0  # Between two lines in a file, where a bar cannot move.
_UNITS = 1000  # Parts of a job that the bar counts in.


class Progress:
    """Shows how many of some jobs are done, counting parts of them."""

    def __init__(self, num_jobs: int, done: Callable[[], float]):
        """Opens the bar; it stays hidden if nothing is left to do.

        Args:
          num_jobs: jobs in all.
          done: jobs done by now, a sum of shares in [0, 1].
        """
        self._done, self._shown = done, 0.0
        self._pause = _SHOW_SECONDS if sys.stderr.isatty() else _LOG_SECONDS
        start = self._count()
        self._bar = tqdm(
            total=num_jobs * _UNITS,
            initial=start,
            desc="study",
            mininterval=0,
            smoothing=0,  # Stages differ in speed: only the mean foretells.
            bar_format="{desc} {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining}"
            "{postfix}",
            disable=start >= num_jobs * _UNITS,
        )

    def __enter__(self):
        """Returns itself."""
        return self

    def __exit__(self, *_):
        """Moves the bar to where the work is, and leaves it."""
        self._move()
        self._bar.close()

    def show(self, at_work: str) -> None:
        """Moves the bar, if it has not moved for some time.

        Args:
          at_work: what is being done.
        """
        if time.monotonic() - self._shown >= self._pause:
            self._shown = time.monotonic()
            self._bar.set_postfix_str(at_work, refresh=False)
            self._move()

    def _count(self) -> int:
        return round(self._done() * _UNITS)

    def _move(self) -> None:
        self._bar.update(self._count() - self._bar.n)
