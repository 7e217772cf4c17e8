"""Regions of VOT: rectangles or quadrangles, and how much of them overlaps in pixels.

VOT's files give corners in pixel indices: the center of the top-left pixel is (0, 0),
not (0.5, 0.5) as in the boxes of our trackers, and a side counts both of its ends.
"""

import numpy as np

# Rows of pixels that are drawn at once; bounds the memory that is needed.
_ROWS = 1 << 18


def polygons(regions: np.ndarray) -> np.ndarray:
    """Corners of regions, in single precision as the official code has them.

    Args:
      regions: `[N, 4]` x, y, width, height, whose corners are x and x + width,
        or `[N, 8]` x1, y1, ..., x4, y4; pixel indices.

    Returns:
      `[N, 4, 2]` float32.
    """
    regions = np.asarray(regions, np.float32)
    if regions.ndim != 2 or regions.shape[1] not in (4, 8):
        raise ValueError(f"regions are [N, 4] or [N, 8], not {regions.shape}")
    if regions.shape[1] == 8:
        return regions.reshape(-1, 4, 2)
    x0, y0 = regions[:, 0], regions[:, 1]
    x1, y1 = x0 + regions[:, 2], y0 + regions[:, 3]
    return np.stack([x0, y0, x1, y0, x1, y1, x0, y1], axis=1).reshape(-1, 4, 2)


def overlaps(
    a: np.ndarray, b: np.ndarray, *, bounds_wh: tuple[int, int] | None = None
) -> np.ndarray:
    """Intersection over union of drawn quadrangles, pair by pair.

        overlap = |P(a) & P(b)| / |P(a) | P(b)|

    P is the set of pixels that the rounded outline holds, the outline included, within
    the bounds. The overlap is 0 where the boxes around the two, rounded outwards and
    clipped to the bounds, share no area. That is what the region code of pysot
    answers, to the last bit.

    Args:
      a: `[N, 4, 2]` corners, pixel indices; see `polygons`.
      b: `[N, 4, 2]` likewise.
      bounds_wh: keeps the pixels 0 to W and 0 to H, *both ends included*; None keeps
        all. An image's own size thus adds a column and a row beyond it.

    Returns:
      `[N]` in [0, 1]; NaN where a corner is NaN.

    Raises:
      ValueError: other shapes, or an unbounded region of more than 262144 rows.
    """
    a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
    if a.ndim != 3 or a.shape[1:] != (4, 2) or a.shape != b.shape:
        raise ValueError(f"corners are [N, 4, 2] twice, not {a.shape} and {b.shape}")
    known = np.isfinite(a).all(axis=(1, 2)) & np.isfinite(b).all(axis=(1, 2))
    result = np.where(known, 0.0, np.nan)
    (low_a, high_a), (low_b, high_b) = _around(a, bounds_wh), _around(b, bounds_wh)
    meets = known & np.all(low_a < high_a, axis=1) & np.all(low_b < high_b, axis=1)
    shared = np.minimum(high_a, high_b) - np.maximum(low_a, low_b)
    pairs = np.nonzero(meets & np.all(shared > 0, axis=1))[0]
    origin = np.minimum(low_a, low_b)[pairs]
    size = (np.maximum(high_a, high_b)[pairs] - origin + 1).astype(np.int64)
    if np.any(size[:, 1] > _ROWS):
        raise ValueError(f"a region has more than {_ROWS} rows: give bounds")
    a, b = (_rounded(p[pairs] - origin[:, None]) for p in (a, b))
    for part in _chunks(size[:, 1]):
        result[pairs[part]] = _drawn_overlaps(a[part], b[part], size[part])
    return result


def init_cxcywh(region: np.ndarray) -> np.ndarray:
    """The upright box that pysot starts a tracker with, moved to continuous pixels.

    The center is the corners' mean plus half a pixel. With A the product of two
    neighboring sides' lengths and X, Y the sides of the box around the corners:

        s = sqrt(A / (X Y)),  width = s X + 1,  height = s Y + 1

    Args:
      region: `[8]` corners, or `[4]` x, y, width, height, which is taken for corners at
        x and x + width - 1; pixel indices.

    Returns:
      `[4]` cxcywh, continuous px from the image's top-left edge.
    """
    corners = run_regions(np.asarray(region, np.float64)[None]).reshape(4, 2)
    around = np.ptp(corners, axis=0)
    sides = np.linalg.norm(corners[:2] - corners[1:3], axis=1)
    scale = np.sqrt(np.prod(sides) / np.prod(around)) if np.all(around > 0) else 1.0
    return np.concatenate([corners.mean(axis=0) + 0.5, scale * around + 1])


def run_regions(regions: np.ndarray) -> np.ndarray:
    """Ground truth as pysot compares it while it tracks, to see whether it failed.

    There a rectangle ends at x + width - 1, whereas scoring lets it end at x + width.

    Args:
      regions: `[N, 4]` or `[N, 8]`, pixel indices.

    Returns:
      `[N, 8]` corners.
    """
    regions = np.asarray(regions, np.float64)
    if regions.shape[1] == 8:
        return regions
    x0, y0, width, height = regions.T
    x1, y1 = x0 + width - 1, y0 + height - 1
    return np.stack([x0, y0, x0, y1, x1, y1, x1, y0], axis=1)


