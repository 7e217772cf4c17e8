"""Table III, first row: the baseline, with the weights of its own paper."""

from jaxtrack.configs import siamcar_lite0
from jaxtrack.configs.ablations import as_published


def get_config():
    """Returns the settings of this row."""
    c = as_published(siamcar_lite0.get_config())
    c.loss.weights = (1.0, 3.0, 1.0)
    c.tracking.num_boxes = 3
    c.tracking.quality_power = 1.0
    c.tracking.rate_by_quality = False
    return c
