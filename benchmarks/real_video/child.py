"""One tracker in a process of its own, which reads stdin and answers on stdout.

A line of input is `{"folder": DIR, "limit": N or null}`; a line of output what
`Answer` holds, or `{"error": TEXT}`. `Child` is the parent's side of both.
"""

import argparse
import contextlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from typing import NamedTuple

import cv2

from benchmarks.real_video import trackers
from jaxtrack import cli
from jaxtrack.datasets import folders
from jaxtrack.datasets.pictures import read_image
from jaxtrack.errors import InputError


class Answer(NamedTuple):
    """One tracker on one sequence of N frames.

    Attributes:
      xywh: N boxes; the first is the given one.
      seconds: N; the first is of `init`, the others of `update`.
      first_box_at: `time.time()` when this process had its first tracked box.
      peak_mb: the most memory that the process has held so far, MB.
    """

    xywh: list[list[float]]
    seconds: list[float]
    first_box_at: float
    peak_mb: float


class Child:
    """A running process with one tracker."""

    def __init__(self, spec: trackers.Spec, cache: pathlib.Path):
        """Starts it.

        Args:
          spec: the tracker.
          cache: folder of XLA's compilations.
        """
        self.spec = spec
        self.started_at = time.time()
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.real_video.child", json.dumps(spec)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=os.environ | _cache_variables(cache),
        )

    def track(self, folder: pathlib.Path, *, limit: int | None = None) -> Answer:
        """Tracks a sequence.

        Args:
          folder: of the sequence.
          limit: frames to read; None reads all.

        Raises:
          InputError: the tracker cannot be loaded or fails on this sequence.
        """
        question = json.dumps({"folder": str(folder), "limit": limit})
        try:
            print(question, file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        reply = json.loads(line) if line else {"error": self._last_words()}
        if "error" in reply:
            raise InputError(f"{self.spec.name}, {folder.name}: {reply['error']}")
        return Answer(**reply)

    def close(self) -> None:
        """Ends it; may be called twice."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
        self._errors.close()

    def _last_words(self) -> str:
        """The last line that the process wrote to stderr."""
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines() or ["no message"]
        return f"the process ended: {lines[-1].removeprefix('error: ')}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the one argument."""
    parser.add_argument("spec", metavar="JSON", help="a `trackers.Spec`")


def run(args: argparse.Namespace) -> None:
    """Answers until stdin ends."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # Libraries may print.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    tracker = trackers.open_tracker(trackers.Spec(*json.loads(args.spec)))
    first_box_at = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            folder = pathlib.Path(question["folder"])
            reply, at = track(tracker, folder, limit=question["limit"])
            first_box_at = first_box_at or at
            reply |= {"first_box_at": first_box_at, "peak_mb": peak_mb()}
        except (InputError, cv2.error) as fault:
            reply = {"error": " ".join(str(fault).split())}
        print(json.dumps(reply), file=replies, flush=True)


def track(
    tracker: trackers.Tracker, folder: pathlib.Path, *, limit: int | None
) -> tuple[Mapping[str, list], float]:
    """Tracks a sequence; decoding is not timed.

    Args:
      tracker: loaded.
      folder: of the sequence.
      limit: frames to read; None reads all.

    Returns:
      `xywh` and `seconds` as `Answer` has them; when the first box was tracked.

    Raises:
      InputError: a frame cannot be read.
    """
    video = folders.read_sequence(folder, allow_absent=True)
    xywh, seconds, first_box_at = [], [], 0.0
    for number, path in enumerate(video.frames[:limit]):
        image = read_image(path)
        if tracker.is_bgr:
            image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        begin = time.perf_counter()
        if number == 0:
            box = video.truth[0]
            tracker.init(image, box)
        else:
            box = tracker.update(image)
        seconds.append(time.perf_counter() - begin)
        xywh.append([float(value) for value in box])
        if number == 1:
            first_box_at = time.time()
    return {"xywh": xywh, "seconds": seconds}, first_box_at


def peak_mb() -> float:
    """Returns the most memory that this process has held, MB.

    `ru_maxrss` begins, on Linux, with what the parent held when it forked.
    """
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _cache_variables(cache: pathlib.Path) -> dict[str, str]:
    """Variables that make JAX keep every compilation in a folder."""
    return {
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="real_video.child")
