"""Table III, first row: the baseline."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    # As others.
    c.tracking.num_boxes = 3
    c.tracking.quality_power = 1.0
    c.tracking.rate_by_quality = False
    return c
