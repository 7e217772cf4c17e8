"""CRACT (Fan and Ling), Table 8: discriminator only."""

from jaxtrack.configs import cract_r18


def get_config():
    """Returns the settings of the full CRACT with one change."""
    c = cract_r18.get_config()
    c.tracking.identifier_weight = 0.0
    return c
