"""Which track comes next, and from which source."""

import pathlib
from collections.abc import Sequence

import grain
import numpy as np
from ml_collections import ConfigDict

from jaxtrack.data.composed import ComposedSource
from jaxtrack.data.sources import RecordSource, TrackSource
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
    data = config.data
    shares = data.record_weights or (1.0,) * len(data.records)
    sources: list[tuple[TrackSource, float]] = [
        (RecordSource(folder), float(share))
        for folder, share in zip(data.records, shares, strict=True)
        if share > 0
    ]
    if data.composed_weight > 0:
        scenes = ComposedSource(
            photos=data.composed_photos or None,
            cutouts=_cutouts(data),
            num_tracks=data.composed_tracks,
            length=data.composed_length,
            seed=config.run.seed,
            split=data.composed_split,
        )
        sources.append((scenes, data.composed_weight))
    return sources


def frame_ranges(data: ConfigDict) -> tuple[int, ...]:
    """Returns the largest distance of frames in each source of `make_sources`.

    Args:
      data: the group "data" of the settings.

    Returns:
      Numbers of frames; () where every source takes `data.frame_range`.
    """
    if not data.frame_ranges:
        return ()
    shares = data.record_weights or (1.0,) * len(data.records)
    pairs = zip(data.frame_ranges, shares, strict=True)
    ranges = [frames for frames, share in pairs if share > 0]
    return (*ranges, data.frame_range) if data.composed_weight > 0 else (*ranges,)


def mix_tracks(
    sources: Sequence[tuple[TrackSource, float]], seed: int
) -> grain.MapDataset:
    """Returns an endless stream of (number of a source, number of a track).

    Args:
      sources: track sources with their shares of the pairs.
      seed: of every random choice.

    Raises:
      InputError: if there is no source, or one without tracks.
    """
    if not sources:
        raise InputError("no training data: every source is absent or has weight 0")
    streams = []
    for number, (source, _) in enumerate(sources):
        if source.num_tracks < 1:
            raise InputError(f"training source {number} has no tracks")
        tracks = grain.MapDataset.range(source.num_tracks)
        tracks = tracks.seed(derive_seed(seed, number)).shuffle().repeat()
        streams.append(tracks.map(_Tag(number)))
    total = sum(weight for _, weight in sources)
    return grain.MapDataset.mix(streams, [weight / total for _, weight in sources])


def derive_seed(seed: int, stream: int) -> int:
    """Derives the seed of one stream of random choices, 31 bits.

    Args:
      seed: of the training.
      stream: number of the stream.
    """
    return int(np.random.SeedSequence((seed, stream)).generate_state(1)[0] >> 1)


def _cutouts(data):
    """Lists the sequences with masks whose names fit one of the patterns."""
    if not data.composed_cutouts:
        return None
    root, names = pathlib.Path(data.composed_cutouts), data.composed_patterns
    found = {path for name in names for path in root.glob(name)}
    if found := sorted(path for path in found if (path / "mask").is_dir()):
        return found
    raise InputError(
        f"config.data.composed_cutouts: no sequence {', '.join(names)} with a folder "
        f"mask in {root}"
    )


class _Tag(grain.transforms.Map):
    """Pairs the number of a track with that of its source."""

    def __init__(self, number):
        self._number = number

    def map(self, element):
        return self._number, int(element)
