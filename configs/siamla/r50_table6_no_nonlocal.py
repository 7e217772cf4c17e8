"""Table VI: LAFA without the non-local block; with it: `r50_table3_lafa`."""

from jaxtrack.configs.siamla import r50_table3_lafa


def get_config():
    """Returns the settings of this row."""
    c = r50_table3_lafa.get_config()
    c.model.localization = "aggregation"
    return c
