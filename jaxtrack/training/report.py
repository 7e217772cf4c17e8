"""Reports of a training run: progress on the screen, scalars in the logs."""

import contextlib
import json
import pathlib
import time
from collections.abc import Iterator, Mapping
from types import TracebackType

import jax
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.training.compile_times import CompileTimes
from jaxtrack.training.logging import ScalarLog
from jaxtrack.training.meter import Meter
from jaxtrack.training.progress import Progress
from jaxtrack.training.schedule import Rates
from jaxtrack.training.signals import Stopper


class Report:
    """Shows and logs the progress of a run; only the first process does."""

    def __init__(self, config: ConfigDict, workdir: pathlib.Path, *, first: int):
        """Opens the log files.

        Args:
          config: see docs/settings.md.
          workdir: the log files go there.
          first: steps done before this run.
        """
        is_main = jax.process_index() == 0
        self._steps_per_epoch = config_lib.steps_per_epoch(config)
        self._log = None
        if is_main:
            self._log = ScalarLog(
                workdir,
                first_step=first,
                loggers=config.run.loggers,
                settings=json.loads(config.to_json()),
            )
        self._is_new = False  # Whether a step was compiled since the last reading.
        kept = jax.config.jax_compilation_cache_dir or workdir
        self._times = CompileTimes(config, kept)
        self._progress = Progress(
            first=first,
            total=config_lib.total_steps(config),
            batch_size=config.run.batch_size,
            is_shown=is_main,
        )

    def __enter__(self) -> "Report":
        """Returns itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the log files; the bar stays on the screen."""
        self._progress.close()
        if self._log is not None:
            self._log.close()

    def say(self, line: str) -> None:
        """Shows a line."""
        self._progress.say(line)

    def advance(self) -> None:
        """Advances the progress by one step."""
        self._progress.advance()

    @contextlib.contextmanager
    def compilation(self, name: str, stopper: Stopper, meter: Meter) -> Iterator[None]:
        """Announces a compilation, and records how long it took.

        Args:
          name: of the compiled function, for messages.
          stopper: told that a signal waits for the compilation.
          meter: excludes the time from its speeds.
        """
        self.say(f"compiling {name} ({self._times.expect(name).text()}) ...")
        stopper.until = "the compilation"
        begin = time.monotonic()
        yield
        seconds = time.monotonic() - begin
        stopper.until = "this step"
        self.say(f"compiled in {seconds:.0f} s")
        self._is_new = True
        meter.leave_out(seconds)
        if self._log is not None:
            self._times.learn(name, seconds)

    def write(
        self,
        number: int,
        scalars: dict[str, float] | None,
        *,
        rates: Rates,
        seconds_left: float,
    ) -> None:
        """Writes the readings of a meter.

        Args:
          number: steps done.
          scalars: means and speeds; None writes nothing.
          rates: learning rates of the last of these steps.
          seconds_left: until the clock ends the training.
        """
        if self._log is None or scalars is None:
            return
        epoch = {"epoch": number / self._steps_per_epoch}
        self._log.write(
            number, {**epoch, **scalars, **{n: float(r) for n, r in rates.items()}}
        )
        if self._is_new and (used := memory(jax.local_devices()[0].memory_stats())):
            self.say(used)
        self._is_new = False
        speed = scalars["pairs_per_second"]
        self._progress.show(scalars["loss"], speed, at_most=seconds_left)


def memory(stats: Mapping[str, int] | None) -> str:
    """Describes a device's peak memory use; "" where it is unknown.

    Args:
      stats: as `jax.Device.memory_stats` returns them; CPUs have none.
    """
    peak = (stats or {}).get("peak_bytes_in_use")
    if not peak:
        return ""
    limit = stats.get("bytes_limit")
    return f"memory used at most: {peak / 1e9:.1f} GB" + (
        f" of {limit / 1e9:.1f} GB a device" if limit else " a device"
    )
