"""CRACT (Fan and Ling), Table 7: the identifier sees proposals as they came."""

from jaxtrack.configs import cract_r18


def get_config():
    """Returns the full CRACT, changed in one thing."""
    c = cract_r18.get_config()
    c.model.refinement = "parallel"
    return c
