"""Table IV: labels linear in the IoU; compare `table3_ladl` (nonlinear)."""

from jaxtrack.configs.ablations import table3_ladl


def get_config():
    """Returns the settings of this row."""
    c = table3_ladl.get_config()
    c.labels.curve = "linear"
    return c
