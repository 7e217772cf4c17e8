"""The state of a session between images: to store, to split, to join."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np


class SessionState(NamedTuple):
    """The state of a session between images, in numpy, so that it can be pickled.

    Attributes:
      targets: n, or 0 for a single target.
      tracker: the state of the tracker.
      score: in the last image, a float or `[n]`.
    """

    targets: int
    tracker: Any
    score: float | np.ndarray

    def split(self) -> list["SessionState"]:
        """Returns a separate state for each target."""
        if not self.targets:
            return [self]
        leaves, form = jax.tree.flatten(jax.device_get(self.tracker))
        return [
            SessionState(0, form.unflatten([a[i] for a in leaves]), float(score))
            for i, score in enumerate(self.score)
        ]


def join_states(states: Sequence[SessionState]) -> SessionState:
    """Joins states of one target each, so that one step tracks all.

    Args:
      states: of sessions of the same tracker, or from `SessionState.split`.

    Returns:
      The state of n targets; for one target its state unchanged.
    """
    if len(states) == 1:
        return states[0]
    tracker = jax.tree.map(
        lambda *leaves: np.stack(leaves), *(state.tracker for state in states)
    )
    return SessionState(len(states), tracker, np.array([s.score for s in states]))
