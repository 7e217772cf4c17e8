"""A fifth of the pairs is negative."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    c.data.negative_ratio = 0.2
    return c
