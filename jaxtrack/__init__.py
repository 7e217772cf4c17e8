"""Single-object visual trackers in JAX: SiamCAR today, its descendants to come."""

__version__ = "0.1.0"
