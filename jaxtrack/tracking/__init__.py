"""Trackers as a pair of pure functions, and the loops that drive them over video."""

from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack import models
from jaxtrack.tracking import siamese, two_stage
from jaxtrack.tracking.state import (
    Frame,
    Tracker,
    TrackerOutput,
    TrackerState,
    check_init_box,
)

__all__ = [
    "Frame",
    "Tracker",
    "TrackerOutput",
    "TrackerState",
    "check_init_box",
    "from_config",
    "make_tracker",
]


def make_tracker(model: nn.Module, config: ConfigDict) -> Tracker:
    """Makes the functions that track with a network.

    Args:
      model: as `jaxtrack.models.build` makes it.
      config: settings, see docs/settings.md.

    Returns:
      The tracker: `jaxtrack.tracking.two_stage`'s of a network that refines proposals,
      `jaxtrack.tracking.siamese`'s of any other. Its `step` has a fourth argument,
      `settings: Settings`, whose default holds the configuration's numbers.
    """
    if hasattr(model, "refiner"):
        return two_stage.make_tracker(model, config)
    return siamese.make_tracker(model, config)


def from_config(config: ConfigDict) -> Tracker:
    """Builds the network that a configuration names, and its tracker.

    Args:
      config: such as a checkpoint carries.

    Returns:
      The tracker.

    Raises:
      InputError: if the configuration names no network of this package.
    """
    return make_tracker(models.from_config(config), config)