def written_xywh(cxcywh: np.ndarray) -> np.ndarray:
    """A tracker's box as pysot writes it into VOT's result files.

    Half a pixel less, since files count pixel indices; the size stays, although the
    drawn rectangle then covers width + 1 pixels.

    Args:
      cxcywh: `[..., 4]` continuous px.

    Returns:
      `[..., 4]` x, y, width, height, pixel indices.
    """
    cxcywh = np.asarray(cxcywh, np.float64)
    corner = cxcywh[..., :2] - 0.5 - cxcywh[..., 2:] / 2
    return np.concatenate([corner, cxcywh[..., 2:]], axis=-1)


def _around(corners: np.ndarray, bounds_wh) -> tuple[np.ndarray, np.ndarray]:
    """Low and high corner `[N, 2]` of the boxes around, on whole pixels, clipped."""
    low, high = np.floor(corners.min(axis=1)), np.ceil(corners.max(axis=1))
    if bounds_wh is not None:
        low = np.maximum(low, np.float32(0))
        high = np.minimum(high, np.asarray(bounds_wh, np.float32))
    return low, high


def _rounded(corners: np.ndarray) -> np.ndarray:
    """To whole numbers, halves away from zero (none is below it but beyond bounds)."""
    corners = corners.astype(np.float64)
    return np.copysign(np.floor(np.abs(corners) + 0.5), corners)


def _chunks(rows: np.ndarray):
    """Slices of pairs whose rows together fit the memory that is allowed."""
    start, total = 0, 0
    for place, count in enumerate(rows):
        if total + count > _ROWS:
            yield slice(start, place)
            start, total = place, 0
        total += count
    if start < len(rows):
        yield slice(start, len(rows))


def _drawn_overlaps(a: np.ndarray, b: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Overlaps `[K]` of whole-numbered corners, counted over rows of `size` pixels."""
    pair = np.repeat(np.arange(len(size)), size[:, 1])
    row = np.arange(len(pair)) - (np.cumsum(size[:, 1]) - size[:, 1])[pair]
    last = (size[:, 0] - 1)[pair]
    spans_a, spans_b = (_spans(p[pair], row, last) for p in (a, b))

    def count(starts, ends):
        pixels = np.maximum(ends - starts + 1, 0.0).sum(axis=1)
        return np.bincount(pair, pixels, minlength=len(size))

    def both(pick, of_a, of_b):
        return np.stack([pick(s, t) for s in of_a.T for t in of_b.T], axis=1)

    starts = both(np.maximum, spans_a[0], spans_b[0])
    shared = count(starts, both(np.minimum, spans_a[1], spans_b[1]))
    union = count(*spans_a) + count(*spans_b) - shared
    safe = np.where(union > 0, union, 1.0)
    return (shared.astype(np.float32) / safe.astype(np.float32)).astype(np.float64)


def _spans(corners: np.ndarray, row: np.ndarray, last: np.ndarray):
    """First and last pixels `[R, 2]` of each row's two spans; an empty one is 1, 0.

    Args:
      corners: `[R, 4, 2]` of the row's polygon, whole numbers.
      row: `[R]`.
      last: `[R]` the last pixel that is kept; the first is 0.
    """
    x, y = corners[..., 0], corners[..., 1]
    x_last, y_last = np.roll(x, 1, axis=1), np.roll(y, 1, axis=1)
    at = row[:, None]
    crosses = (y != y_last) & (np.minimum(y, y_last) <= at)
    crosses &= at <= np.maximum(y, y_last)
    rise = np.where(crosses, y_last - y, 1.0)
    nodes = np.where(crosses, np.trunc(x + (at - y) / rise * (x_last - x)), np.inf)
    nodes = np.sort(nodes, axis=1)
    # Nodes are taken two by two; of two equal ones the first is passed over, so that a
    # corner which ends two edges counts once, and a row that is one corner not at all.
    follows = np.zeros(len(nodes), np.int64)
    filled = []
    for place in range(3):
        here = (follows == place) & np.isfinite(nodes[:, place + 1])
        equal = nodes[:, place] == nodes[:, place + 1]
        filled.append(here & ~equal)
        follows = np.where(follows == place, place + 2 - equal, follows)
    start = np.where(filled[0], nodes[:, 0], nodes[:, 1])
    end = np.where(filled[0], nodes[:, 1], nodes[:, 2])
    starts, ends = np.stack([start, nodes[:, 2]], 1), np.stack([end, nodes[:, 3]], 1)
    # The second span may begin on the pixel that ends the first: count it once.
    begun = np.where(filled[0], ends[:, 0] + 1, -np.inf)
    starts[:, 1] = np.maximum(starts[:, 1], begun)
    is_filled = np.stack([filled[0] | filled[1], filled[2]], axis=1)
    starts = np.where(is_filled, np.maximum(starts, 0.0), 1.0)
    ends = np.where(is_filled, np.minimum(ends, last[:, None]), 0.0)
    return starts, ends
