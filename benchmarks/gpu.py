"""All figures that need an accelerator, by one command.

Run: make bench-gpu                        (python -m benchmarks.gpu --out=runs/gpu)
     python -m benchmarks.gpu --tiny       the same in miniature, on any machine
Sections run one after another, each in a process of its own with a limit on its time.
Each figure is a line of JSON, on standard output and in `<out>/figures.jsonl`, as soon
as it is known; what was compiled stays in `<out>/xla`. A section that fails or takes
too long is a line with "error", and the next one begins.
"""

import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from absl import app, flags

from benchmarks import gpu_tracking, gpu_training

_OUT = flags.DEFINE_string("out", "runs/gpu", "Folder of figures and compilations.")
_TINY = flags.DEFINE_bool("tiny", False, "Small networks, few frames, small batches.")
_SECTIONS = flags.DEFINE_list("sections", None, "Which ones; all of them if not given.")
_CHILD = flags.DEFINE_string("child", "", "Set by this script: what to measure here.")

Row = dict[str, object]


class Section(NamedTuple):
    """Something to measure.

    Attributes:
      measure: yields figures; told whether they are to be tiny.
      minutes: at most.
      platforms: of JAX; "" takes what there is.
    """

    measure: Callable[[bool], Iterator[Row]]
    minutes: float
    platforms: str = ""


def main(argv: list[str]) -> None:
    """Measures all sections, or is the process of one."""
    del argv
    if _CHILD.value:
        for row in CHILDREN[_CHILD.value](_TINY.value):
            print(json.dumps(row), flush=True)
        return
    out = pathlib.Path(_OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    has_failed = False
    with open(out / "figures.jsonl", "a") as file:
        for name in _SECTIONS.value or SECTIONS:
            # Without an accelerator it is compilations that take long.
            minutes = SECTIONS[name].minutes * (3 if _TINY.value else 1)
            for row in _rows(name, 60 * minutes, cache=out / "xla"):
                has_failed |= "error" in row
                line = json.dumps({"section": name, **row})
                print(line, flush=True)
                print(line, file=file, flush=True)
    sys.exit(int(has_failed))


def _rows(child: str, seconds: float, *, cache: pathlib.Path) -> Iterator[Row]:
    """Yields what a process of this script measures, and how it ended if not well."""
    command = [sys.executable, "-m", "benchmarks.gpu", f"--child={child}"]
    command += [f"--out={_OUT.value}"] + ["--tiny"] * _TINY.value
    environment = {
        "JAX_COMPILATION_CACHE_DIR": str(cache.resolve()),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "STARTED": str(time.time()),
    }
    if child in SECTIONS and SECTIONS[child].platforms:
        environment["JAX_PLATFORMS"] = SECTIONS[child].platforms
    process = subprocess.Popen(
        ["timeout", "--signal=KILL", f"{seconds:.0f}", *command],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("{"):
            yield json.loads(line)
    if status := process.wait():
        why = f"took more than {seconds:.0f} s" if status in (124, 137, -9) else status
        yield {"error": f"ended with {why}"}


def _startup(is_tiny: bool) -> Iterator[Row]:
    """Times processes from their start to a first result, with cold and warm caches."""
    del is_tiny
    for child in ("first box", "first step"):
        cache = pathlib.Path(_OUT.value) / "xla_startup" / f"{child}, {time.time():.0f}"
        for kind in ("cold", "warm"):
            for row in _rows(child, 300, cache=cache):
                yield {"name": f"{child}, {kind}", **row}


def _portability(is_tiny: bool) -> Iterator[Row]:
    """Writes what this platform computes, to be compared with another's."""
    out = pathlib.Path(_OUT.value) / "portability.npz"
    command = [sys.executable, "-m", "jaxtrack", "portability", "run", f"--out={out}"]
    if is_tiny:
        command = [*command[:4], "--help"]
    begin = time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    yield {"name": "portability run", "seconds": time.time() - begin, "file": str(out)}


# In the order of what is asked first, with minutes that a compilation may take, too.
SECTIONS = {
    "tracking": Section(gpu_tracking.measure, 6),
    "training": Section(gpu_training.measure, 10),
    "pytorch": Section(gpu_training.measure_pytorch, 8, platforms="cpu"),
    "startup": Section(_startup, 8),
    "switch": Section(gpu_training.measure_switch, 6),
    "portability": Section(_portability, 10),
}
CHILDREN = {name: section.measure for name, section in SECTIONS.items()} | {
    "first box": gpu_tracking.measure_first_box,
    "first step": gpu_training.measure_first_step,
}


if __name__ == "__main__":
    app.run(main)
