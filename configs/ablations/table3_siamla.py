"""Table III, last row: everything."""

from jaxtrack.configs import siamla_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamla_lite0.get_config()
    c.labels.smoothing = 0.2
    return c
