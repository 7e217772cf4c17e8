"""Table IV: labels linear in the IoU; compare `r50_table3_ladl` (nonlinear)."""

from jaxtrack.configs.siamla import r50_table3_ladl


def get_config():
    """Returns the settings of this row."""
    c = r50_table3_ladl.get_config()
    c.labels.curve = "linear"
    return c
