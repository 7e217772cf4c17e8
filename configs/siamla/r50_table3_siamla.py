"""Table III, last row: everything."""

from jaxtrack.configs import siamla_r50_got10k


def get_config():
    """Returns the settings of this row."""
    return siamla_r50_got10k.get_config()
