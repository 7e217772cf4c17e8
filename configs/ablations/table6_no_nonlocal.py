"""Table VI: LAFA without the non-local block; with it: `table3_lafa`."""

from jaxtrack.configs.ablations import table3_lafa


def get_config():
    """Returns the settings of this row."""
    c = table3_lafa.get_config()
    c.model.localization = "aggregation"
    return c
