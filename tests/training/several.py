"""Trains a tiny tracker in one of several processes; a program of its own.

`python -m tests.training.several WORKDIR ADDRESS NUMBER COUNT DEVICES STEPS EVERY`: one
process of COUNT, which sees DEVICES devices; checkpoints are EVERY so many steps.
"""

import os
import pathlib
import socket
import subprocess
import sys

import jax

from jaxtrack.training import distributed, loop
from tests.training import conftest as tiny

ROOT = pathlib.Path(__file__).resolve().parents[2]


def start(workdir, *, count, devices, steps, every=2):
    """Starts all processes of a training; their output is to be read as text."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "tests.training.several", str(workdir), address]
    options = [str(number) for number in (count, devices, steps, every)]
    return [
        subprocess.Popen(
            [*command, str(number), *options],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(count)
    ]


def main(workdir, address, *numbers):
    """Trains."""
    number, count, devices, steps, every = map(int, numbers)
    jax.config.update("jax_platforms", "cpu")
    jax.config.update("jax_num_cpu_devices", devices)
    if count > 1:
        distributed.initialize(address, num_processes=count, process_id=number)

    class Share(tiny.MemoryLoader):
        """The part of each batch that this process trains on."""

        def __next__(self):
            whole = super().__next__()
            part = self.size // count
            own = slice(number * part, (number + 1) * part)
            return {name: array[own] for name, array in whole.items()}

    config = tiny.small_config()
    config.run.num_epochs, config.run.checkpoint_every = steps, every
    config.run.pairs_per_epoch = config.run.batch_size
    config.optimizer.backbone_from_epoch = 2.0
    rates = config.optimizer  # The same, however many steps.
    rates.lr_warmup = rates.lr_end = rates.lr
    loop.open_loader = lambda config, geometry: Share(config.run.batch_size)
    state = loop.train(config, workdir, family=tiny.TINY)
    print("done", int(state.step), jax.device_count())
    if count > 1:
        distributed.leave()


if __name__ == "__main__":
    main(*sys.argv[1:])
