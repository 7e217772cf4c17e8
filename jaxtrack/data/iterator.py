"""The endless iterator of batches: its position and its loader processes."""

import weakref
from collections.abc import Sequence

import grain
import numpy as np
from absl import flags, logging

from jaxtrack.data import processes
from jaxtrack.data.batch import Batch
from jaxtrack.data.redraw import SceneFiller
from jaxtrack.errors import InputError

_THREADS_IN_PROCESS = 2
_BATCHES_AHEAD = 2  # Of each loader process.
_RESTARTS = 3  # Of loader processes that died,
_CALM = 100  # within this many batches.
_DIED = "terminated unexpectedly"  # As Grain says of a loader process.


class PairIterator(grain.DatasetIterator):
    """An endless iterator of batches, which stores its position and ends its processes.

    Attributes:
      contents: description of the data, one line per portion.
    """

    def __init__(
        self,
        dataset: grain.MapDataset,
        *,
        num_workers: int,
        fingerprint: dict[str, int],
        filler: SceneFiller | None = None,
        contents: Sequence[str] = (),
    ):
        """Makes an iterator; it starts at the first batch asked for.

        Args:
          dataset: the numbered batches.
          num_workers: loader processes; 0 loads in threads of this process.
          fingerprint: values that must be equal for a state to mean the same batches:
            at least `batch_size`, pairs in a batch of all processes.
          filler: informed of the next pair.
          contents: description of the data.
        """
        super().__init__()
        self.contents = tuple(contents)
        self._dataset = dataset
        self._num_workers = num_workers
        self._fingerprint = dict(fingerprint)
        self._filler = filler
        self._position = 0
        self._deaths, self._last_death = 0, 0
        # In a list that is emptied at exit: Grain cannot be closed while Python unloads
        # its modules.
        self._running: list[grain.DatasetIterator | SceneFiller] = []
        weakref.finalize(self, self._end, self._running)

    def __next__(self) -> Batch:
        """Returns the next batch.

        Raises:
          InputError: if frames are damaged, or loader processes die repeatedly.
        """
        batch = self._take()
        self._position += 1
        if not self._num_workers:
            return batch
        # Copied from memory shared with a loader, which must outlive all views of it.
        return {name: np.array(array) for name, array in batch.items()}

    def _take(self):
        """Takes a batch; restarts dead processes at their position."""
        while True:
            self.start_prefetch()
            if self._filler is not None:
                self._filler.reach(self._position * self._fingerprint["batch_size"])
            try:
                return next(self._running[0])
            except RuntimeError as error:
                if not self._num_workers or _DIED not in str(error):
                    raise
                self.close()
                self._count_death(error)

    def _count_death(self, error):
        """Reports that a loader process died; raises if too many did."""
        is_calm = self._position - self._last_death >= _CALM
        self._deaths = 1 if is_calm else self._deaths + 1
        self._last_death = self._position
        reason = str(error).split(". ")[0]
        if self._deaths > _RESTARTS:
            raise InputError(
                f"loader processes died {self._deaths} times within {_CALM} batches, "
                f"the last at batch {self._position} ({reason}): if the system kills "
                "them for lack of memory, lower config.data.num_workers"
            ) from error
        logging.warning("%s: restarted at batch %d", reason, self._position)

    def get_state(self) -> dict[str, int]:
        """Returns the number of batches taken, and the fingerprint."""
        return {"position": self._position, **self._fingerprint}

    def set_state(self, state: dict[str, int]) -> None:
        """Moves to the position of another iterator with any number of processes.

        Args:
          state: from `get_state`.

        Raises:
          InputError: if the state is of a stream with other settings.
        """
        for name, value in self._fingerprint.items():
            if state.get(name) != value:
                raise InputError(
                    f"the saved data position is for {name}={state.get(name)}, this "
                    f"run has {name}={value}: resume with the same value"
                )
        self.close()
        self._position = int(state["position"])

    def start_prefetch(self) -> None:
        """Starts loading ahead."""
        if not self._running:
            self._running.append(self._start())
            if self._filler is not None:
                self._running.append(self._filler)

    def close(self) -> None:
        """Ends the loader processes; the next batch starts new ones."""
        self._end(self._running)

    @staticmethod
    def _end(running):
        """Ends and forgets the running loader; uses no name of this module."""
        while running:
            running.pop().close()

    def _start(self):
        """Starts the loader at the current position."""
        threads = 1 if self._num_workers else _THREADS_IN_PROCESS
        options = grain.ReadOptions(
            num_threads=threads, prefetch_buffer_size=_BATCHES_AHEAD
        )
        batches = self._dataset[self._position :].to_iter_dataset(options)
        if self._num_workers:
            if not flags.FLAGS.is_parsed():
                flags.FLAGS.mark_as_parsed()  # Grain's workers are sent its flags.
            options = grain.MultiprocessingOptions(
                num_workers=self._num_workers, per_worker_buffer_size=_BATCHES_AHEAD
            )
            batches = batches.mp_prefetch(
                options, worker_init_fn=processes.prepare_worker
            )
        return iter(batches)
