"""Trackers as a pair of pure functions, and the loops that drive them over video."""

from jaxtrack.tracking.state import (
    Frame,
    Tracker,
    TrackerOutput,
    TrackerState,
    check_init_box,
)

__all__ = ["Frame", "Tracker", "TrackerOutput", "TrackerState", "check_init_box"]
