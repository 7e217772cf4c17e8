"""Table V: lambda 0.4."""

from jaxtrack.configs.ablations import table3_ladl_lals


def get_config():
    """Returns the settings of this row."""
    c = table3_ladl_lals.get_config()
    c.labels.smoothing = 0.4
    return c
