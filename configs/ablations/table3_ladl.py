"""Table III: dynamic labels (LADL) alone."""

from jaxtrack.configs import siamla_lite0
from jaxtrack.configs.ablations import as_published


def get_config():
    """Returns the settings of this row."""
    c = as_published(siamla_lite0.get_config())
    c.labels.smoothing = 0.0
    c.model.localization = "centerness"
    return c
