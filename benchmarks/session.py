"""Time of `Session.update`, by size of the search crop and against another checkout.

Run: python -m benchmarks.session
Against an older state of the package, in the same run:
  git worktree add ../before 03be5a3
  python -m benchmarks.session --against=../before
Images are 640 x 480 and in memory. Variants alternate, each in a process of its own,
and every round is compared with the first variant in it: on a shared machine only
ratios are meaningful. "CPU" is CPU time, which other programs affect less.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from absl import app, flags

_SOURCE = flags.DEFINE_string("source", "lite", "What jaxtrack.load takes.")
_AGAINST = flags.DEFINE_string("against", "", "A checkout of jaxtrack to compare with.")
_SIZES = flags.DEFINE_list(
    "search_sizes", ["256", "224", "208", "192"], "Search crops, pixels."
)
_TURNS = flags.DEFINE_integer("turns", 100, "Turns of each checkout.")
_UPDATES = flags.DEFINE_integer("updates", 3, "Updates per turn; one more warms up.")
_WORKER = flags.DEFINE_integer("worker", -1, "Set by this script: search crop, pixels.")
ROOT = pathlib.Path(__file__).resolve().parents[1]


def main(argv: list[str]) -> None:
    """Times all variants in turn and prints their ratios, or is one of them."""
    del argv
    if _WORKER.value >= 0:
        serve(_WORKER.value)
        return
    ways = {f"{size} px": (ROOT, int(size)) for size in _SIZES.value}
    if _AGAINST.value:
        before = pathlib.Path(_AGAINST.value).resolve()
        ways = {f"{before.name}, as it is": (before, 0), **ways}
    workers = {name: _start(*way) for name, way in ways.items()}
    times = {name: [] for name in workers}
    for name, worker in workers.items():
        print(f"{name}: {worker.stdout.readline().strip()}")
    for turn in range(_TURNS.value):
        for name in list(workers)[:: 1 if turn % 2 else -1]:
            print(_UPDATES.value, file=workers[name].stdin, flush=True)
            times[name].append(json.loads(workers[name].stdout.readline()))
    for worker in workers.values():
        worker.stdin.close()
        worker.wait()
    print("\n".join(table({name: np.array(turns) for name, turns in times.items()})))


def table(times: dict[str, np.ndarray]) -> list[str]:
    """Returns the lines of the table.

    Args:
      times: way -> `[turns, 2]`, milliseconds an update by the clock and of the CPU.
    """
    first, *_ = times.values()
    lines = [f"{'':24}{'ms':>8}{'CPU ms':>8}   of the first's ms, CPU ms [quartiles]"]
    for name, turns in times.items():
        wall, cores = np.median(turns, 0)
        ratios = np.quantile(turns / first, (0.5, 0.25, 0.75), axis=0).T
        shown = ", ".join("{:.2f} [{:.2f}, {:.2f}]".format(*r) for r in ratios)
        lines.append(f"{name:24}{wall:8.2f}{cores:8.2f}   {shown}")
    return lines


def serve(search_size: int) -> None:
    """Answers each number of updates on stdin by milliseconds an update, as JSON.

    Args:
      search_size: side of the search crop, pixels; 0 leaves it to the checkpoint.
    """
    import jaxtrack  # Of the checkout that PYTHONPATH names.

    session = _load(_SOURCE.value, search_size)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, 480, 640, 3), dtype=np.uint8)
    session.init(images[0], (270.0, 160.0, 60.0, 80.0))
    session.update(images[1])
    print(jaxtrack.__file__, flush=True)
    for line in sys.stdin:
        session.update(images[0])  # Others have used the caches meanwhile.
        wall, cores = time.perf_counter(), time.process_time()
        for number in range(int(line)):
            session.update(images[number % len(images)])
        spent = (time.perf_counter() - wall, time.process_time() - cores)
        print(json.dumps([1000 * s / int(line) for s in spent]), flush=True)


def _load(source, search_size):
    """Opens a session; `jaxtrack.load` has no search size to choose."""
    import jaxtrack
    from jaxtrack import session, trackers
    from jaxtrack.training.inference import load_for_inference

    if not search_size:
        return jaxtrack.load(source)
    saved = load_for_inference(source)
    config = saved.config
    config.tracking.search_size = search_size
    variables = trackers.folded(config, saved.variables)
    return session.Session(trackers.tracker_of(config), variables)


def _start(checkout, search_size):
    """Starts a process in which this script serves with the package of a checkout."""
    command = [sys.executable, __file__, f"--worker={search_size}"]
    return subprocess.Popen(
        [*command, f"--source={_SOURCE.value}"],
        env=os.environ | {"PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


if __name__ == "__main__":
    app.run(main)
