"""The parameters themselves, without their moving average."""

from jaxtrack.configs import siamcar_lite0


def get_config():
    """Returns the settings of this row."""
    c = siamcar_lite0.get_config()
    c.optimizer.ema_decay = 0.0
    return c
