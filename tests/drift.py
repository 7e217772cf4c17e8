"""A tracker whose boxes are known beforehand, and pictures for it."""

import cv2
import jax.numpy as jnp
import numpy as np

from jaxtrack.session import Session
from jaxtrack.tracking.state import TrackerOutput, TrackerState
from tests.whole_frames import of_whole_frames

STEP = np.array([1.0, 0.0, 0.0, 0.0], np.float32)


def drift_tracker():
    """Moves the box by one pixel a frame, and doubts itself a little more each time."""

    def init(variables, frame, box):
        return TrackerState(template=jnp.float32(1.0), box=box, fill=variables)

    def step(variables, state, frame):
        state = state.replace(box=state.box + variables, template=state.template * 0.9)
        return state, TrackerOutput(state.box, state.template)

    return of_whole_frames(init, step)


def drifting():
    """A session of it; a target is lost below 0.6, from the fifth frame after."""
    return Session(drift_tracker(), STEP, name="drift", lost_below=0.6)


def write_frames(folder, *, count=7):
    """Writes gray frames of 60 x 41 pixels."""
    folder.mkdir(parents=True)
    for k in range(count):
        cv2.imwrite(str(folder / f"{k}.jpg"), np.full((41, 60, 3), 90 + k, np.uint8))
    return folder
