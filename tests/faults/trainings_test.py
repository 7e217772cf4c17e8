"""Trainings that are killed, stopped, moved to other devices, and run out of disk."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


def told(plan):
    """Runs a plan of `trainings`; returns what it found."""
    command = [sys.executable, "-m", "tests.faults.trainings", plan]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    print(plan, done.stdout)
    return json.loads(done.stdout)


def test_killed_at_random_it_trains_the_same():
    found = told("kills")
    assert found["signals"] == 20 and set(found["statuses"]) == {"-9", "0"}


def test_stopped_by_sigterm_and_ctrl_c_it_trains_the_same():
    found = told("stops")
    assert found["signals"] == 6
    # Before it listens, a signal ends the process as any other.
    assert set(found["statuses"]) <= {"0", "130", "-15", "-2"}


def test_it_resumes_on_other_numbers_of_devices():
    assert told("devices")["worst"] < 1e-4  # Sums in another order.


def test_without_room_it_says_so_in_a_line_and_goes_on_later():
    found = told("full_disk")
    assert found["status"] == 2 and len(found["lines"]) == 1
    assert not found["traceback"]
