"""Wider jitter of size, shape and color."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    c.augment.search_scale = 0.35
    c.augment.aspect = 0.2
    c.augment.tone = 0.8
    c.augment.template_color = 0.25
    c.augment.search_color = 0.25
    return c
