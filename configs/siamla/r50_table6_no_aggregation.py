"""Table VI: LAFA without the five points."""

from jaxtrack.configs.siamla import r50_table3_lafa


def get_config():
    """Returns the settings of this row."""
    c = r50_table3_lafa.get_config()
    c.model.localization = "non_local"
    return c
