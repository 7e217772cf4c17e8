"""Table V: lambda 0.3; 0.2 is `table3_ladl_lals`."""

from jaxtrack.configs.ablations import table3_ladl_lals


def get_config():
    """Returns the settings of this row."""
    c = table3_ladl_lals.get_config()
    c.labels.smoothing = 0.3
    return c
