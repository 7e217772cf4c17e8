"""How long one waits: for the first box, the first training step, the second phase.

Figures of `benchmarks.gpu`.
"""

import os
import statistics
import threading
import time
from collections.abc import Iterator

from benchmarks import gpu_tracking, gpu_training, train_step
from jaxtrack.tracking import run


def measure_first_box(is_tiny: bool) -> Iterator[dict]:
    """Yields the seconds from the start of this process to a first tracked box.

    Args:
      is_tiny: a small network.
    """
    tracker, variables = gpu_tracking.tracker_of(gpu_tracking.sizes_of(is_tiny))
    drivers = run.compile_tracker(tracker)
    frames, box = gpu_tracking.frames_of(2), gpu_tracking.BOX
    list(run.track_video(drivers, variables, frames, box))
    yield {"name": "first box", "seconds": time.time() - float(os.environ["STARTED"])}


def measure_switch(is_tiny: bool) -> Iterator[dict]:
    """Yields how long training stalls where its second phase begins.

    What `training` compiled before comes from the cache.

    Args:
      is_tiny: a small network and batch.
    """
    sizes = gpu_training.sizes_of(is_tiny)
    inputs, alone = _first_phase(sizes)
    begin = time.perf_counter()
    second = train_step.step_of(*inputs, True).run
    prepared = time.perf_counter() - begin
    seconds = [round(gpu_training.seconds_of(second), 3) for _ in range(4)]
    yield {
        "name": "second phase",
        "prepared": round(prepared, 2),
        "longest_stall": round(prepared + seconds[0], 2),
        "steps": seconds,
        "step_of_first_phase": round(statistics.median(alone()), 4),
    }


def measure_switch_in_thread(is_tiny: bool) -> Iterator[dict]:
    """Yields the same where a thread prepares the second phase beside the first.

    Args:
      is_tiny: a small network and batch.
    """
    inputs, alone = _first_phase(gpu_training.sizes_of(is_tiny))
    before, made, done = alone(), [], threading.Event()

    def prepare():
        try:
            made.append(train_step.step_of(*inputs, True).run)
            made[0]()  # The first execution, too.
        finally:
            done.set()

    begin = time.perf_counter()
    threading.Thread(target=prepare).start()
    beside = []
    while not (beside and done.is_set()):
        beside += alone()
    yield {
        "name": "second phase, prepared in a thread",
        "seconds": round(time.perf_counter() - begin, 2),
        "step_alone": round(statistics.median(before), 4),
        "step_beside": round(statistics.median(beside), 4),
        "longest_stall": round(max(beside), 2),
        "steps": [round(gpu_training.seconds_of(made[0]), 3) for _ in range(3)],
    }


def measure_first_step(is_tiny: bool) -> Iterator[dict]:
    """Yields the seconds from the start of this process to a first training step.

    Args:
      is_tiny: a small network and batch.
    """
    config, variables, batch = gpu_training.inputs_of(
        gpu_training.sizes_of(is_tiny).cases[0]
    )
    train_step.step_of(config, variables, batch, True).run()
    yield {"name": "first step", "seconds": time.time() - float(os.environ["STARTED"])}


def _first_phase(sizes):
    """Returns what a step is made of, and what times one step of a frozen backbone."""
    inputs = gpu_training.inputs_of(sizes.cases[0])
    step = train_step.step_of(*inputs, False).run
    for _ in range(3):
        step()
    return inputs, lambda: [gpu_training.seconds_of(step)]
