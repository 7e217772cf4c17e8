"""CRACT (Fan and Ling), Table 7: the identifier sees unrefined proposals."""

from jaxtrack.configs import cract_r18


def get_config():
    """Returns the settings of the full CRACT with one change."""
    c = cract_r18.get_config()
    c.model.refinement = "parallel"
    return c
