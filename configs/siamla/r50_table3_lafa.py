"""Table III: the localization branch (LAFA) alone."""

from jaxtrack.configs import siamla_r50_got10k


def get_config():
    """Returns the settings of this row."""
    c = siamla_r50_got10k.get_config()
    c.labels.kind = "region"
    c.labels.smoothing = 0.0
    return c
