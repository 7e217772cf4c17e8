"""CRACT (Fan and Ling), Table 9: RoIAlign instead of its pyramid."""

from jaxtrack.configs import cract_r18


def get_config():
    """Returns the settings of the full CRACT with one change."""
    c = cract_r18.get_config()
    c.model.pooling = "single"
    return c
