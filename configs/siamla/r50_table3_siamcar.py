"""Table III, first row: the baseline, with the weights of its own paper."""

from jaxtrack.configs import siamla_r50_got10k


def get_config():
    """Returns the settings of this row."""
    c = siamla_r50_got10k.get_config()
    c.model.name = "siamcar"
    c.loss.weights = (1.0, 3.0, 1.0)
    return c
