"""Draws the two frames of a pair."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxtrack.data.portions import Portion
from jaxtrack.errors import InputError

_ATTEMPTS = 100


class FrameBox(NamedTuple):
    """An object in a frame.

    Attributes:
      source: index of the portion that it comes from.
      track: number of the track.
      time: number of the frame, among those of the track.
      xyxy: its box, `[4]` float32 xyxy px of the full-size frame.
    """

    source: int
    track: int
    time: int
    xyxy: np.ndarray


class Pair(NamedTuple):
    """The template and search frames of a pair.

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
      xyxy: boxes of a track, `[T, 4]` px; NaN, or without width or height, if absent.

    Returns:
      Their numbers, `[N]` int64, ascending.
    """
    size = xyxy[:, 2:] - xyxy[:, :2]
    return np.flatnonzero(np.isfinite(xyxy).all(axis=1) & (size > 0).all(axis=1))


def sample_pair(
    portions: Sequence[Portion],
    source: int,
    clip: int,
    rng: np.random.Generator,
    *,
    negative_ratio: float,
) -> Pair:
    """Draws a pair whose template shows an object of a given clip.

    A positive pair takes both frames from one track, the search frame uniformly among
    those at most the portion's frame range from the template's (the same frame
    included). A negative pair takes its search frame from another track of a uniformly
    chosen portion. Li et al., SiamRPN++ (arXiv:1812.11703); Zhu et al., DaSiamRPN
    (arXiv:1808.06048), on negative pairs.

    Args:
      portions: the training data.
      source: index of the template's portion.
      clip: index of its clip; if the object drawn is never visible, another clip of the
        portion is used.
      rng: random numbers.
      negative_ratio: share of negative pairs.

    Returns:
      The pair.

    Raises:
      InputError: if no track with a visible object is found, or there is no second
        track for a negative pair.
    """
    track = portions[source].draw_track(clip, rng)
    z, times, xyxy = _sample_frame(portions, source, track, rng)
    if rng.random() >= negative_ratio:
        when = portions[source].source.track_times(z.track)
        near = times[np.abs(when[times] - when[z.time]) <= portions[source].frame_range]
        time = int(near[rng.integers(len(near))])
        return Pair(z, FrameBox(z.source, z.track, time, xyxy[time]), True)
    return Pair(z, sample_other(portions, z, rng), False)


def sample_other(
    portions: Sequence[Portion], z: FrameBox, rng: np.random.Generator
) -> FrameBox:
    """Draws an object of another track, from a uniformly chosen portion.

    Args:
      portions: the training data.
      z: the object whose track is excluded.
      rng: random numbers.

    Returns:
      The other object in one of its frames.

    Raises:
      InputError: if there is no other track.
    """
    for _ in range(_ATTEMPTS):
        source = int(rng.integers(len(portions)))
        track = portions[source].draw_track(portions[source].draw_clip(rng), rng)
        if (source, track) == (z.source, z.track):
            continue
        other, _, _ = _sample_frame(portions, source, track, rng)
        if (other.source, other.track) != (z.source, z.track):
            return other
    raise InputError(
        "a pair needs a second track, but there is none: add "
        "data, or set config.data.negative_ratio and config.augment.fill_image to 0"
    )


def _sample_frame(portions, source, track, rng):
    """Draws a frame of a track in which its object is visible.

    Returns the object there, all its visible times and the track's boxes.
    """
    portion = portions[source]
    for _ in range(_ATTEMPTS):
        xyxy = portion.source.track_boxes(track)
        times = visible_times(xyxy)
        if len(times):
            time = int(times[rng.integers(len(times))])
            return FrameBox(source, track, time, xyxy[time]), times, xyxy
        track = portion.draw_track(portion.draw_clip(rng), rng)
    raise InputError(f"{portion.name}: its tracks show no object in any frame")
