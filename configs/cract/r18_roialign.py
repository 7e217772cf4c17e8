"""CRACT (Fan and Ling), Table 9: RoIAlign instead of its pyramid."""

from jaxtrack.configs import cract_r18


def get_config():
    """Returns the full CRACT, changed in one thing."""
    c = cract_r18.get_config()
    c.model.pooling = "single"
    return c
