"""Table III: dynamic labels and label smoothing."""

from jaxtrack.configs import siamla_r50_got10k


def get_config():
    """Returns the settings of this row."""
    c = siamla_r50_got10k.get_config()
    c.model.localization = "centerness"
    return c
