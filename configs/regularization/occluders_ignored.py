"""Half of the targets are partly covered, and labels ignore what is hidden."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    c.augment.occluder = 0.5
    c.augment.occluder_ignored = True
    return c
