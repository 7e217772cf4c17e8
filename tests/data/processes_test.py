"""Tests for jaxtrack.data.processes."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import types

import pytest

from jaxtrack.data import processes
from jaxtrack.errors import InputError

from .conftest import is_alive

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]

# A parent with a worker that would wait forever; prints the worker's id.
PARENT = """
import concurrent.futures, multiprocessing, os, time
from jaxtrack.data import processes

if __name__ == "__main__":
    pool = concurrent.futures.ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn"), processes.prepare_worker
    )
    print(pool.submit(os.getpid).result(), flush=True)
    pool.submit(time.sleep, 60)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("script", "is_refused"),
    [
        ("call()\n", True),
        ("def f():\n    call()\nif 1:\n\n    f()\n", True),
        ("if __name__ == '__main__':\n\n    call()\n", False),
        ("def f():\n    call()\nif '__main__' == __name__:\n    f()\n", False),
    ],
)
def test_a_script_that_workers_would_run_again_is_refused(
    script, is_refused, tmp_path, monkeypatch
):
    path = tmp_path / "mine.py"
    path.write_text(script)
    main = types.ModuleType("__main__")
    main.__file__, main.call = str(path), processes.check_main
    monkeypatch.setitem(sys.modules, "__main__", main)
    expected = contextlib.nullcontext()
    if is_refused:
        expected = pytest.raises(InputError, match=r"mine\.py, line \d: .*__main__")
    with expected:
        exec(compile(script, str(path), "exec"), vars(main))
    # A prompt or a notebook has no file that a worker could import.
    monkeypatch.delattr(main, "__file__")
    exec(compile(script, "<stdin>", "exec"), vars(main))


@pytest.fixture
def family(tmp_path):
    """A parent process and the id of its worker."""
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    yield parent, int(parent.stdout.readline())
    parent.kill()
    parent.communicate()


@pytest.mark.skipif(not pathlib.Path("/proc/self").exists(), reason="needs /proc")
def test_a_worker_leaves_ctrl_c_alone_and_dies_with_its_parent(family):
    parent, worker = family
    os.kill(worker, signal.SIGINT)
    time.sleep(0.3)
    assert is_alive(worker)
    parent.kill()
    deadline = time.monotonic() + 10
    while is_alive(worker):
        assert time.monotonic() < deadline, "the worker outlives its parent"
        time.sleep(0.02)
