"""Heat maps: a network's maps over its search region, placed in the frame.

SiamLA (Nie et al.), Fig. 13, shows the location quality; here classification and the
confidence that combines the two stand beside it. All trackers look around the true box
of the frame before, so that they are compared on the same place.
"""

import numpy as np

from jaxtrack.evaluation.analysis.outcome import FrameMaps, View
from jaxtrack.ops import boxes, grid


def search_region(
    geometry: grid.Geometry, context: float, last: np.ndarray
) -> tuple[np.ndarray, float]:
    """Where a tracker looks for a target that was at `last`.

    Args:
      geometry: of its network.
      context: share of the mean side that crops have around the box.
      last: `[4]` xyxy, px.

    Returns:
      `[4]` xyxy of the search crop, px, and crop pixels per pixel of the picture.
    """
    size = np.asarray(last[2:] - last[:2], np.float32)
    side = float(boxes.context_side(size, context=context))
    scale = geometry.template_size / max(side, 1.0)
    center, half = (last[:2] + last[2:]) / 2, geometry.search_size / scale / 2
    return np.concatenate([center - half, center + half]), scale


def view(maps: FrameMaps, *, geometry: grid.Geometry, context: float) -> View:
    """Places what a tracker sees in its frame.

    Args:
      maps: from `probing.teacher_forced`.
      geometry: of the network.
      context: share of the mean side that crops have around the box.
    """
    region, scale = search_region(geometry, context, maps.last)
    # A map reaches half a cell beyond the outermost points.
    ends = np.array([-0.5, maps.cls.shape[0] - 0.5]) * geometry.stride
    low, high = (ends + geometry.offset) / scale
    x0, y0 = np.maximum(region[:2], 0).astype(int)
    x1, y1 = np.maximum(region[2:] + 1, 0).astype(int)
    extent = np.concatenate([region[:2] + low, region[:2] + high])
    return View(maps._replace(image=maps.image[y0:y1, x0:x1].copy()), region, extent)
