"""Commands on a full disk, and Ctrl-C while they import and compile."""

import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from tests.faults.commands import COMMANDS

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", COMMANDS)
def test_without_room_it_says_so_in_a_line_and_completes_later(row, name):
    command = [sys.executable, "-m", "tests.faults.commands", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.stderr.strip() == "no disk can be mounted":
        pytest.skip("may not mount a disk")
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    for line in found["errors"]:
        assert "No space left on device" in line and "/out/" in line, line
    row(
        f"a disk of {' and '.join(map(str, found['sizes']))} kB under `{name}`",
        "1 each",
        "exit status 2 and one line; with more space the same command completed",
    )


@contextlib.contextmanager
def started(command, log, **env):
    """Starts a command whose output goes to a file; ends it where a test fails."""
    words = [sys.executable, "-m", "jaxtrack", *command]
    with open(log, "wb") as file:
        process = subprocess.Popen(
            words, cwd=ROOT, env=os.environ | env, stdout=file, stderr=file
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def until(process, condition, seconds=300):
    """Waits for a condition."""
    end = time.monotonic() + seconds
    while True:
        is_over = process.poll() is not None or time.monotonic() > end
        if condition():
            return
        assert not is_over
        time.sleep(0.02)


def picture(folder):
    """Writes a folder of two frames."""
    folder.mkdir()
    for number in range(2):
        noise = np.random.default_rng(number).integers(0, 255, (60, 80, 3), np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), noise)
    return str(folder)


def test_while_jax_is_imported(tmp_path, row):
    generator, log = random.Random(0), tmp_path / "log"
    command = ["track", picture(tmp_path / "v"), "--checkpoint=lite", "--box=9,9,20,20"]
    for times in (1, 2, 3):
        with started(command, log) as process:
            maps = pathlib.Path(f"/proc/{process.pid}/maps")
            until(process, lambda maps=maps: "jaxlib" in maps.read_text())
            for _ in range(times):
                time.sleep(generator.uniform(0, 0.3))
                process.send_signal(signal.SIGINT)
            status = process.wait(timeout=120)
        assert status in (130, -signal.SIGINT), log.read_text()
        assert "Traceback" not in log.read_text()
    row(
        "Ctrl-C pressed once, twice and three times while jax is imported",
        "1 each",
        "exit status 130, no traceback",
    )


COMPILED = "Finished jaxpr to MLIR module conversion"  # Next is XLA's part.


@pytest.mark.parametrize("name", ["track", "train"])
def test_while_xla_compiles(tmp_path, row, name):
    log, options = tmp_path / "log", {"JAX_LOG_COMPILES": "1", "XLA_FLAGS": ""}
    command = {
        "track": [picture(tmp_path / "v"), "--checkpoint=lite", "--box=9,9,20,20"],
        "train": ["--config=demo", f"--workdir={tmp_path / 'run'}"],
    }[name]

    def is_compiling():
        last = log.read_text().rstrip().rpartition("\n")[2]
        return COMPILED in last and time.time() - log.stat().st_mtime > 0.5

    def is_answered():
        return process.poll() is not None or "press Ctrl-C again" in log.read_text()

    options["JAX_COMPILATION_CACHE_DIR"] = str(tmp_path / "empty")
    with started([name, *command], log, **options) as process:
        until(process, is_compiling)
        began, presses = time.monotonic(), 0
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            presses += 1
            until(process, is_answered, 10)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        took = time.monotonic() - began
    said = log.read_text()
    # Not -11, as before: a crash while Python was taken down.
    assert process.returncode == 130 and "Traceback" not in said, said[-3000:]
    assert presses < 3
    what = {"track": "", "train": ", before its first step"}[name]
    row(
        f"Ctrl-C while XLA compiles for `{name}`{what}; again where it goes on for 5 s",
        1,
        f"exit status 130 after {took:.1f} s, pressed {presses} x; no traceback",
    )
