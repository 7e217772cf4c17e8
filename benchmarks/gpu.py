"""All figures that need an accelerator, by one command.

Run: make bench-gpu                        (python -m benchmarks.gpu --out=runs/gpu)
     python -m benchmarks.gpu --minutes=10 sections in their order, until time is up
     python -m benchmarks.gpu --tiny       the same in miniature, on any machine
     python -m benchmarks.gpu --summary    the table of what is in `<out>/figures.jsonl`
Each section is a process of its own, which is killed when its time is up. Each figure
is a line of JSON, on standard output and in `<out>/figures.jsonl`, as soon as it is
known; what was compiled stays in `<out>/xla`. A section that fails or takes too long
leaves a line with "error", and the next one begins. The table at the end, also in
`<out>/summary.md`, compares with the figures to beat.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import jax
from absl import app, flags

from benchmarks import gpu_starts, gpu_summary, gpu_tracking, gpu_training
from jaxtrack import cli

_OUT = flags.DEFINE_string("out", "runs/gpu", "Folder of figures and compilations.")
_TINY = flags.DEFINE_bool("tiny", False, "Small networks, few frames, small batches.")
_SECTIONS = flags.DEFINE_list("sections", None, "Which ones; all of them if not given.")
_MINUTES = flags.DEFINE_float("minutes", 0, "For all sections; 0 has no limit.")
_SUMMARY = flags.DEFINE_bool("summary", False, "Only print the table.")
_CHILD = flags.DEFINE_string("child", "", "Set by this script: what to measure here.")

Row = dict[str, object]


class Section(NamedTuple):
    """Something to measure.

    Attributes:
      measure: yields figures; told whether they are to be tiny.
      minutes: at most.
      platforms: of JAX; "" takes what there is.
      cache: folder of compilations in the one for output.
      is_cold: empties the cache first.
    """

    measure: Callable[[bool], Iterator[Row]]
    minutes: float
    platforms: str = ""
    cache: str = "xla"
    is_cold: bool = False


def main(argv: list[str]) -> None:
    """Measures all sections, or is the process of one."""
    del argv
    out = pathlib.Path(_OUT.value)
    if _CHILD.value:
        return _measure(_CHILD.value, out)
    if _SUMMARY.value:
        return print(gpu_summary.table(_rows(out), is_tiny=_TINY.value))
    sections = _SECTIONS.value or list(SECTIONS)
    if unknown := [name for name in sections if name not in SECTIONS]:
        sys.exit(f"--sections: no {unknown[0]}; there are {', '.join(SECTIONS)}")
    out.mkdir(parents=True, exist_ok=True)
    # As after Ctrl-C: the section's process is ended, and the table printed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    first = len(_rows(out))
    try:
        has_failed = _run_all(sections, out)
    finally:
        text = gpu_summary.table(_rows(out)[first:], is_tiny=_TINY.value)
        (out / "summary.md").write_text(text + "\n")
        print(text, flush=True)
    sys.exit(int(has_failed))


def _run_all(sections: Sequence[str], out: pathlib.Path) -> bool:
    """Measures sections until time is up; returns whether one failed."""
    end = time.monotonic() + (60 * _MINUTES.value or float("inf"))
    has_failed = False
    for name in sections:
        # Without an accelerator it is compilations that take long.
        limit = 60 * SECTIONS[name].minutes * (6 if _TINY.value else 1)
        seconds = min(limit, end - time.monotonic())
        if error := _run(name, seconds, out) if seconds > 0 else "no time was left":
            _write(out, name, {"error": error})
            has_failed = True
    return has_failed


def _run(name: str, seconds: float, out: pathlib.Path) -> str:
    """Measures a section in a process of its own; returns how it failed, or ""."""
    section = SECTIONS[name]
    cache = (out / section.cache).resolve()
    if section.is_cold:
        shutil.rmtree(cache, ignore_errors=True)
    environment = os.environ | {
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "STARTED": str(time.time()),
    }
    environment.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.9")
    if section.platforms:
        environment["JAX_PLATFORMS"] = section.platforms
    command = [sys.executable, "-m", "benchmarks.gpu", f"--child={name}"]
    command += [f"--out={out}"] + ["--tiny"] * _TINY.value
    # Its own group: nothing that it has started outlives it, or keeps the GPU's memory.
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        status = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"took more than {seconds:.0f} s"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return f"ended with status {status}" if status else ""


def _measure(name: str, out: pathlib.Path) -> None:
    """Measures a section in this process."""
    section = SECTIONS[name]
    if not (_TINY.value or section.platforms):
        if jax.default_backend() == "cpu":
            sys.exit("JAX sees no accelerator here (`jaxtrack doctor`); see --tiny")
    for row in section.measure(_TINY.value):
        _write(out, name, row)


def _write(out: pathlib.Path, section: str, row: Row) -> None:
    """Prints a figure and appends it to the file."""
    line = json.dumps({"section": section, **row})
    print(line, flush=True)
    with open(out / "figures.jsonl", "a") as file:
        file.write(line + "\n")


def _rows(out: pathlib.Path) -> list[Row]:
    """Reads all figures that were written, but for a line that was torn."""
    rows = []
    with contextlib.suppress(FileNotFoundError):
        for line in (out / "figures.jsonl").read_text().splitlines():
            with contextlib.suppress(ValueError):
                rows.append(json.loads(line))
    return rows


def _portability(is_tiny: bool) -> Iterator[Row]:
    """Writes what this platform computes, to be compared with another's."""
    out = pathlib.Path(_OUT.value) / "portability.npz"
    out.unlink(missing_ok=True)
    words = ["--trackers=lite", "--conditions=highest"] if is_tiny else []
    begin = time.time()
    cli.main(["portability", "run", f"--out={out}", *words])
    yield {"name": "portability run", "seconds": round(time.time() - begin, 1)}
    try:
        cli.main(["portability", "compare", str(out)])
        status = 0
    except SystemExit as ended:
        status = ended.code
    yield {"name": "portability compare", "status": status}


# What is asked first comes first; minutes include those of compilations.
SECTIONS = {
    "tracking": Section(gpu_tracking.measure, 6),
    "training": Section(gpu_training.measure, 7),
    "pytorch": Section(gpu_training.measure_pytorch, 8, platforms="cpu"),
    "first_box_cold": Section(
        gpu_starts.measure_first_box, 3, cache="first_box", is_cold=True
    ),
    "first_box_warm": Section(gpu_starts.measure_first_box, 2, cache="first_box"),
    "first_step_cold": Section(
        gpu_starts.measure_first_step, 4, cache="first_step", is_cold=True
    ),
    "first_step_warm": Section(gpu_starts.measure_first_step, 2, cache="first_step"),
    "switch": Section(gpu_starts.measure_switch, 4),
    "switch_in_thread": Section(gpu_starts.measure_switch_in_thread, 4),
    "portability": Section(_portability, 8),
    "together": Section(gpu_training.measure_together, 6),
    "larger": Section(gpu_training.measure_larger, 8),
}


if __name__ == "__main__":
    app.run(main)
