"""Available memory, and the part that a process may use for pictures."""

import contextlib
import os
import pathlib


def machine_bytes() -> int:
    """Returns the memory of the machine, or of its container if that has a limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # No cgroup, or "max".
        return min(total, int(pathlib.Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def number_kept(size: float, share: float) -> int:
    """Returns how many items a process may cache, assuming one process per core.

    Args:
      size: of one item, bytes.
      share: fraction of the memory for the items of all processes.
    """
    return max(int(share * machine_bytes() / (os.cpu_count() or 1) / size), 100)
