"""The identifier sees aligned boxes."""

from jaxtrack.configs import cract_lite0


def get_config():
    """Returns the settings of the small CRACT at this step."""
    c = cract_lite0.get_config()
    c.model.pooling = "single"
    c.online.learns = False
    return c
