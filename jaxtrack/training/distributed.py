"""Several processes that train one network: how they start, and end if one is lost.

Every process writes a beat into the workdir, which all must see anyway, and reads those
of the others. A process whose beat stands still was lost: the others, which may hang in
a sum over all devices, say which and end. The next start resumes. Without process 0,
which runs jax's coordination service, jax aborts the others within seconds; they are
connected to that service's port, and say so before.
"""

import contextlib
import json
import multiprocessing
import os
import pathlib
import socket
import sys
import threading
import time
from collections.abc import Callable

import jax

from jaxtrack.errors import InputError

FOLDER = "processes"
BEAT, PATIENCE = 2.0, 40.0  # Seconds between two beats; without one until it is lost.
_SIZE = 512  # Bytes of a file: overwritten in place, it needs no room on a full disk.
_CONNECTED = 180  # Seconds in which all processes must have started.
_MET = 3600  # Seconds in which all must have prepared; the watch finds lost ones.
_GRACE = 3.0  # Seconds in which the others disconnect.
_LOST = 1  # The exit status of those that end because another one was lost.


def initialize(
    coordinator: str = "", *, num_processes: int = 0, process_id: int = -1
) -> None:
    """Connects this process to the others that train the same network.

    Args:
      coordinator: "host:port" of the first process; "" asks Slurm, Open MPI or the TPU.
      num_processes: how many there are.
      process_id: the number of this one, from 0.

    Raises:
      InputError: it is called in a worker process, something is missing, or the others
        do not answer.
    """
    if multiprocessing.parent_process() is not None:
        raise InputError(
            "a worker process ran the main script again: put all that the script does "
            'below `if __name__ == "__main__":`'
        )
    given = {}
    if coordinator:
        if not 0 <= process_id < num_processes:
            raise InputError(
                f"process {process_id} of {num_processes}: number them from 0, each "
                "once, and tell all how many there are"
            )
        if not coordinator.rpartition(":")[2].isdigit() or ":" not in coordinator:
            raise InputError(f"coordinator {coordinator!r}: write host:port")
        given = {"coordinator_address": coordinator, "num_processes": num_processes}
        given["process_id"] = process_id
    # Else jax aborts the process before it can be said which other one was lost.
    with contextlib.suppress(AttributeError):
        jax.config.update("jax_enable_recoverability", True)
    try:
        jax.distributed.initialize(
            **given, initialization_timeout=_CONNECTED, shutdown_timeout_seconds=20
        )
    except (RuntimeError, ValueError) as fault:
        reason = str(fault).strip().split("\n")[0]
        raise InputError(
            f"the processes cannot connect ({reason}): name the first one's host and "
            "port, how many there are and which this is, the same in all"
        ) from fault


def coordinator() -> str:
    """Returns "host:port" of the coordination service; "" where jax does not tell."""
    try:  # Slurm and the like told jax, which has no public name for it.
        from jax._src.distributed import global_state

        return global_state.coordinator_address or ""
    except (ImportError, AttributeError):
        return ""


def meet(name: str, *, seconds: float = _MET) -> None:
    """Waits until all processes are here.

    Their first sum over devices must begin within 30 s of each other (Gloo's limit):
    on busy machines they come further apart, since one may have more to prepare.

    Args:
      name: of the place.
      seconds: how long to wait.

    Raises:
      RuntimeError: a process did not come.
    """
    if jax.process_count() > 1:
        from orbax.checkpoint import multihost  # Late: it takes seconds.

        wait = multihost.get_barrier_sync_fn()
        wait(key=f"jaxtrack_{name}", timeout_ms=int(1000 * seconds))


def leave() -> None:
    """Ends the connection of a process whose work is done; that of process 0 last.

    The others are connected to process 0: jax aborts one that is not yet disconnected
    when it ends.
    """
    with contextlib.suppress(RuntimeError):  # One was lost: the work is done anyway.
        meet("the end", seconds=PATIENCE)
    if jax.process_index() == 0:
        time.sleep(_GRACE)
    jax.distributed.shutdown()


