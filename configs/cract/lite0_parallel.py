"""RPN and refinement as before CRACT: in parallel, RoIAlign, nothing learnt online."""

from jaxtrack.configs import cract_lite0


def get_config():
    """Returns the small CRACT as far as it goes here."""
    c = cract_lite0.get_config()
    c.model.refinement = "parallel"
    c.model.pooling = "single"
    c.online.learns = False
    return c
