"""Progress of a training on the screen: a bar, or a line every half minute."""

import math
import sys
import time
from typing import TextIO

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 30.0
# Without the elapsed time, which would include compilations.
_BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} steps{postfix}"


class Progress:
    """A bar on a terminal, otherwise a line every half minute.

    The remaining time is estimated from the speed without compilations.
    """

    def __init__(
        self,
        *,
        first: int,
        total: int,
        batch_size: int,
        is_shown: bool = True,
        stream: TextIO | None = None,
    ):
        """Shows the bar.

        Args:
          first: steps done before this run.
          total: steps of the whole training.
          batch_size: pairs a step.
          is_shown: False shows nothing; of several processes one reports.
          stream: to write to; None is standard error.
        """
        self._stream = sys.stderr if stream is None else stream
        self._done, self._total, self._batch_size = first, total, batch_size
        self._is_shown = is_shown
        self._next_line = time.monotonic()
        self._bar = tqdm(
            initial=first,
            total=total,
            desc="training",
            bar_format=_BAR,
            disable=not (is_shown and self._stream.isatty()),
            file=self._stream,
            mininterval=0.5,
        )

    def close(self) -> None:
        """Ends the bar, which stays on the screen."""
        self._bar.close()

    def say(self, line: str) -> None:
        """Shows a line, above the bar if there is one."""
        if self._is_shown:
            tqdm.write(line, file=self._stream)
            self._stream.flush()

    def advance(self) -> None:
        """Advances by one step."""
        self._done += 1
        self._bar.update()

    def show(
        self, loss: float, pairs_per_second: float, *, at_most: float = math.inf
    ) -> None:
        """Shows loss, speed and remaining time.

        Args:
          loss: mean of the steps since the last reading.
          pairs_per_second: of the same steps; 0 while it is unknown.
          at_most: seconds until a clock ends the training.
        """
        text = f"loss {loss:.3f}"
        if pairs_per_second:
            left = (self._total - self._done) * self._batch_size / pairs_per_second
            left = min(left, at_most)
            digits = 0 if pairs_per_second >= 10 else 1
            text += f", {pairs_per_second:.{digits}f} pairs/s, {duration(left)} left"
        self._bar.set_postfix_str(text)
        if self._stream.isatty() or time.monotonic() < self._next_line:
            return
        self._next_line = time.monotonic() + _SECONDS_BETWEEN_LINES
        self.say(f"step {self._done} of {self._total}: {text}")


def duration(seconds: float) -> str:
    """Formats a duration by its two largest units: "2 h 5 min", "3 min 20 s", "8 s"."""
    whole = round(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"
