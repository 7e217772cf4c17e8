"""The backbone trains in the second half, with stochastic depth."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    c.optimizer.backbone_from_epoch = c.run.num_epochs / 2
    c.optimizer.stochastic_depth = 0.1
    return c
