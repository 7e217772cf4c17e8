"""Trackers as pure functions, and the loops that run them on videos."""

from jaxtrack.tracking.host_boxes import check_init_box
from jaxtrack.tracking.state import (
    Crop,
    Frame,
    Tracker,
    TrackerOutput,
    TrackerState,
)

__all__ = [
    "Crop",
    "Frame",
    "Tracker",
    "TrackerOutput",
    "TrackerState",
    "check_init_box",
]
