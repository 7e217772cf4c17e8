"""Smooth random functions of time: paths, and ripples that bend outlines."""

from typing import NamedTuple

import numpy as np

# The ripple's map is a contraction of this factor at strength 1, so that its inverse
# exists and the fixed-point iteration below converges.
_CONTRACTION = 0.45
_WAVES = 2  # Of a ripple.
_TERMS = 3  # Sines of a drift.
_DURATION = (7.0, 12.0)  # Frames from the crossing to three quarters of the way.
_MAX_ITERATIONS = 12
_PRECISION = 1e-4  # Local units.


def random_drift(
    rng: np.random.Generator,
    times: np.ndarray,
    bound,
    *,
    period: tuple[float, float],
    max_speed: float = np.inf,
) -> np.ndarray:
    """Draws a slow function of time with bounded value and speed.

        x(t) = sum_k amplitude[k] * sin(2 pi (frequency[k] * t + phase[k])),  k = 1..3

    Args:
      rng: source of randomness.
      times: `[T]` frames.
      bound: `[D]`, of the absolute value along each axis; in the unit of the result.
      period: shortest and longest period of a sine, frames.
      max_speed: bound of the change per frame along each axis; periods grow until it
        holds.

    Returns:
      Its values, `[T, D]`.
    """
    bound = np.asarray(bound, np.float64)
    shape = (_TERMS, bound.size)
    share = rng.uniform(0.2, 1.0, shape)
    amplitude = bound * share / share.sum(0)
    frequency = 1.0 / rng.uniform(*period, shape)
    speed = (2 * np.pi * amplitude * frequency).sum(0).max()
    if speed > max_speed:
        frequency = frequency * (max_speed / speed)
    phase = rng.uniform(0.0, 1.0, shape)
    angle = np.asarray(times, np.float64)[:, None, None] * frequency + phase
    return (amplitude * np.sin(2 * np.pi * angle)).sum(-2)


def random_passage(
    rng: np.random.Generator,
    times: np.ndarray,
    crossing: int,
    *,
    bearing: float,
    distance: tuple[float, float],
    miss: tuple[float, float],
) -> np.ndarray:
    """Draws a path that lingers on one side of the origin, then crosses to the other.

        a(t) tanh(s) (cos b(t), sin b(t)) + m sech(s) (-sin b(t), cos b(t)),
        s = (t - crossing) / duration

    The duration is 7 to 12 frames, or fewer if the crossing is too early to start far
    away.

    Args:
      rng: source of randomness.
      times: `[T]` from 0.
      crossing: time of the smallest distance `m` to the origin.
      bearing: mean of `b`, radians: the direction of motion; it comes from the opposite
        side. `b` varies by up to 0.7.
      distance: bounds of `a`, which also varies by 8 %.
      miss: bounds of `m`; it passes on either side.

    Returns:
      The path, `[T, 2]`, in the unit of `distance`.
    """
    m = rng.choice([-1, 1]) * rng.uniform(*miss)
    sway = random_drift(rng, times, [0.08, 0.7], period=(30, 90))
    a = (rng.uniform(*distance) * (1 + sway[:, 0]))[:, None]
    b = bearing + sway[:, 1]
    # At 2.7 durations from the crossing it is almost at its end: tanh(2.7) = 0.99.
    s = (times - crossing) / min(rng.uniform(*_DURATION), crossing / 2.7)
    along, across = np.tanh(s)[:, None], m / np.cosh(s)[:, None]
    cosine, sine = np.cos(b), np.sin(b)
    ahead, aside = np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)
    return a * along * ahead + across * aside


class Ripple(NamedTuple):
    """A traveling displacement of the plane, small enough to be inverted.

        d(q, t) = sum_k push[k] * sin(wave[k] . q + 2 pi (frequency[k] * t + phase[k]))

    The point drawn at `q` shows the object's rest point `q + d(q, t)`.

    Attributes:
      push: `[K, 2]`, local units (an object at rest has a size of about one).
      wave: `[K, 2]`, radians per local unit.
      frequency: `[K]`, cycles per frame.
      phase: `[K]`, cycles.
    """

    push: np.ndarray
    wave: np.ndarray
    frequency: np.ndarray
    phase: np.ndarray

    def angles(self, t):
        """Returns each wave's phase at times `t [...]` in radians, `[..., K]`."""
        t = np.asarray(t, np.float64)[..., None]
        return 2 * np.pi * (self.frequency * t + self.phase)

    def inverse(self, rest, t):
        """Returns where rest points are drawn: the `q` with `q + d(q, t) = rest`.

        Args:
          rest: rest points, `[..., 2]` local units.
          t: times, `[...]`.

        Returns:
          Drawn points, `[..., 2]` local units, to 1e-4.
        """
        angles = self.angles(t)
        drawn = rest
        for _ in range(_MAX_ITERATIONS):
            before = drawn
            drawn = rest - np.sin(drawn @ self.wave.T + angles) @ self.push
            if np.abs(drawn - before).max() < _PRECISION:
                break
        return drawn


def random_ripple(rng: np.random.Generator, strength: float) -> Ripple:
    """Draws a ripple; `strength` 0 is none, 1 the strongest invertible one."""
    towards = rng.uniform(0.0, 2 * np.pi, (2, _WAVES))
    number = 2 * np.pi / rng.uniform(0.6, 1.6, _WAVES)  # Over local units.
    push = strength * _CONTRACTION / (_WAVES * number)
    unit = np.stack([np.cos(towards), np.sin(towards)], -1)  # [2, K, 2]
    return Ripple(
        push[:, None] * unit[0],
        number[:, None] * unit[1],
        1.0 / rng.uniform(12.0, 50.0, _WAVES),
        rng.uniform(0.0, 1.0, _WAVES),
    )


def turned(angle: np.ndarray, along_x, along_y) -> np.ndarray:
    """Returns stretches followed by rotations, as matrices.

    Args:
      angle: `[...]` radians, from x towards y.
      along_x: stretch of the x axis, `[...]` or a number.
      along_y: stretch of the y axis, likewise.

    Returns:
      `[..., 2, 2]`.
    """
    cosine, sine = np.cos(angle), np.sin(angle)
    x = np.stack([cosine * along_x, -sine * along_y], -1)
    return np.stack([x, np.stack([sine * along_x, cosine * along_y], -1)], -2)
