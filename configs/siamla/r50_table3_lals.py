"""Table III: label smoothing (LALS) alone."""

from jaxtrack.configs import siamla_r50_got10k


def get_config():
    """Returns the settings of this row."""
    c = siamla_r50_got10k.get_config()
    c.labels.kind = "region"
    c.model.localization = "centerness"
    return c
