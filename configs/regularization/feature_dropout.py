"""Channels of the compared features are dropped."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    c.optimizer.feature_dropout = 0.3
    return c
