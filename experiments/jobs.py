"""Work in child processes: some at once, logged, timed, stopped without loss."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tqdm import tqdm

from experiments.progress import Progress
from jaxtrack.errors import InputError
from jaxtrack.evaluation import results

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 120.0  # For a child to save its work after SIGTERM.
_USED = ("cpu_seconds", "wall_seconds")


class Stage(NamedTuple):
    """One child process; run again, it must go on where it stopped.

    Attributes:
      name: of the stage, e.g. "training".
      command: program and arguments.
      log: what the child prints is added to this file.
      usage: JSON file of CPU and wall seconds, summed over attempts.
      is_done: whether nothing is left to do.
      share: share in [0, 1] that is done; for the progress bar alone.
      weight: of the stage in the progress of its job.
    """

    name: str
    command: tuple[str, ...]
    log: pathlib.Path
    usage: pathlib.Path
    is_done: Callable[[], bool]
    share: Callable[[], float]
    weight: float = 1.0


class Job(NamedTuple):
    """Stages, one after the other.

    Attributes:
      label: what messages call the job.
      stages: in order.
    """

    label: str
    stages: tuple[Stage, ...]

    def next_stage(self) -> Stage | None:
        """Returns the first stage that is not done, or None."""
        return next((stage for stage in self.stages if not stage.is_done()), None)

    def share(self) -> float:
        """Returns the share of the job that is done."""
        total = sum(stage.weight for stage in self.stages)
        shares = (1.0 if s.is_done() else min(s.share(), 1.0) for s in self.stages)
        return sum(
            s.weight * share for s, share in zip(self.stages, shares, strict=True)
        ) / max(total, 1e-9)


def read_usage(path: str | pathlib.Path) -> dict[str, float | None]:
    """Reads what a stage has used.

    Args:
      path: the file that `Stage.usage` names.

    Returns:
      "cpu_seconds" and "wall_seconds" over all attempts; None where one is unknown
      because the study was killed before it ended.
    """
    attempts = _read_attempts(path)
    return {
        key: sum(one[key] for one in attempts)
        if attempts and all(one[key] is not None for one in attempts)
        else None
        for key in _USED
    }


def _read_attempts(path: str | pathlib.Path) -> list[dict]:
    try:
        return json.loads(pathlib.Path(path).read_text())["attempts"]
    except (OSError, ValueError, KeyError):
        return []


class _Child:
    """A process at work on a stage."""

    def __init__(self, job: Job, stage: Stage):
        """Starts it, in a session of its own: Ctrl-C reaches the parent alone."""
        self.job, self.stage = job, stage
        stage.log.parent.mkdir(parents=True, exist_ok=True)
        self._attempts = _read_attempts(stage.usage)
        self._note(dict.fromkeys((*_USED, "exit_code")))
        self._start = time.monotonic()
        with stage.log.open("ab") as log:
            self._process = subprocess.Popen(
                stage.command,
                # Held open: its end tells the child that the parent is gone.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def poll(self) -> int | None:
        """Returns the exit code, or None while it runs; notes what it has used."""
        if self._process.returncode is not None:
            return self._process.returncode
        try:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        except ChildProcessError:  # A signal came between its end and this note.
            self._process.returncode = -1
            return -1
        if pid == 0:
            return None
        code = self._process.returncode = os.waitstatus_to_exitcode(status)
        self._process.stdin.close()
        attempt = {
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "wall_seconds": time.monotonic() - self._start,
            "exit_code": code,
        }
        self._note(attempt)
        return code

    def _note(self, attempt: dict) -> None:
        """Writes the attempts before and this one."""
        text = json.dumps({"attempts": [*self._attempts, attempt]}, indent=1)
        results.write_text(self.stage.usage, text + "\n")

    def terminate(self) -> None:
        """Asks it to save its work and end."""
        if self.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """Ends it."""
        if self.poll() is None:
            self._process.kill()
            while self.poll() is None:
                time.sleep(_POLL_SECONDS)


def run_jobs(
    jobs: Sequence[Job],
    *,
    at_once: int = 1,
    on_finished: Callable[[Job], None] = lambda job: None,
) -> None:
    """Does what is left of the jobs, in their order, some at once.

    Ctrl-C, SIGTERM and a failing child end all children by SIGTERM, so that they save
    their work; the next call goes on from there.

    Args:
      jobs: in order of importance.
      at_once: children at a time.
      on_finished: called with each job when its last stage is done.

    Raises:
      InputError: a child failed; the message names its log.
      KeyboardInterrupt: stopped by a signal.
    """
    if at_once < 1:
        raise InputError(f"--jobs={at_once}: at least one at a time")
    waiting = deque(job for job in jobs if job.next_stage())
    children: list[_Child] = []
    bar = Progress(len(jobs), lambda: sum(job.share() for job in jobs))
    with _sigterm_as_ctrl_c(), bar, _ended(children):
        while waiting or children:
            while waiting and len(children) < at_once:
                job = waiting.popleft()
                children.append(_Child(job, job.next_stage()))
            for child in [c for c in children if c.poll() is not None]:
                children.remove(child)
                _check(child)
                if child.job.next_stage():
                    children.append(_Child(child.job, child.job.next_stage()))
                else:
                    on_finished(child.job)
            bar.show("; ".join(f"{c.job.label}: {c.stage.name}" for c in children))
            time.sleep(_POLL_SECONDS)


def _check(child: _Child) -> None:
    """Raises unless a child that has ended did its work."""
    code, stage = child.poll(), child.stage
    if code == 0 and stage.is_done():
        return
    lines = stage.log.read_text(errors="replace").replace("\r", "\n").splitlines()
    said = next((line.strip() for line in reversed(lines) if line.strip()), "nothing")
    what = f"failed with exit code {code}" if code else "stopped before its end"
    raise InputError(
        f"{child.job.label}: {stage.name} {what}; its last words: {said[-200:]!r}; "
        f"see {stage.log}, mend it and run the same command again: what is done is kept"
    )


@contextlib.contextmanager
def _ended(children: list[_Child]) -> Iterator[None]:
    """Ends the children that are left when the block is left."""
    try:
        yield
    finally:
        for child in children:
            child.terminate()
        if any(child.poll() is None for child in children):
            tqdm.write("waiting for the trainings under way to save their work")
        until = time.monotonic() + _GRACE_SECONDS
        try:
            while any(c.poll() is None for c in children) and time.monotonic() < until:
                time.sleep(_POLL_SECONDS)
        finally:  # A second Ctrl-C, or out of patience.
            for child in children:
                child.kill()


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Makes SIGTERM raise KeyboardInterrupt in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number, frame):
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old)
