"""Which two frames make a pair."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxtrack.data.settings import PairSettings
from jaxtrack.data.sources import TrackSource
from jaxtrack.errors import InputError

_ATTEMPTS = 100


class FrameBox(NamedTuple):
    """An object in a frame.

    Attributes:
      source: number of the track source.
      track: number of the track.
      time: number of the frame.
      xyxy: its box, `[4]` float32 xyxy px of the full-size frame.
    """

    source: int
    track: int
    time: int
    xyxy: np.ndarray


class Pair(NamedTuple):
    """What template and search image show.

    Attributes:
      z: the object of the template.
      x: the object of the search image.
      is_positive: whether they are the same object.
    """

    z: FrameBox
    x: FrameBox
    is_positive: bool


def visible_times(xyxy: np.ndarray) -> np.ndarray:
    """Lists the frames in which an object is present.

    Args:
      xyxy: boxes of a track, `[T, 4]` px; absent: NaN, or no width or height.

    Returns:
      Their numbers, `[N]` int64, ascending.
    """
    size = xyxy[:, 2:] - xyxy[:, :2]
    return np.flatnonzero(np.isfinite(xyxy).all(axis=1) & (size > 0).all(axis=1))


def sample_pair(
    sources: Sequence[TrackSource],
    source: int,
    track: int,
    rng: np.random.Generator,
    *,
    settings: PairSettings,
) -> Pair:
    """Draws a pair whose template shows a given track.

    A positive pair takes both frames from the track, the search frame uniformly among
    those at most the source's frame range from the template's (the same frame
    included). A negative pair takes its search frame from another track of a uniformly
    chosen source. Li et al., SiamRPN++ (arXiv:1812.11703); Zhu et al., DaSiamRPN
    (arXiv:1808.06048), on negative pairs.

    Args:
      sources: track sources.
      source: number of the template's source.
      track: number of its track; where the object is never visible, another track of
        the source is drawn.
      rng: random numbers.
      settings: largest distance in time, and share of negative pairs.

    Returns:
      The pair.

    Raises:
      InputError: if no track with a visible object is found, or a negative pair is
        asked for and there is only one track.
    """
    z, times, xyxy = _sample_frame(sources, source, track, rng)
    if rng.random() >= settings.negative_ratio:
        reach = settings.frame_range_of(z.source)
        near = times[np.abs(times - z.time) <= reach]
        time = int(near[rng.integers(len(near))])
        return Pair(z, FrameBox(z.source, z.track, time, xyxy[time]), True)
    return Pair(z, sample_other(sources, z, rng), False)


def sample_other(
    sources: Sequence[TrackSource], z: FrameBox, rng: np.random.Generator
) -> FrameBox:
    """Draws an object of another track, from a uniformly chosen source.

    Args:
      sources: track sources.
      z: the object whose track is left out.
      rng: random numbers.

    Returns:
      The other object in one of its frames.

    Raises:
      InputError: if there is no other track.
    """
    for _ in range(_ATTEMPTS):
        source = int(rng.integers(len(sources)))
        track = int(rng.integers(sources[source].num_tracks))
        if (source, track) == (z.source, z.track):
            continue
        other, _, _ = _sample_frame(sources, source, track, rng)
        if (other.source, other.track) != (z.source, z.track):
            return other
    raise InputError(
        "negative pairs need a second track: add data or set negative_ratio to 0"
    )


def _sample_frame(sources, source, track, rng):
    """Draws a frame of a track in which the object is visible.

    Returns the object there, all its visible times and the track's boxes.
    """
    for _ in range(_ATTEMPTS):
        xyxy = sources[source].track_boxes(track)
        times = visible_times(xyxy)
        if len(times):
            time = int(times[rng.integers(len(times))])
            return FrameBox(source, track, time, xyxy[time]), times, xyxy
        track = int(rng.integers(sources[source].num_tracks))
    raise InputError(f"source {source}: its tracks show no object in any frame")
