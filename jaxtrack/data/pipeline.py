"""The stream of batches: Grain shuffles, mixes and loads, in processes or threads.

Pair `i` of the stream is a function of the seed and `i` alone; process `p` of `P` takes
the pairs `p, p + P, ...`. So the stream depends neither on the number of loader
processes nor on where it was taken up again.
"""

import dataclasses
import os
import weakref
from collections.abc import Sequence

import cv2
import grain
import numpy as np
from absl import flags
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.data import bank, mixture, order, processes, transforms
from jaxtrack.data.batch import Batch
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.portions import ALL, Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.errors import InputError

_THREADS_IN_PROCESS = 2
_BATCHES_AHEAD = 2  # Of each loader process.


class PairIterator(grain.DatasetIterator):
    """Batches of pairs, for ever; remembers where it is and closes its processes."""

    def __init__(
        self,
        dataset: grain.MapDataset,
        *,
        num_workers: int,
        fingerprint: dict[str, int],
    ):
        """Makes an iterator; it starts at the first batch asked for.

        Args:
          dataset: the batches, numbered.
          num_workers: loader processes; 0 loads in threads of this process.
          fingerprint: what must be equal for a state to mean the same batches.
        """
        super().__init__()
        self._dataset = dataset
        self._num_workers = num_workers
        self._fingerprint = dict(fingerprint)
        self._position = 0
        # In a list that is emptied at exit: Grain cannot close what is still alive when
        # Python takes its modules down.
        self._running: list[grain.DatasetIterator] = []
        weakref.finalize(self, self._end, self._running)

    def __next__(self) -> Batch:
        """Returns the next batch."""
        self.start_prefetch()
        batch = next(self._running[0])
        self._position += 1
        # Out of the memory shared with a loader, which must outlive every view of it.
        return {name: np.array(array) for name, array in batch.items()}

    def get_state(self) -> dict[str, int]:
        """Returns the number of batches taken and what they depend on."""
        return {"position": self._position, **self._fingerprint}

    def set_state(self, state: dict[str, int]) -> None:
        """Goes to where another iterator was, whatever its number of processes.

        Args:
          state: as `get_state` returned it.

        Raises:
          InputError: if the state is of a stream with other settings.
        """
        for name, value in self._fingerprint.items():
            if state.get(name) != value:
                raise InputError(
                    f"the saved data position is of {name}={state.get(name)}, this run "
                    f"has {name}={value}: resume with the same value"
                )
        self.close()
        self._position = int(state["position"])

    def start_prefetch(self) -> None:
        """Starts loading ahead."""
        if not self._running:
            self._running.append(self._start())

    def close(self) -> None:
        """Ends the loader processes; the next batch asked for starts new ones."""
        self._end(self._running)

    @staticmethod
    def _end(running):
        """Ends what is running and forgets it; reads no name of this module."""
        while running:
            running.pop().close()

    def _start(self):
        """Starts the loader at the present position."""
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


def make(
    config: ConfigDict,
    *,
    template_size: int,
    search_size: int,
    process_index: int = 0,
    process_count: int = 1,
) -> PairIterator:
    """Makes a process's share of the training batches that the settings describe.

    Args:
      config: see docs/settings.md.
      template_size: side of the template crop, px.
      search_size: side of the search crop, px.
      process_index: number of this training process.
      process_count: how many training processes share the stream.

    Returns:
      An endless iterator; nothing is started before the first batch is drawn.

    Raises:
      InputError: if there is nothing to train on.
    """
    portions = mixture.make_portions(config)
    settings = PairSettings(
        template_size=template_size,
        search_size=search_size,
        context=config.data.context,
        negative_ratio=config.data.negative_ratio,
    )
    augmentation = Augmentation(**config.augment)
    mixture.check_extents(portions, transforms.reach(settings, augmentation))
    banked = bank.open_bank(
        [portion.source for portion in portions],
        _shares(portions),
        config.data.bank,
        bank.footprint_of(settings, augmentation),
        _bank_options(config),
        say=None if process_index == 0 else _say_nothing,
    )
    return from_portions(
        [
            dataclasses.replace(portion, source=source)
            for portion, source in zip(portions, banked, strict=True)
        ],
        settings=settings,
        augmentation=augmentation,
        batch_size=config.run.batch_size // process_count,
        seed=config.run.seed,
        num_workers=config.data.num_workers,
        process_index=process_index,
        process_count=process_count,
        skip_damaged=config.data.skip_damaged,
    )


def _bank_options(config):
    """Says how a bank is filled; processes only where there are loader processes."""
    return bank.Options(
        num_workers=(os.cpu_count() or 1) if config.data.num_workers else 0,
        skip_damaged=config.data.skip_damaged,
        reads=2 * config_lib.total_steps(config) * config.run.batch_size,
    )


def _shares(portions):
    """Returns the share of pairs of each portion; the counted ones together have 1."""
    counts = [
        portion.num_clips if portion.num_use == ALL else portion.num_use or 0
        for portion in portions
    ]
    return [
        portion.share if portion.num_use is None else count / sum(counts)
        for portion, count in zip(portions, counts, strict=True)
    ]


def _say_nothing(line):
    """Leaves the word to the first process."""


def from_portions(
    portions: Sequence[Portion],
    *,
    settings: PairSettings,
    augmentation: Augmentation,
    batch_size: int,
    seed: int,
    num_workers: int,
    process_index: int = 0,
    process_count: int = 1,
    skip_damaged: bool = False,
) -> PairIterator:
    """Makes the stream of training batches.

    Args:
      portions: what is trained on (`order.mix_clips`); those of share or count 0 are
        left out.
      settings: how pairs are drawn and cropped.
      augmentation: what is done to the crops.
      batch_size: pairs a batch, of this process.
      seed: of every random choice.
      num_workers: loader processes; 0 loads in threads of this process.
      process_index: number of this training process.
      process_count: how many training processes share the stream.
      skip_damaged: whether damaged frames are left out, with a warning each.

    Returns:
      An endless iterator of batches (`data/batch.py`); call its `close()`.

    Raises:
      InputError: if there is nothing to draw from, or a portion without tracks.
    """
    portions = [portion for portion in portions if portion.is_used]
    loader = PairLoader(portions, settings, augmentation, skip_damaged)
    pair_seed = order.derive_seed(seed, len(portions))
    stream = order.mix_clips(portions, seed).random_map(loader, seed=pair_seed)
    cv2.setNumThreads(0)  # One pair a thread; more threads only get in the way.
    batches = stream[process_index::process_count].batch(batch_size)
    fingerprint = {"seed": seed, "batch_size": batch_size}
    fingerprint["process_count"] = process_count
    return PairIterator(batches, num_workers=num_workers, fingerprint=fingerprint)
