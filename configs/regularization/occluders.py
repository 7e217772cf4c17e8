"""Half of the targets are partly covered."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    c.augment.occluder = 0.5
    return c
