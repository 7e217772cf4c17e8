"""Tracks: where the frames and boxes of training pairs come from."""

from typing import Protocol

import numpy as np


class TrackSource(Protocol):
    """A numbered set of tracks, each one object followed through some frames.

    A source is picklable (it is sent to loader processes), opens its files at first
    use, and is read by several threads at once. Both methods are pure: equal
    arguments give equal answers in every process.
    """

    @property
    def num_tracks(self) -> int:
        """Number of tracks."""

    def track_boxes(self, track: int) -> np.ndarray:
        """Boxes of a track, `[T, 4]` float32 xyxy px of the full-size frames.

        A row with NaN, or of no width or height, says the object is absent. A still
        photograph is a track with `T = 1`. Must be cheap: every pair asks for it.
        """

    def frame(
        self, track: int, time: int, *, reduction: int = 1
    ) -> tuple[np.ndarray, int]:
        """Reads one frame.

        Args:
          track: number of the track.
          time: number of the frame, `0 <= time < T`.
          reduction: how many times smaller the image may be on each axis, one of 1,
            2, 4, 8; a source may always ignore it and answer the full size.

        Returns:
          The image, `[H, W, 3]` uint8 RGB, and how many times smaller it is: 1, or a
          power of two up to `reduction`. Pixel `i` of an image reduced `r` times
          covers `[r i, r (i + 1))` of the full-size frame.

        Raises:
          InputError: if the frame cannot be decoded (the message names it).
        """
