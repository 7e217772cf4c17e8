"""Table IV: labels linear in the IoU; beside `table3_ladl`, the nonlinear."""

from jaxtrack.configs.ablations import table3_ladl


def get_config():
    """Returns the settings of this row."""
    c = table3_ladl.get_config()
    c.labels.curve = "linear"
    return c
