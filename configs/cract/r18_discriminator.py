"""CRACT (Fan and Ling), Table 8: discriminator only."""

from jaxtrack.configs import cract_r18


def get_config():
    """Returns the full CRACT, changed in one thing."""
    c = cract_r18.get_config()
    c.tracking.identifier_weight = 0.0
    return c
