"""Two processes of two devices train what one process of four devices trains."""

import os
import pathlib
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from jaxtrack.training.inference import load_for_inference

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MAIN = """
import sys
import jax
import numpy as np
from absl import flags
from jaxtrack.config import get_config
from jaxtrack.training import distributed, loop

sys.path.insert(0, "tests/training")
import conftest as tiny

workdir, address, number, count, devices, steps = sys.argv[1:]
number, count = int(number), int(count)
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", int(devices))
if count > 1:
    distributed.initialize(address, num_processes=count, process_id=number)

class Share(tiny.MemoryLoader):
    def __next__(self):
        whole = super().__next__()
        part = self.size // count
        own = slice(number * part, (number + 1) * part)
        return {name: array[own] for name, array in whole.items()}

config = tiny.small_config()
config.run.num_epochs = int(steps)
config.run.pairs_per_epoch = config.run.batch_size
config.optimizer.backbone_from_epoch = 2.0
rates = config.optimizer  # The same, however many steps.
rates.lr_warmup = rates.lr_end = rates.lr
loop.open_loader = lambda config, geometry: Share(config.run.batch_size)
state = loop.train(config, workdir, family=tiny.TINY)
print("done", int(state.step), jax.device_count())
if count > 1:
    distributed.leave()
"""


def train(workdir, count, devices, steps):
    """Trains in `count` processes that see `devices` devices each."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    options = [str(count), str(devices), str(steps)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MAIN, workdir, address, str(number), *options],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(count)
    ]
    try:
        outputs = [process.communicate(timeout=300)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
        assert f"done {steps} 4" in output
    return outputs


def leaves(workdir):
    return jax.tree.leaves_with_path(load_for_inference(workdir).variables)


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path):
    train(tmp_path / "one", 1, 4, 4)
    # The second half is another run: the checkpoint serves both processes.
    train(tmp_path / "two", 2, 2, 3)
    outputs = train(tmp_path / "two", 2, 2, 4)
    assert "resuming at step 3" in outputs[0]
    assert "resuming" not in outputs[1]
    one, two = leaves(tmp_path / "one"), leaves(tmp_path / "two")
    assert load_for_inference(tmp_path / "two").step == 4
    for (path, a), (_, b) in zip(one, two, strict=True):
        # Sums in another order: rounding of float32 over four steps.
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=str(path))


LATE = """
import sys, time
import jax
from jaxtrack.training import distributed

jax.config.update("jax_platforms", "cpu")
number = int(sys.argv[2])
distributed.initialize(sys.argv[1], num_processes=2, process_id=number)
jax.devices()
distributed.meet("start")
time.sleep(4 * number)
distributed.leave()
"""


@pytest.mark.slow
def test_a_process_may_end_after_process_0():
    """jax aborts one that is still connected when process 0 ends."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, "-c", LATE, address]
    both = [subprocess.Popen([*command, str(number)], cwd=ROOT) for number in (0, 1)]
    assert [process.wait(timeout=300) for process in both] == [0, 0]
