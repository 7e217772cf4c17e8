"""Table V: lambda 0.4."""

from jaxtrack.configs.siamla import r50_table3_ladl_lals


def get_config():
    """Returns the settings of this row."""
    c = r50_table3_ladl_lals.get_config()
    c.labels.smoothing = 0.4
    return c
