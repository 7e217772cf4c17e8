"""A training of two processes, one of which is killed: the other says so and ends."""

import contextlib
import time

import pytest

from jaxtrack.training import distributed
from tests.training import several

pytestmark = pytest.mark.slow
EVERY, ENOUGH = 20, 10**6  # Steps from checkpoint to checkpoint; more than are done.


def last_step(workdir):
    """Returns the step of the last checkpoint, 0 where there is none."""
    found = (workdir / "checkpoints").glob("*")
    return max((int(p.name) for p in found if p.name.isdigit()), default=0)


def lose(workdir, killed):
    """Kills a process once a checkpoint of this start is there.

    Returns:
      After how many seconds the other one ended, and all that it printed.
    """
    before = last_step(workdir)
    with contextlib.ExitStack() as stack:
        both = several.start(workdir, count=2, devices=1, steps=ENOUGH, every=EVERY)
        for process in both:
            stack.enter_context(process)
            stack.callback(process.kill)
        end = time.monotonic() + 400
        while last_step(workdir) == before and time.monotonic() < end:
            assert both[1].poll() is None, both[1].stdout.read()
            time.sleep(0.05)
        began = time.monotonic()
        both[killed].kill()
        said, _ = both[1 - killed].communicate(timeout=120)
        took = time.monotonic() - began
    assert both[1 - killed].returncode == 1, said
    (line,) = [line for line in said.splitlines() if line.startswith("process ")]
    assert line.startswith(f"process {killed} of 2 (pid {both[killed].pid} on "), said
    assert "the training resumes at its last checkpoint" in line
    return took, said


def test_the_other_names_it_and_ends_and_the_training_goes_on(tmp_path, row):
    took = {}
    for killed, most in ((1, distributed.PATIENCE + 15), (0, 10)):
        before = last_step(tmp_path)
        took[killed], said = lose(tmp_path, killed)
        assert took[killed] < most
        assert killed or before < last_step(tmp_path), said
    step = last_step(tmp_path)
    (alone,) = several.start(tmp_path, count=1, devices=2, steps=step + 3, every=EVERY)
    with alone:
        said, _ = alone.communicate(timeout=400)
    assert f"resuming at step {step}" in said and f"done {step + 3} 2" in said
    for killed, seconds in took.items():
        row(
            f"of two processes that train together, process {killed} killed",
            1,
            f"the other names it and ends after {seconds:.1f} s; started again, the "
            "training goes on",
        )
