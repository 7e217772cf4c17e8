"""From settings to the loader of training pairs."""

import pathlib

import jax
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack import models
from jaxtrack.data import pipeline
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.data.sources import RecordSource, TrackSource
from jaxtrack.data.synthetic import SyntheticSource
from jaxtrack.errors import InputError


def make_sources(config: ConfigDict) -> list[tuple[TrackSource, float]]:
    """Returns the sources of tracks that the settings name, and their shares.

    Args:
      config: see docs/settings.md.

    Returns:
      Packed folders first, then composed scenes; those of no share are left out.

    Raises:
      InputError: if a folder is not packed, or pictures are absent.
    """
    shares = config.record_weights or (1.0,) * len(config.records)
    sources: list[tuple[TrackSource, float]] = [
        (RecordSource(folder), float(share))
        for folder, share in zip(config.records, shares, strict=True)
        if share > 0
    ]
    if config.synthetic_weight > 0:
        scenes = SyntheticSource(
            photos=config.synthetic_photos or None,
            cutouts=_cutouts(config),
            num_tracks=config.synthetic_tracks,
            length=config.synthetic_length,
            seed=config.seed,
            split=config.synthetic_split,
        )
        sources.append((scenes, config.synthetic_weight))
    return sources


def make_loader(config: ConfigDict) -> pipeline.PairIterator:
    """Returns this process's share of the stream of batches.

    Args:
      config: see docs/settings.md.

    Returns:
      An endless iterator; nothing is started before the first batch is drawn.

    Raises:
      InputError: if there is nothing to train on.
    """
    geometry = models.from_config(config, training=True).geometry
    sizes = {
        "template_size": geometry.template_size,
        "search_size": geometry.search_size,
    }
    return pipeline.make_pipeline(
        make_sources(config),
        settings=config_lib.fill_dataclass(PairSettings, config, **sizes),
        augmentation=config_lib.fill_dataclass(Augmentation, config),
        batch_size=config.batch_size // jax.process_count(),
        seed=config.seed,
        num_workers=config.num_workers,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
        skip_damaged=config.skip_damaged,
    )


def _cutouts(config):
    """Lists the sequences with masks whose names fit one of the patterns."""
    if not config.synthetic_cutouts:
        return None
    root = pathlib.Path(config.synthetic_cutouts)
    names = config.synthetic_patterns
    found = {path for name in names for path in root.glob(name) if path.is_dir()}
    found = sorted(path for path in found if (path / "mask").is_dir())
    if not found:
        raise InputError(
            f"config.synthetic_cutouts: no sequence {', '.join(names)} with a folder "
            f"mask in {root}"
        )
    return found
