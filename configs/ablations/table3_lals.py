"""Table III: label smoothing (LALS) alone."""

from jaxtrack.configs import siamla_lite0
from jaxtrack.configs.ablations import as_published


def get_config():
    """Returns the settings of this row."""
    c = as_published(siamla_lite0.get_config())
    c.labels.kind = "region"
    c.model.localization = "centerness"
    return c
