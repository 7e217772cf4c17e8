"""The choice of analyses."""

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError

WINDOWS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Options:
    """What to do with the checkpoints beside scoring them.

    Attributes:
      alignment: how well confidence ranks boxes.
      heatmaps: maps on the worst sequences.
      heatmaps_of: sequences to draw maps of as well, by name.
      windows: shares of the window to track with; none: no sweep.
    """

    alignment: bool = False
    heatmaps: bool = False
    heatmaps_of: tuple[str, ...] = ()
    windows: tuple[float, ...] = ()

    @property
    def flags(self) -> list[str]:
        """Names of the flags that asked for something."""
        requested = {
            "--alignment": self.alignment,
            "--heatmaps": self.heatmaps,
            "--heatmaps_of": self.heatmaps_of,
            "--window_sweep": self.windows,
        }
        return [flag for flag, is_requested in requested.items() if is_requested]

    def check(self, checkpoints: Sequence[str], videos: Sequence[Video]) -> None:
        """Rejects what cannot be done, before anything is tracked.

        Args:
          checkpoints: their names.
          videos: the sequences.

        Raises:
          InputError: there is no checkpoint, or no sequence of that name.
        """
        if self.flags and not checkpoints:
            raise InputError(
                f"{self.flags[0]} needs a --checkpoint: result files hold no maps and "
                "cannot be run again"
            )
        unknown = set(self.heatmaps_of) - {video.name for video in videos}
        if unknown:
            raise InputError(
                f"--heatmaps_of={min(unknown)}: no such sequence among the "
                f"{len(videos)} that are scored"
            )
