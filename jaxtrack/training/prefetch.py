"""Batches put on the devices ahead of time."""

import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxtrack.data import batch as batch_lib
from jaxtrack.training.step import AXIS


class DevicePrefetcher:
    """Reads a loader in a thread and puts its batches on the local devices.

    Each batch comes with the loader's position *after* it, so that a checkpoint saved
    after training on it resumes with the next one, however many were read ahead.

    Attributes:
      waited: seconds that devices were idle because no batch was ready.
    """

    def __init__(self, loader: Iterator[batch_lib.Batch], *, depth: int = 2):
        """Starts reading.

        Args:
          loader: has `get_state()` and `close()`; closed by `close`.
          depth: batches kept ready.
        """
        self.waited = 0.0
        self._loader = loader
        self._queue: queue.Queue = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._thread.start()

    def next(self, busy: Any = None) -> tuple[dict[str, jax.Array], Any]:
        """Returns the next batch.

        Args:
          busy: arrays that the devices are computing. If no batch is ready, they are
            waited for first: only the waiting after that is counted.

        Returns:
          A batch `[D, B / D, ...]`, and the loader's position after it.

        Raises:
          Exception: whatever the loader raised, `InputError` for damaged data.
        """
        if self._queue.empty():
            jax.block_until_ready(busy)
        start = time.perf_counter()
        item = self._queue.get()
        self.waited += time.perf_counter() - start
        if isinstance(item, BaseException):
            raise item
        return item

    def _draw(self):
        """Fills the queue until told to stop; an exception is passed on and ends it."""
        try:
            while not self._stop.is_set():
                batch = next(self._loader)
                position = self._loader.get_state()
                self._put((_place(batch), position))
        except BaseException as fault:
            self._put(fault)

    def _put(self, item):
        """Waits for room in the queue, unless it is being closed."""
        while not self._stop.is_set():
            try:
                return self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue

    def __enter__(self):
        """Returns itself; the thread runs already."""
        return self

    def __exit__(self, *_):
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Ends the thread and closes the loader."""
        self._stop.set()
        self._thread.join()
        self._loader.close()


def _place(batch: batch_lib.Batch) -> dict[str, Any]:
    """Splits a batch over the local devices and starts the transfer."""
    devices = jax.local_devices()
    parts = batch_lib.shard(batch, len(devices))
    if jax.process_count() > 1:  # pmap then wants what this process holds.
        return parts
    sharding = NamedSharding(Mesh(np.array(devices), (AXIS,)), PartitionSpec(AXIS))
    return jax.device_put(parts, sharding)
