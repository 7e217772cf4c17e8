"""What becomes of a training's numbers: shown while it runs, and written to logs."""

import contextlib
import json
import pathlib
import time
from collections.abc import Callable, Iterator
from types import TracebackType

import jax
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.training.compile_times import CompileTimes
from jaxtrack.training.logging import ScalarLog
from jaxtrack.training.meter import Meter
from jaxtrack.training.progress import Progress
from jaxtrack.training.signals import Stopper

# Steps done -> learning rates of the last one, by name.
Rates = Callable[[int], dict[str, float]]


class Report:
    """Shows and logs how a run is doing; silent but in one process."""

    def __init__(
        self, config: ConfigDict, workdir: pathlib.Path, *, first: int, rates: Rates
    ):
        """Opens the log files.

        Args:
          config: see docs/settings.md.
          workdir: the log files go there.
          first: steps done before this run.
          rates: learning rates of a step.
        """
        is_main = jax.process_index() == 0
        self._steps_per_epoch, self._rates = config_lib.steps_per_epoch(config), rates
        self._log = None
        if is_main:
            self._log = ScalarLog(
                workdir,
                first_step=first,
                loggers=config.run.loggers,
                settings=json.loads(config.to_json()),
            )
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
        """Closes the files and leaves the bar as it is."""
        self._progress.close()
        if self._log is not None:
            self._log.close()

    def say(self, line: str) -> None:
        """Shows a line."""
        self._progress.say(line)

    def advance(self) -> None:
        """Moves what is shown by one step."""
        self._progress.advance()

    @contextlib.contextmanager
    def compilation(self, name: str, stopper: Stopper, meter: Meter) -> Iterator[None]:
        """Tells of a compilation before and after it, and learns how long it took.

        Args:
          name: of what is compiled.
          stopper: is told what a signal waits for.
          meter: leaves the time out of its speeds.
        """
        self.say(f"compiling {name} ({self._times.expect(name).told()}) ...")
        stopper.until = "the compilation"
        begin = time.monotonic()
        yield
        seconds = time.monotonic() - begin
        stopper.until = "this step"
        self.say(f"compiled in {seconds:.0f} s")
        meter.leave_out(seconds)
        if self._log is not None:
            self._times.learn(name, seconds)

    def write(self, number: int, scalars: dict[str, float] | None) -> None:
        """Writes what a meter read.

        Args:
          number: steps done.
          scalars: means and speeds, or None for nothing.
        """
        if self._log is None or scalars is None:
            return
        epoch = {"epoch": number / self._steps_per_epoch}
        self._log.write(number, {**epoch, **scalars, **self._rates(number)})
        self._progress.show(scalars["loss"], scalars["pairs_per_second"])
