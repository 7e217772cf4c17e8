"""The results of the analyses, as data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from jaxtrack.evaluation.scoring import PRIMARY


class FrameMaps(NamedTuple):
    """What a tracker sees in one frame.

    Attributes:
      frame: its index.
      image: `[H, W, 3]` uint8 RGB, the picture without its canvas.
      last: `[4]` xyxy, px: the true box around which it looks.
      truth: `[4]` xyxy, px: the true box of this frame.
      cls: `[h, w]` probability of the target.
      quality: `[h, w]` quality of the cell's box, in [0, 1].
      confidence: `[h, w]` by which cells are ranked.
      xyxy: `[h, w, 4]` boxes of the cells, px.
    """

    frame: int
    image: np.ndarray
    last: np.ndarray
    truth: np.ndarray
    cls: np.ndarray
    quality: np.ndarray
    confidence: np.ndarray
    xyxy: np.ndarray


class View(NamedTuple):
    """The maps of a frame, and where they lie in it, px.

    Attributes:
      maps: its image cut to `region`, as far as that lies in the frame.
      region: `[4]` xyxy of the search crop, which may reach out of the frame.
      extent: `[4]` xyxy that the maps cover.
    """

    maps: FrameMaps
    region: np.ndarray
    extent: np.ndarray


class Heatmaps(NamedTuple):
    """Maps of all checkpoints on the same frames.

    Attributes:
      frames: sequence -> indices; none where there is nothing to show.
      views: sequence -> tracker -> one view a frame.
    """

    frames: dict[str, list[int]]
    views: dict[str, dict[str, list[View]]]


class Sweep(NamedTuple):
    """A tracker's success at each share of the window.

    Attributes:
      windows: shares, ascending.
      auc: protocol -> AUC at each share.
      own_window: the share its configuration names.
    """

    windows: tuple[float, ...]
    auc: dict[str, tuple[float, ...]]
    own_window: float

    def spread(self, protocol: str = PRIMARY) -> float:
        """Largest AUC less the smallest."""
        return max(self.auc[protocol]) - min(self.auc[protocol])

    def at_zero(self, protocol: str = PRIMARY) -> float | None:
        """AUC without a window; None where 0 is none of the shares."""
        return dict(zip(self.windows, self.auc[protocol], strict=True)).get(0.0)


@dataclass(frozen=True)
class Analyses:
    """What was found; None of what was not asked for.

    Attributes:
      alignment: tracker -> "overall" and "sequences"; see `alignment.measure`.
      heatmaps: maps on sequences.
      window_sweep: tracker -> success at each share of the window.
    """

    alignment: Mapping[str, Mapping[str, Any]] | None = None
    heatmaps: Heatmaps | None = None
    window_sweep: Mapping[str, Sweep] | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything but pictures and points, ready for `json.dumps`."""
        sections: dict[str, Any] = {}
        if self.alignment is not None:
            sections["alignment"] = {
                n: _numbers(one) for n, one in self.alignment.items()
            }
        if self.heatmaps is not None:
            sections["heatmaps"] = self.heatmaps.frames
        if self.window_sweep is not None:
            sections["window_sweep"] = {
                name: one._asdict() | {"spread": one.spread(), "at_zero": one.at_zero()}
                for name, one in self.window_sweep.items()
            }
        return sections


def _numbers(alignment: Mapping[str, Any]) -> dict[str, Any]:
    """A tracker's alignment without its points."""
    sequences = {
        name: {k: v for k, v in one.items() if k != "points"}
        for name, one in alignment["sequences"].items()
    }
    return {"overall": alignment["overall"], "sequences": sequences}
