"""Readings of a run: means of metrics, speed, and time spent waiting for data."""

import math
import time
from collections.abc import Mapping

import jax
import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.training.checkpoint import CheckpointStore
from jaxtrack.training.prefetch import DevicePrefetcher


class Meter:
    """Collects metrics on the devices and reads them rarely.

    The host stays at most one step ahead of the devices, so that signals and faults are
    handled soon and batches do not pile up.
    """

    def __init__(
        self, batch_size: int, batches: DevicePrefetcher, store: CheckpointStore
    ):
        """Makes an empty meter.

        Args:
          batch_size: pairs per step.
          batches: knows how long devices waited for data.
          store: knows the last good checkpoint.
        """
        self._batch_size, self._batches, self._store = batch_size, batches, store
        self._pending: list[tuple[int, Mapping[str, jax.Array]]] = []
        self._start: float | None = None
        self._time, self._waited, self._untimed = 0.0, 0.0, 0

    @property
    def newest(self) -> Mapping[str, jax.Array] | None:
        """Metrics of the latest step, which may still be computing."""
        return self._pending[-1][1] if self._pending else None

    def add(self, step: int, metrics: Mapping[str, jax.Array]) -> None:
        """Keeps the metrics of a step on the devices; waits for the step before.

        Args:
          step: steps done with this one.
          metrics: scalars on the devices.
        """
        if self._pending:
            jax.block_until_ready(self._pending[-1][1])
        self._pending.append((step, metrics))
        if self._start is None:  # The first step compiles: its speed says nothing.
            jax.block_until_ready(metrics)
            self._start = self._time = time.perf_counter()
            self._waited, self._untimed = self._batches.waited, 1

    def leave_out(self, seconds: float) -> None:
        """Excludes a compilation from speeds and times.

        Args:
          seconds: its duration, since the last reading.
        """
        if self._start is not None:
            self._start += seconds
            self._time += seconds

    def read(self, upto: int) -> dict[str, float] | None:
        """Reads all steps up to one; waits for the devices only if it is the latest.

        Args:
          upto: last step to read.

        Returns:
          Means of the metrics since the last reading, "pairs_per_second", "data_wait"
          (fraction of the time that devices waited for data) and "seconds" since the
          first step, without compilations; None if there is nothing to read.

        Raises:
          InputError: if a metric is not finite, naming its step and the last good
            checkpoint.
        """
        taken = [(step, row) for step, row in self._pending if step <= upto]
        if not taken:
            return None
        self._pending = self._pending[len(taken) :]
        rows = jax.device_get([row for _, row in taken])
        for (step, _), row in zip(taken, rows, strict=True):
            self._check_finite(step, row)
        now, waited = time.perf_counter(), self._batches.waited
        seconds = max(now - self._time, 1e-9)
        timed = len(rows) - self._untimed
        scalars = {n: float(np.mean([row[n] for row in rows])) for n in rows[0]}
        scalars["pairs_per_second"] = timed * self._batch_size / seconds
        scalars["data_wait"] = (waited - self._waited) / seconds
        scalars["seconds"] = now - self._start
        self._time, self._waited, self._untimed = now, waited, 0
        return scalars

    def _check_finite(self, step, row):
        """Raises if a loss, one of its terms or the gradient norm is not finite."""
        bad = {n: float(v) for n, v in sorted(row.items()) if not math.isfinite(v)}
        if not bad:
            return
        good = self._store.latest_step()
        last = "no checkpoint is saved yet"
        if good is not None:
            last = f"the last good checkpoint is {self._store.folder / str(good)}"
        values = ", ".join(f"{name} {value}" for name, value in bad.items())
        raise InputError(
            f"the loss or its gradient is not finite at step {step} ({values}): "
            f"{last}; lower config.optimizer.lr or config.optimizer.clip_norm"
        )
