"""Table III, first row: the baseline."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    c.num_boxes, c.quality_power, c.rate_by_quality = 3, 1.0, False  # As others.
    return c
