"""A portion of the training pairs: a source, and how often each clip is shown."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np

from jaxtrack.data.sources import TrackSource
from jaxtrack.errors import InputError

ALL = -1  # As `num_use`: every clip once.


@dataclasses.dataclass(frozen=True, eq=False)
class Portion:
    """A source of tracks, and how often each of its clips is shown.

    A clip is a video or a photograph; its tracks are the objects in it. A track is
    drawn each time a clip is shown, so a crowded photograph counts no more than one
    with a single object.

    Attributes:
      name: for messages.
      source: the tracks.
      frame_range: largest distance between the two frames of a pair.
      share: of the pairs, on any positive scale; not used with `num_use`.
      num_use: number of clips per epoch, `ALL` for each once; None for no epochs.
      clips: index of each track's clip, `[N]` int64, from 0, ascending without gaps;
        None: every track is a clip of its own.
      weights: of each track, `[N]` float64, at least 0: a clip of weight 0.5 is shown
        half as often as one of weight 1; None: all are 1.
      is_labeled: whether its boxes are those of objects.
    """

    name: str
    source: TrackSource
    frame_range: int
    share: float = 1.0
    num_use: int | None = None
    clips: np.ndarray | None = None
    weights: np.ndarray | None = None
    is_labeled: bool = True

    @property
    def is_used(self) -> bool:
        """Whether any of its clips is shown."""
        return self.share > 0 and self.num_use != 0

    @functools.cached_property
    def num_clips(self) -> int:
        """Number of clips."""
        if self.clips is None:
            return self.source.num_tracks
        return int(self.clips[-1]) + 1 if len(self.clips) else 0

    @functools.cached_property
    def groups(self) -> list[tuple[np.ndarray, float]]:
        """Returns clips of equal weight: their indices, `[G]` int64, and the weight.

        The largest weight comes first, clips of weight 0 are left out. The weight of a
        clip is the largest among its tracks.

        Raises:
          InputError: no clip has a weight above 0.
        """
        clips = self._clip_weights
        groups = [
            (np.flatnonzero(clips == weight), float(weight))
            for weight in sorted(set(clips[clips > 0].tolist()), reverse=True)
        ]
        if groups:
            return groups
        heavy = " with a weight above 0" if len(clips) else ""
        raise InputError(f"{self.name} has no tracks{heavy}")

    def draw_clip(self, rng: np.random.Generator) -> int:
        """Draws a clip in proportion to the weights.

        Args:
          rng: random numbers.
        """
        if self.weights is None:
            return int(rng.integers(self.num_clips))
        return _draw(self._clip_sums, rng)

    def draw_track(self, clip: int, rng: np.random.Generator) -> int:
        """Draws a track of a clip in proportion to the weights.

        Args:
          clip: its index.
          rng: random numbers; not used if the clip has a single track.
        """
        if self.clips is None:
            return clip
        first, end = self._first_tracks[clip : clip + 2]
        if end - first == 1:
            return int(first)
        if self.weights is None:
            return int(rng.integers(first, end))
        return int(first) + _draw(np.cumsum(self.weights[first:end]), rng)

    @functools.cached_property
    def _first_tracks(self):
        """Index of the first track of each clip, then the number of all tracks."""
        return np.searchsorted(self.clips, np.arange(self.num_clips + 1))

    @functools.cached_property
    def _clip_weights(self):
        """Weight of each clip, `[C]`."""
        if self.weights is None:
            return np.ones(self.num_clips)
        if self.clips is None:
            return np.asarray(self.weights, np.float64)
        return np.maximum.reduceat(self.weights, self._first_tracks[:-1])

    @functools.cached_property
    def _clip_sums(self):
        """Running sums of the weights of clips."""
        return np.cumsum(self._clip_weights)


def shares(portions: Sequence[Portion]) -> list[float]:
    """Returns each portion's share of the pairs; they sum to 1.

    Args:
      portions: all portions with counts together have a share of 1.
    """
    counts = [
        portion.num_clips if portion.num_use == ALL else portion.num_use or 0
        for portion in portions
    ]
    found = [
        portion.share if portion.num_use is None else count / sum(counts)
        for portion, count in zip(portions, counts, strict=True)
    ]
    return [share / sum(found) for share in found]


def describe(portions: Sequence[Portion]) -> list[str]:
    """Describes the training data, one line per portion, in columns.

    Args:
      portions: of stored sources.
    """
    rows = [
        (
            portion.name,
            f"{portion.source.num_tracks:,} tracks",
            f"{portion.source.num_frames:,} frames",
            f"{share:.0%} of the pairs",
        )
        for portion, share in zip(portions, shares(portions), strict=True)
    ]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        f"{name:<{wide[0]}}  {tracks:>{wide[1]}}  {frames:>{wide[2]}}  {share}"
        for name, tracks, frames, share in rows
    ]


def _draw(sums, rng):
    """Draws an index in proportion to weights, given their running sums."""
    return int(np.searchsorted(sums, rng.random() * sums[-1], side="right"))
