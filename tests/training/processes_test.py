"""Two processes of two devices train what one process of four devices trains."""

import pathlib
import socket
import subprocess
import sys

import jax
import numpy as np
import pytest

from jaxtrack.training.inference import load_for_inference
from tests.training import several

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def train(workdir, count, devices, steps):
    """Trains in `count` processes that see `devices` devices each."""
    processes = several.start(workdir, count=count, devices=devices, steps=steps)
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
