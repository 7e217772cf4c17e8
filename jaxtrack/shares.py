"""Work that several processes share: which of it each one does."""

import heapq
import os
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from jaxtrack.errors import InputError

# Of Slurm's srun and Open MPI's mpirun: this process's number, and how many there are.
_VARIABLES = (
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
)


# File systems and options of mounts whose locks the kernel grants on its own: FUSE and
# virtiofs unless their server takes part, NFS, Lustre and SMB if they are asked to.
_LOCAL_KINDS = ("fuse", "virtiofs", "9p")
_LOCAL_OPTIONS = ("nolock", "local_lock=flock", "local_lock=all", "localflock", "nobrl")


class Share(NamedTuple):
    """The share of the work that one of several processes does.

    Attributes:
      number: of the share, from 0.
      count: of shares.
    """

    number: int = 0
    count: int = 1

    def __str__(self) -> str:
        """Writes it as `--shard` takes it."""
        return f"{self.number}/{self.count}"

    def of(self, costs: Sequence[int]) -> list[int]:
        """Divides pieces of work so that the shares cost about the same.

        The dearest piece first, each goes to the share that has least so far (Graham,
        1969: at most 4/3 of the best division's largest share).

        Args:
          costs: of the pieces.

        Returns:
          Indices of the pieces in this share, ascending.
        """
        heap, own = [(0, number) for number in range(self.count)], []
        for index in sorted(range(len(costs)), key=lambda i: (-costs[i], i)):
            total, number = heapq.heappop(heap)
            heapq.heappush(heap, (total + costs[index], number))
            if number == self.number:
                own.append(index)
        return sorted(own)


WHOLE = Share()


def of_process(*, is_detected: bool, count: int = 0, number: int = 0) -> Share:
    """The share of this process.

    Args:
      is_detected: asks Slurm or Open MPI for both numbers.
      count: of processes; 0 is 1.
      number: of this process, from 0.

    Raises:
      InputError: the numbers do not fit together, or neither is there to ask.
    """
    if is_detected and not count:
        found = [names for names in _VARIABLES if all(n in os.environ for n in names)]
        if not found:
            raise InputError(
                "--distributed: neither Slurm nor Open MPI started this process; give "
                "--num_processes and --process_id"
            )
        number, count = (int(os.environ[name]) for name in found[0])
    if not 0 <= number < max(count, 1):
        raise InputError(
            f"--process_id={number} of --num_processes={count}: number the processes "
            "from 0, each once, and tell all how many there are"
        )
    return Share(number, max(count, 1))


def warning_of_locks(
    folder: str | os.PathLike, *, mounts: str = "/proc/self/mountinfo"
) -> str:
    """Says that other machines may not see the locks of a folder; "" if they should.

    Processes find out by locks which of them are at work.

    Args:
      folder: that processes share; it need not exist.
      mounts: what is mounted, as Linux tells it (`man 5 proc`).
    """
    place, best = pathlib.Path(folder).resolve(), ("", "", "")
    try:
        lines = pathlib.Path(mounts).read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        own, _, rest = line.partition(" - ")
        point, kind = own.split()[4].replace("\\040", " "), rest.split()[0]
        if place.is_relative_to(point) and len(point) >= len(best[0]):
            best = point, kind, f"{own.split()[5]},{rest.split()[-1]}"
    point, kind, options = best
    found = {*options.split(",")}.intersection(_LOCAL_OPTIONS)
    if not (found or kind.split(".")[0] in _LOCAL_KINDS):
        return ""
    how = ", ".join([kind, *sorted(found)])
    return (
        f"{folder}: other machines may not see locks in {point} ({how}): start all "
        "processes on one machine, or choose another --out"
    )
