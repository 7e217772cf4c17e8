"""Child processes: several at once, logged, timed, and stopped without loss."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tqdm import tqdm

from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic

_POLL_SECONDS = 0.2
_GRACE_SECONDS = 120.0  # For a child to save its state after SIGTERM.
_SHOW_SECONDS = 2.0
_LOG_SECONDS = 60.0  # Between two lines in a log file, instead of a progress bar.
_USED = ("cpu_seconds", "wall_seconds")


class Stage(NamedTuple):
    """One child process, which must resume when it is started again.

    Attributes:
      label: what messages call it.
      command: program and arguments.
      log: file to which the child's output is appended.
      usage: JSON file of CPU and wall seconds of every attempt.
      is_done: whether it is finished.
      share: finished fraction in [0, 1], only for the progress bar.
      weight: of the stage in the progress of its chain.
    """

    label: str
    command: tuple[str, ...]
    log: pathlib.Path
    usage: pathlib.Path
    is_done: Callable[[], bool]
    share: Callable[[], float]
    weight: float = 1.0


# Stages that must follow one another.
Chain = Sequence[Stage]


def next_stage(chain: Chain) -> Stage | None:
    """Returns the first stage that is not done, or None."""
    return next((stage for stage in chain if not stage.is_done()), None)


def share_done(chain: Chain) -> float:
    """Returns the finished fraction of a chain in [0, 1], by the stages' weights."""
    shares = [1.0 if s.is_done() else min(s.share(), 1.0) for s in chain]
    weights = [stage.weight for stage in chain]
    return sum(w * s for w, s in zip(weights, shares, strict=True)) / sum(weights)


def run_all(
    chains: Sequence[Chain],
    *,
    at_once: int = 1,
    on_finished: Callable[[], None] = lambda: None,
) -> None:
    """Runs the unfinished stages of the chains, in order, several at once.

    Ctrl-C, SIGTERM and a failing child end all children with SIGTERM, so that they save
    their state; the next call resumes.

    Args:
      chains: in order of importance.
      at_once: children at a time.
      on_finished: called whenever the last stage of a chain is done.

    Raises:
      InputError: a child failed; the message names its log.
      KeyboardInterrupt: stopped by a signal.
    """
    if at_once < 1:
        raise InputError(f"--processes={at_once}: at least one at a time")
    waiting = deque(chain for chain in chains if next_stage(chain))
    children: dict[_Child, Chain] = {}
    with _sigterm_as_ctrl_c(), _progress(chains) as show, _ended(children):
        while waiting or children:
            while waiting and len(children) < at_once:
                chain = waiting.popleft()
                children[_Child(next_stage(chain))] = chain
            for child in [c for c in children if c.poll() is not None]:
                chain = children.pop(child)
                _check(child)
                if next_stage(chain):
                    waiting.appendleft(chain)
                else:
                    on_finished()
            show("; ".join(child.stage.label for child in children))
            time.sleep(_POLL_SECONDS)


def read_usage(path: str | pathlib.Path) -> dict[str, float | None]:
    """Reads the time that a stage has used.

    Args:
      path: the file that `Stage.usage` names.

    Returns:
      "cpu_seconds" and "wall_seconds" over all attempts; None where one is unknown
      because this process was killed before the child ended.
    """
    attempts = _read_attempts(path)
    return {
        key: sum(one[key] for one in attempts)
        if attempts and all(one[key] is not None for one in attempts)
        else None
        for key in _USED
    }


def _read_attempts(path):
    try:
        return json.loads(pathlib.Path(path).read_text())["attempts"]
    except (OSError, ValueError, KeyError):
        return []


class _Child:
    """A running process."""

    def __init__(self, stage: Stage):
        """Starts it, in a session of its own: Ctrl-C only reaches the parent."""
        self.stage = stage
        stage.log.parent.mkdir(parents=True, exist_ok=True)
        self._attempts = _read_attempts(stage.usage)
        self._record(dict.fromkeys((*_USED, "exit_code")))
        self._start = time.monotonic()
        with stage.log.open("ab") as log:
            self._process = subprocess.Popen(
                stage.command,
                # Held open: when it closes, the child knows that the parent has ended.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def poll(self) -> int | None:
        """Returns the exit code, or None while it runs; records what it has used."""
        if self._process.returncode is not None:
            return self._process.returncode
        try:
            pid, status, usage = os.wait4(self._process.pid, os.WNOHANG)
        except ChildProcessError:  # A signal came between its end and the record.
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
        self._record(attempt)
        return code

    def _record(self, attempt: dict) -> None:
        """Writes the previous attempts and this one."""
        text = json.dumps({"attempts": [*self._attempts, attempt]}, indent=1)
        atomic.write_text(self.stage.usage, text + "\n")

    def terminate(self) -> None:
        """Asks it to save its state and end."""
        if self.poll() is None:
            self._process.terminate()

    def kill(self) -> None:
        """Ends it."""
        if self.poll() is None:
            self._process.kill()
            while self.poll() is None:
                time.sleep(_POLL_SECONDS)


def _check(child):
    """Raises unless a child has ended successfully."""
    code, stage = child.poll(), child.stage
    if code == 0 and stage.is_done():
        return
    lines = stage.log.read_text(errors="replace").replace("\r", "\n").splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    what = f"failed with exit code {code}" if code else "stopped before its end"
    raise InputError(
        f"{stage.label} {what}; the last line of its log: {last[-200:]!r}; see "
        f"{stage.log}, correct it and run the same command again: what is done is kept"
    )


@contextlib.contextmanager
def _ended(children) -> Iterator[None]:
    """Ends the children that are left when the block is left."""
    try:
        yield
    finally:
        for child in children:
            child.terminate()
        if any(child.poll() is None for child in children):
            tqdm.write("waiting for the running trainings to save their state")
        until = time.monotonic() + _GRACE_SECONDS
        try:
            while any(c.poll() is None for c in children) and time.monotonic() < until:
                time.sleep(_POLL_SECONDS)
        finally:  # A second Ctrl-C, or the time is over.
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


@contextlib.contextmanager
def _progress(chains) -> Iterator[Callable[[str], None]]:
    """Shows one bar over all chains, with the time that is left.

    Yields:
      A function to call often with the names of what is running; it moves the bar only
      now and then. Nothing is shown if nothing is left to do.
    """

    def show(running):
        nonlocal shown
        if time.monotonic() - shown >= pause or not running:
            shown, bar.n = time.monotonic(), sum(map(share_done, chains))
            bar.set_postfix_str(running)

    pause = _SHOW_SECONDS if sys.stderr.isatty() else _LOG_SECONDS
    start, shown = sum(map(share_done, chains)), 0.0
    bar = tqdm(
        total=len(chains),
        initial=start,
        desc="experiment",
        smoothing=0,  # Stages differ in speed: only the mean predicts.
        bar_format="{desc} {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining}{postfix}",
        disable=start >= len(chains),
    )
    with bar:
        try:
            yield show
        finally:
            show("")
