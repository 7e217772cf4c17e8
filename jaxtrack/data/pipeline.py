"""The stream of batches: Grain shuffles, mixes and loads, in processes or threads.

Pair `i` of the stream is a function of the seed and `i` alone; process `p` of `P` takes
the pairs `p, p + P, ...`. So the stream depends neither on the number of loader
processes nor on where it was resumed.
"""

import dataclasses
import os
from collections.abc import Sequence

import cv2
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.data import bank, mixture, order, transforms
from jaxtrack.data import portions as portions_lib
from jaxtrack.data import redraw as redraw_lib
from jaxtrack.data.iterator import PairIterator
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.portions import Portion
from jaxtrack.data.redraw import Numbered, Redraw, RedrawnLoader, SceneFiller
from jaxtrack.data.settings import Augmentation, PairSettings


def make(
    config: ConfigDict,
    *,
    template_size: int,
    search_size: int,
    process_index: int = 0,
    process_count: int = 1,
) -> PairIterator:
    """Makes the stream of training batches of a config, for one process.

    Args:
      config: see docs/settings.md.
      template_size: side of the template crop, px.
      search_size: side of the search crop, px.
      process_index: index of this training process.
      process_count: how many training processes share the stream.

    Returns:
      An endless iterator; nothing starts before the first batch is drawn.

    Raises:
      InputError: if there is no training data.
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
    epoch = config_lib.steps_per_epoch(config) * config.run.batch_size
    redraw = redraw_lib.find(portions, config.data.scene_epochs * epoch)
    footprint = bank.footprint_of(settings, augmentation)
    sources = [portion.source for portion in portions]
    # Photographs without boxes, the last portion, show another part every time.
    num_kept = sum(portion.is_labeled for portion in portions)
    sources[:num_kept] = bank.open_bank(
        sources[:num_kept],
        _count_reads(config, portions, redraw)[:num_kept],
        config.data.bank,
        footprint,
        _bank_options(config),
        say=None if process_index == 0 else _say_nothing,
    )
    if redraw is not None:
        redraw = redraw.beside(sources[redraw.number], footprint)
    return from_portions(
        [
            dataclasses.replace(portion, source=source)
            for portion, source in zip(portions, sources, strict=True)
        ],
        redraw=redraw,
        settings=settings,
        augmentation=augmentation,
        batch_size=config.run.batch_size // process_count,
        seed=config.run.seed,
        num_workers=config.data.num_workers,
        process_index=process_index,
        process_count=process_count,
        skip_damaged=config.data.skip_damaged,
        contents=portions_lib.describe(portions),
    )


def _bank_options(config):
    """Returns how to fill a bank; with processes only if there are loader processes."""
    return bank.Options(
        num_workers=(os.cpu_count() or 1) if config.data.num_workers else 0,
        skip_damaged=config.data.skip_damaged,
    )


def _count_reads(config, portions, redraw):
    """Returns how many frames of each portion are read before scenes are redrawn."""
    pairs = [config_lib.total_steps(config) * config.run.batch_size] * len(portions)
    if redraw is not None:
        pairs[redraw.number] = min(pairs[redraw.number], redraw.every)
    shares = portions_lib.shares(portions)
    return [2 * n * share for n, share in zip(pairs, shares, strict=True)]


def _say_nothing(line):
    """Prints nothing: only the first process reports."""


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
    redraw: Redraw | None = None,
    contents: Sequence[str] = (),
) -> PairIterator:
    """Makes the stream of training batches.

    Args:
      portions: the training data (`order.mix_clips`); those of share or count 0 are
        left out.
      settings: how pairs are drawn and cropped.
      augmentation: of the crops.
      batch_size: pairs per batch of this process.
      seed: of every random choice.
      num_workers: loader processes; 0 loads in threads of this process.
      process_index: index of this training process.
      process_count: how many training processes share the stream.
      skip_damaged: whether to skip damaged frames, with a warning each.
      redraw: when and where new scenes are composed; None for never.
      contents: description of the portions.

    Returns:
      An endless iterator of batches (`data/batch.py`); call its `close()`.

    Raises:
      InputError: if there is nothing to draw from, or a portion has no tracks.
    """
    portions = [portion for portion in portions if portion.is_used]
    loader = PairLoader(portions, settings, augmentation, skip_damaged)
    pair_seed = order.derive_seed(seed, len(portions))
    stream, filler = order.mix_clips(portions, seed), None
    if redraw is not None:
        stream = stream.map_with_index(Numbered(redraw.every))
        loader = RedrawnLoader(loader, redraw)
        filler = SceneFiller(redraw) if redraw.root else None
    stream = stream.random_map(loader, seed=pair_seed)
    cv2.setNumThreads(0)  # One thread per pair; more threads only slow it down.
    # Neighbors, so that the processes' devices hold a batch in the order of one's.
    batches = stream.batch(batch_size)[process_index::process_count]
    fingerprint = {"seed": seed, "batch_size": batch_size * process_count}
    return PairIterator(
        batches,
        num_workers=num_workers,
        fingerprint=fingerprint,
        filler=filler,
        contents=contents,
    )
