"""Settings: all fields, the locked defaults, their checks and derived numbers."""

from jaxtrack.config.check import check, check_ranges
from jaxtrack.config.describe import markdown, text, unknown
from jaxtrack.config.fields import FIELDS
from jaxtrack.config.settings import (
    TRACKING,
    epochs_to_steps,
    flat,
    from_saved,
    from_tracking,
    get_config,
    is_known,
    is_of_tracking,
    of_tracking,
    preprocessing,
    steps_per_epoch,
    total_steps,
    update,
)

__all__ = [
    "FIELDS",
    "TRACKING",
    "check",
    "check_ranges",
    "epochs_to_steps",
    "flat",
    "from_saved",
    "from_tracking",
    "get_config",
    "is_known",
    "is_of_tracking",
    "markdown",
    "of_tracking",
    "preprocessing",
    "steps_per_epoch",
    "text",
    "total_steps",
    "unknown",
    "update",
]
