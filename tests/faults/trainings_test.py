"""Trainings that are killed, stopped, moved to other devices, and run out of disk."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def found_by(plan):
    """Runs a plan of `trainings`; returns what it found."""
    command = [sys.executable, "-m", "tests.faults.trainings", plan]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_killed_at_random_it_trains_the_same(row):
    found = found_by("kills")
    assert set(found["statuses"]) == {"-9", "0"}
    row(
        "a training killed (SIGKILL) at random moments of steps and saves",
        f"{found['signals']}, in {found['runs']} runs",
        "same weights as an uninterrupted run, bit for bit",
    )


def test_stopped_by_sigterm_and_ctrl_c_it_trains_the_same(row):
    found = found_by("stops")
    # Before it listens, a signal ends the process as any other.
    assert set(found["statuses"]) <= {"0", "130", "-15", "-2"}
    statuses = ", ".join(f"{s} of {n}" for s, n in found["statuses"].items())
    row(
        "stopped by SIGTERM and Ctrl-C at random moments",
        f"{found['signals']}, in {found['runs']} runs",
        f"the same weights; exit status {statuses} processes, ends of runs included",
    )


def test_it_resumes_on_other_numbers_of_devices(row):
    worst = found_by("devices")["worst"]
    assert worst < 1e-4  # Sums in another order.
    row(
        "resumed on 1, then 2, then 4 devices",
        1,
        f"sums of the weights differ from one device by at most {worst:.0e} (relative)",
    )


def test_without_room_it_says_so_in_a_line_and_goes_on_later(row):
    found = found_by("full_disk")
    assert found["statuses"] == {"2": found["sizes"]}
    row(
        "files limited to 0.3 to 12 kB while a training saves",
        found["sizes"],
        "exit status 2 and one line each time; same weights when resumed",
    )