class Watch:
    """Ends this process when another one of the training is lost; see the module."""

    def __init__(
        self,
        workdir: pathlib.Path,
        *,
        number: int,
        count: int,
        coordinator: str = "",
        beat: float = BEAT,
        patience: float = PATIENCE,
        end: Callable[[int], None] = os._exit,
    ):
        """Makes the watch, not yet begun.

        Args:
          workdir: of the run, which all processes see.
          number: of this process, from 0.
          count: of processes; with 1 nothing is watched.
          coordinator: "host:port" that process 0 listens at; "" watches its beat only.
          beat: seconds between two beats.
          patience: seconds without a beat after which a process is lost.
          end: ends this process with an exit status.
        """
        self._folder, self._number, self._count = workdir / FOLDER, number, count
        self._beat, self._patience, self._end = beat, patience, end
        self._stop, self._telling = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._coordinator = coordinator
        self._beats = 0
        # Number of another process -> what its file held, and when that changed.
        self._read: dict[int, tuple[dict | None, float]] = {}
        self._is_seen: set[int] = set()

    def __enter__(self):
        """Begins."""
        if self._count > 1:
            with contextlib.suppress(OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
            self._write()  # In place of what an earlier run left.
            self._thread.start()
            if self._coordinator and self._number:
                threading.Thread(target=self._stay_connected, daemon=True).start()
        return self

    def __exit__(self, kind, fault, trace):
        """Tells the other processes that this one ends, and why.

        Where a process is lost, sums over all devices may fail at once: it is waited
        for what the watch finds.
        """
        del kind, trace
        if self._count < 2:
            return
        told = isinstance(fault, InputError | KeyboardInterrupt | SystemExit)
        if fault is not None and not told:
            self._thread.join(self._patience + 2 * self._beat)
        self._stop.set()
        self._thread.join()
        if fault is None:
            self._write(ended="done")
        else:
            reason = " ".join(f"{type(fault).__name__}: {fault}".split())
            reason = reason.encode("ascii", "replace").decode()[: _SIZE // 3]
            self._write(ended="failed", reason=reason)

    def _run(self):
        """Beats and listens until told to stop."""
        start = time.monotonic()
        while not self._stop.wait(self._beat):
            self._beats += 1
            self._write()
            for other in range(self._count):
                if other == self._number:
                    continue
                if lost := self._lost(other, start):
                    self._end_without(other, lost)
                    return

    def _stay_connected(self):
        """Stays connected to process 0, whose port is closed once it has ended."""
        host, _, port = self._coordinator.rpartition(":")
        while not self._stop.is_set():
            try:
                address = host.strip("[]"), int(port)
                with socket.create_connection(address, self._beat) as connection:
                    self._hear(connection)
            except ConnectionRefusedError:
                break
            except OSError:  # Out of reach: its beat tells whether it was lost.
                self._stop.wait(self._beat)
        found = self._found(0) or {}
        if not self._stop.is_set() and found.get("ended") != "done":
            self._end_without(0, _how(found))

    def _hear(self, connection):
        """Waits until the other side closes a connection; ignores what it sends."""
        while not self._stop.is_set():
            try:
                if not connection.recv(4096):
                    return
            except TimeoutError:
                continue
            except ConnectionError:
                return

    def _end_without(self, other, lost):
        """Reports which process was lost, and ends this one."""
        with self._telling:
            if self._stop.is_set():
                return
            self._stop.set()
        print(
            f"process {other} of {self._count} {lost}: process {self._number} ends "
            "too; start all of them again, and the training resumes at its last "
            "checkpoint",
            file=sys.stderr,
            flush=True,
        )
        sys.stdout.flush()
        self._end(_LOST)

    def _lost(self, other, start):
        """Describes how another process was lost; "" if it was not."""
        now, found = time.monotonic(), self._found(other)
        if other not in self._read:
            self._read[other] = found, start  # What an earlier run left, perhaps.
        before, changed = self._read[other]
        if found is not None and found != before:
            self._read[other] = found, now
            self._is_seen.add(other)
            return _how(found) if found.get("ended") == "failed" else ""
        if other in self._is_seen and found and found.get("ended"):
            return ""
        if now - changed <= self._patience:
            return ""
        if other not in self._is_seen:
            return f"was not heard of within {self._patience:.0f} s"
        return f"{_how(before)} {now - changed:.0f} s ago"

    def _found(self, other):
        """Reads what a process wrote last; None if there is nothing."""
        try:
            return json.loads((self._folder / str(other)).read_bytes())
        except (OSError, ValueError):
            return None

    def _write(self, **more: str):
        """Writes this process's beat."""
        told = {"pid": os.getpid(), "host": socket.gethostname(), "beat": self._beats}
        text = json.dumps(told | more)
        with contextlib.suppress(OSError):
            path = self._folder / str(self._number)
            with open(path, "r+b" if path.exists() else "wb", buffering=0) as file:
                file.write(text[:_SIZE].encode().ljust(_SIZE))


def _how(told):
    """Describes where a process ran and how it ended."""
    place = f"(pid {told.get('pid')} on {told.get('host')})"
    if told.get("ended") == "failed":
        return f"{place} failed ({told.get('reason')})"
    return f"{place} was lost"
