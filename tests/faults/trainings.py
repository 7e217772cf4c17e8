"""Trains a tiny tracker again and again, and ends it at random moments; told in JSON.

A program of its own: it imports everything once and starts no backend of jax, so that
each training is a fork that costs a second. `python -m tests.faults.trainings PLAN`
does one of `PLANS` and prints one JSON object.
"""

import json
import os
import pathlib
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from functools import partial

import jax

from jaxtrack.cli import faults
from jaxtrack.training import loop
from jaxtrack.training.inference import load_for_inference
from jaxtrack.weights import digests
from tests.faults import forks
from tests.training import conftest as tiny

STEPS = 12
SIZES = [300, 1_000, 2_000, 4_000, 6_000, 8_000, 10_000, 12_000]  # Bytes.
LOGGED = 1_000


def settings():
    """A run of some steps, each of which is saved."""
    config = tiny.small_config()
    config.run.num_epochs, config.run.pairs_per_epoch = STEPS, config.run.batch_size
    config.optimizer.backbone_from_epoch = 3.0
    config.run.log_every = config.run.checkpoint_every = 1
    return config


class Loader(tiny.MemoryLoader):
    """Batches from memory; sends SIGTERM at one, unless it is the last step's."""

    contents = ""

    def __init__(self, *, last):
        super().__init__()
        self.last = last

    def __next__(self):
        if self.position == self.last < STEPS:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().__next__()


def start(workdir, *, devices=1, steps=STEPS, file_size=None):
    """Forks a training; returns its process id. Its output goes to `workdir.log`."""

    def train():
        jax.config.update("jax_num_cpu_devices", devices)
        loop.open_loader = lambda config, geometry: Loader(last=steps)
        config = settings()
        if file_size:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
        faults.guarded(lambda: loop.train(config, workdir, family=tiny.TINY))

    return forks.start(train, f"{workdir}.log")


def weights(workdir):
    """Hashes the trained weights of a workdir, in a process of their own."""
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        loaded = load_for_inference(workdir)
        told = {"step": loaded.step, "hash": digests.hash_arrays(loaded.variables)}
        leaves = jax.tree.leaves(loaded.variables)
        told["sums"] = [float(abs(leaf).sum()) for leaf in leaves]
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as file:
        told = json.load(file)
    forks.ended(pid)
    return told


def is_whole(workdir):
    """Returns whether the last step is saved."""
    return (workdir / "checkpoints" / str(STEPS)).is_dir()


def kills(folder, *, numbers=(signal.SIGKILL,), most=20):
    """Sends signals at random moments; what is trained in the end must be the same."""
    began = time.monotonic()
    assert forks.ended(start(folder / "whole")) == 0
    seconds = time.monotonic() - began
    expected, generator = weights(folder / "whole"), random.Random(0)
    sent, runs, statuses = 0, 0, {}
    while sent < most:
        runs += 1
        work = folder / str(runs)
        while not is_whole(work):
            began, pid = time.monotonic(), start(work)
            if sent < most:
                time.sleep(generator.uniform(0.1, 0.8) * seconds)
                os.kill(pid, numbers[sent % len(numbers)])
            status = forks.ended(pid)
            sent += not is_whole(work)
            if is_whole(work):
                seconds = min(seconds, time.monotonic() - began)
            statuses[status] = statuses.get(status, 0) + 1
            print(f"run {runs}: {sent} of {most} signals", status, file=sys.stderr)
        log = pathlib.Path(f"{work}.log").read_text()
        assert "Traceback" not in log, log[-3000:]
        assert weights(work) == expected, f"run {runs} differs"
    return {"signals": sent, "runs": runs, "equal": runs, "statuses": statuses}


def devices(folder):
    """Resumes on 1, 2 and 4 devices; returns the largest difference of the sums."""
    assert forks.ended(start(folder / "one", devices=1)) == 0
    for count, steps in ((1, 4), (2, 8), (4, STEPS)):
        assert forks.ended(start(folder / "more", devices=count, steps=steps)) == 0
    one, more = weights(folder / "one"), weights(folder / "more")
    pairs = zip(one["sums"], more["sums"], strict=True)
    worst = max(abs(a - b) / max(abs(a), 1e-3) for a, b in pairs)
    return {"step": more["step"], "worst": worst}


def full_disk(folder):
    """Limits the size of files while training; with more room the run goes on."""
    assert forks.ended(start(folder / "whole")) == 0
    assert forks.ended(start(folder / "begun", steps=5)) == 0
    expected, statuses = weights(folder / "whole"), {}
    for size in SIZES:
        work = folder / str(size)
        shutil.copytree(folder / "begun", work)
        status = forks.ended(start(work, file_size=size))
        statuses[status] = statuses.get(status, 0) + 1
        log = pathlib.Path(f"{work}.log").read_text()
        told = [line for line in log.splitlines() if line.startswith("error: ")]
        # Below it the log itself is cut.
        assert len(told) == 1 or size < LOGGED, (size, log)
        assert "Traceback" not in log, (size, log)
        assert forks.ended(start(work)) == 0
        assert weights(work) == expected, size
    return {"sizes": len(SIZES), "statuses": statuses}


PLANS = {
    "kills": kills,
    "stops": partial(kills, numbers=(signal.SIGTERM, signal.SIGINT), most=6),
    "devices": devices,
    "full_disk": full_disk,
}


if __name__ == "__main__":
    options = {"most": int(sys.argv[2])} if len(sys.argv) > 2 else {}
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(PLANS[sys.argv[1]](pathlib.Path(place), **options)))
