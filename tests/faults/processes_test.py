"""One of two processes that train together is killed: the other says so and ends."""

import contextlib
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from jaxtrack.training import distributed

ROOT = pathlib.Path(__file__).resolve().parents[2]
# All that `jaxtrack train --distributed` does to be told, without its training.
MAIN = """
import pathlib, sys, time
from jaxtrack.training import distributed

workdir, address, number = sys.argv[1:]
distributed.initialize(address, num_processes=2, process_id=int(number))
about = {"number": int(number), "count": 2, "coordinator": distributed.coordinator()}
with distributed.Watch(pathlib.Path(workdir), **about):
    print("connected", flush=True)
    time.sleep(300)
"""

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("killed", "seconds"), [(0, 10), (1, distributed.PATIENCE + 15)]
)
def test_the_other_names_it_and_ends(tmp_path, killed, seconds):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"
    command = [sys.executable, "-c", MAIN, str(tmp_path), address]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(subprocess.Popen([*command, number], cwd=ROOT, **how))
            for number in "01"
        ]
        for process in processes:
            stack.callback(process.kill)
        for process in processes:
            assert process.stdout.readline() == "connected\n", process.stderr.read()
        time.sleep(3 * distributed.BEAT)
        began = time.monotonic()
        processes[killed].kill()
        other = processes[1 - killed]
        _, said = other.communicate(timeout=120)
        took = time.monotonic() - began
    print(f"process {killed} killed: the other ended after {took:.1f} s")
    lines = [line for line in said.splitlines() if line.startswith("process ")]
    (line,) = lines
    assert line.startswith(f"process {killed} of 2 (pid {processes[killed].pid} on ")
    assert "the training resumes at its last checkpoint" in line
    assert other.returncode == 1 and took < seconds
