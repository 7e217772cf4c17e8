"""Random outlines: closed curves in rest coordinates, with a size of one."""

import numpy as np

_POINTS = 72


def _unit(points: np.ndarray) -> np.ndarray:
    """Centers a curve's box on the origin and scales it to area one."""
    low, high = points.min(0), points.max(0)
    return (points - (low + high) / 2) / np.sqrt(np.prod(high - low))


def blob(rng: np.random.Generator, *, roughness: float = 1.0) -> np.ndarray:
    """Draws a smooth star-shaped curve, `r(a) = 1 + sum_k c_k cos(k a + p_k)`.

    Args:
      rng: source of randomness.
      roughness: 0 is an ellipse, 1 has deep bays.

    Returns:
      Curve, `[N, 2]`, whose box is centered on 0 and has area 1.
    """
    angle = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)
    order = np.arange(2, 7)
    size = roughness * rng.uniform(0.0, 0.9, order.size) / order**1.3
    phase = rng.uniform(0, 2 * np.pi, order.size)
    radius = 1 + (size * np.cos(angle[:, None] * order + phase)).sum(-1)
    radius = np.maximum(radius, 0.3)
    aspect = np.exp(rng.uniform(-0.6, 0.6))
    curve = np.stack([np.cos(angle) * aspect, np.sin(angle)], -1) * radius[:, None]
    return _unit(curve)


def rounded_polygon(rng: np.random.Generator) -> np.ndarray:
    """Draws a polygon of 3 to 7 rounded corners, in the form of `blob`."""
    corners = int(rng.integers(3, 8))
    angle = (np.arange(corners) + rng.uniform(-0.25, 0.25, corners)) / corners
    angle = 2 * np.pi * (angle + rng.uniform())
    aspect = np.exp(rng.uniform(-0.6, 0.6))
    corner = np.stack([np.cos(angle) * aspect, np.sin(angle)], -1)
    corner *= rng.uniform(0.75, 1.25, (corners, 1))
    return _unit(_chaikin(corner, rounds=3))


def bar(rng: np.random.Generator, length: float) -> np.ndarray:
    """Draws an upright rounded bar, `length` times its width, in the form of `blob`."""
    half = np.array([1.0, length]) / 2
    corner = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    corner = corner * rng.uniform(0.85, 1.15, (4, 1))
    edges = np.linspace(corner, np.roll(corner, -1, axis=0), 8, endpoint=False, axis=1)
    return _unit(_chaikin(edges.reshape(-1, 2), rounds=1))


def clipped_box(curves, hw: tuple[int, int]) -> np.ndarray:
    """Returns the tight box of the part inside the frame.

    Each curve is clipped at the frame's four sides in turn (Sutherland and Hodgman's
    algorithm), since clipping the box itself would not be tight.

    Args:
      curves: closed curves, `[N, 2]` px each.
      hw: the frame's height and width, px.

    Returns:
      `[4]` xyxy px; NaN if nothing is inside.
    """
    kept = []
    for curve in curves:
        for axis, limit, sign in ((0, 0, 1), (1, 0, 1), (0, hw[1], -1), (1, hw[0], -1)):
            curve = _clip(curve, axis, limit, sign)
        kept.append(curve)
    points = np.concatenate(kept)
    if not len(points):
        return np.full(4, np.nan)
    return np.concatenate([points.min(0), points.max(0)])


def _clip(curve: np.ndarray, axis: int, limit: float, sign: int) -> np.ndarray:
    """Keeps the part of a closed curve where `sign * (x[axis] - limit) >= 0`."""
    following = np.roll(curve, -1, axis=0)
    here = sign * (curve[:, axis] - limit)
    there = sign * (following[:, axis] - limit)
    crosses = (here >= 0) != (there >= 0)
    share = here / np.where(crosses, here - there, 1.0)
    crossing = curve + share[:, None] * (following - curve)
    crossing[:, axis] = limit
    # Each corner, then the crossing on the edge after it, if they exist.
    both = np.stack([curve, crossing], 1)
    return both[np.stack([here >= 0, crosses], 1)]


def _chaikin(corner: np.ndarray, rounds: int) -> np.ndarray:
    """Cuts the corners of a closed curve (Chaikin's scheme)."""
    for _ in range(rounds):
        following = np.roll(corner, -1, axis=0)
        near, far = (a * corner + (1 - a) * following for a in (0.75, 0.25))
        corner = np.stack([near, far], 1).reshape(-1, 2)
    return corner
