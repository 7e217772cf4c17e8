"""Times several runs in turn, so that a busy machine affects all equally."""

import statistics
import time
from collections.abc import Callable, Mapping

from tqdm import tqdm


def timed(
    runs: Mapping[str, tuple[Callable[[], object], int]], rounds: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Returns medians over rounds in which everything runs once.

    Args:
      runs: name -> what to time, and how many frames or steps it does.
      rounds: how often.

    Returns:
      Seconds a frame or step by the clock, and of the processors, by name.
    """
    walls, cores = ({name: [] for name in runs} for _ in range(2))
    for _ in tqdm(range(rounds), unit="round", leave=False):
        for name, (run, count) in runs.items():
            wall, core = time.perf_counter(), time.process_time()
            run()
            walls[name].append((time.perf_counter() - wall) / count)
            cores[name].append((time.process_time() - core) / count)
    return tuple(
        {name: statistics.median(times) for name, times in seconds.items()}
        for seconds in (walls, cores)
    )
