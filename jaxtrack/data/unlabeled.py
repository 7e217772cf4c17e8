"""A track source of photographs without boxes, for pairs that only teachers judge."""

import functools
import os

import numpy as np

from jaxtrack.data import frames, memory
from jaxtrack.data.composed import packed
from jaxtrack.data.composed.photos import MAX_SIDE, find_photographs, shrink

_WINDOWS = 16  # A photograph.
_SIDES = (0.15, 0.6)  # Of a window, relative to the photograph's shorter side.
_ASPECT = 2.0  # Largest ratio of a window's sides.
_KEPT = memory.number_kept(1.2e6, 0.2)  # Photographs cached per process.


class UnlabeledSource:
    """Photographs, with windows at random places instead of boxes of objects.

    A track is a photograph. Its frames are the photograph again and again, each with
    another window: with a frame range of 0, template and search crop of a pair show the
    same window. Which ones is a function of the seed and the photograph's number.

    Attributes:
      num_tracks: number of photographs.
      num_frames: number of windows.
      num_pictures: number of photographs for padding.
    """

    def __init__(self, photos: str | os.PathLike, *, seed: int = 0):
        """Lists the photographs without opening them.

        Args:
          photos: a folder, searched recursively, or a packed folder with photographs.
          seed: of the windows.

        Raises:
          InputError: there is no such folder, or no photograph in it.
        """
        self._photos = find_photographs(photos)
        self._seed = seed
        self.num_tracks = len(self._photos)
        self.num_frames = self.num_tracks * _WINDOWS
        self.num_pictures = min(self.num_tracks, frames.NUM_PICTURES)

    def track_boxes(self, track: int) -> np.ndarray:
        """Returns the windows of a photograph, all inside it; see `TrackSource`."""
        height, width = _read(self._photos[track]).shape[:2]
        rng = np.random.default_rng((self._seed, track))
        low, high = np.log(_SIDES)
        side = np.exp(rng.uniform(low, high, _WINDOWS)) * min(height, width)
        skew = np.exp(rng.uniform(-0.5, 0.5, _WINDOWS) * np.log(_ASPECT))
        wh = np.stack([side * skew, side / skew], axis=1)
        corner = rng.uniform(size=(_WINDOWS, 2)) * ((width, height) - wh)
        return np.concatenate([corner, corner + wh], axis=1).astype(np.float32)

    def track_times(self, track: int) -> np.ndarray:
        """Returns the numbers of the windows; see `TrackSource`."""
        del track  # Equal for all.
        return np.arange(_WINDOWS)

    def frame(self, track: int, time: int, *, reduction: int = 1) -> frames.Frame:
        """Reads a photograph, never reduced; see `TrackSource`."""
        del time, reduction
        return frames.whole(_read(self._photos[track]))

    def picture(self, number: int) -> tuple[int, np.ndarray]:
        """Returns a small photograph; see `TrackSource`."""
        track = number * self.num_tracks // self.num_pictures
        return track, frames.picture(_read(self._photos[track]))


@functools.lru_cache(_KEPT)
def _read(photo: packed.Picture) -> np.ndarray:
    """Decodes a photograph, shrunk to `MAX_SIDE`, and caches it."""
    return shrink(packed.read_picture(photo), MAX_SIDE)
