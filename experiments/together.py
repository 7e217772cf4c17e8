"""Several networks trained side by side on the same batches, which are loaded once."""

import contextlib
import pathlib
import queue
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from experiments import settings
from jaxtrack.data.batch import Batch
from jaxtrack.data.iterator import PairIterator
from jaxtrack.errors import InputError
from jaxtrack.ops.grid import Geometry
from jaxtrack.training import loop

_AHEAD = 2  # Batches that a training may be ahead of the slowest.
_POLL = 0.2  # Seconds between two looks at whether the work is over.


class Training(NamedTuple):
    """A network to train.

    Attributes:
      config: its settings.
      workdir: of the training.
    """

    config: ConfigDict
    workdir: pathlib.Path


def train(trainings: Sequence[Training]) -> None:
    """Trains networks side by side, or resumes them; each as if it were alone.

    Each training has a thread with the ordinary loop; the batches of one loader go to
    all. Resumed at different steps, those ahead wait for the others. SIGTERM and Ctrl-C
    end all of them; they resume at their last checkpoints.

    Args:
      trainings: of settings that draw the same batches.

    Raises:
      InputError: they do not, or a training fails, after the others have ended.
    """
    settings.check_same_batches([one.config for one in trainings])
    shared = SharedLoader(len(trainings))
    with contextlib.ExitStack() as stack:
        for number in (signal.SIGTERM, signal.SIGINT):
            old = signal.signal(number, lambda *_: shared.stop())
            stack.callback(signal.signal, number, old)
        pool = stack.enter_context(futures.ThreadPoolExecutor(len(trainings)))
        work = [
            pool.submit(_train, one, shared, number)
            for number, one in enumerate(trainings)
        ]
        while futures.wait(work, timeout=_POLL).not_done:
            pass  # Python handles signals between two waits.
        faults = [one.exception() for one in futures.wait(work).done]
    if shared.is_stopped:
        raise KeyboardInterrupt
    for fault in faults:
        if fault is not None:
            raise fault


def _train(one, shared, number):
    """Trains one network on the shared batches."""

    def open_loader(config: ConfigDict, geometry: Geometry) -> View:
        return shared.open(number, lambda: loop.open_loader(config, geometry), geometry)

    try:
        loop.train(one.config, one.workdir, loader_of=open_loader)
    finally:
        shared.leave(number)


class SharedLoader:
    """Gives the batches of one loader to several trainings.

    Attributes:
      is_stopped: whether a signal has ended all.
    """

    def __init__(self, count: int):
        """Waits for `count` trainings, or for the end of those that have no work."""
        self.is_stopped = False
        self._lock = threading.Condition()
        self._views: dict[int, View | None] = dict.fromkeys(range(count))
        self._gone: set[int] = set()
        self._loader: PairIterator | None = None
        self._sizes: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def open(
        self, number: int, make: Callable[[], PairIterator], geometry: Geometry
    ) -> "View":
        """Opens the loader, if this is the first training, and a view of it.

        Args:
          number: of the training.
          make: opens the loader.
          geometry: of the network.

        Raises:
          InputError: another training has other crops.
        """
        sizes = geometry.template_size, geometry.search_size
        with self._lock:
            if self._loader is None:
                self._loader, self._sizes = make(), sizes
            if sizes != self._sizes:
                raise InputError(
                    f"--together: one network takes crops of {self._sizes} px, another "
                    f"of {sizes}; leave --together out"
                )
            self._views[number] = View(self, number, self._loader)
            return self._views[number]

    def begin(self, number: int) -> None:
        """Begins once every training asks for its first batch, or is over."""
        with self._lock:
            self._views[number].is_ready = True
            self._begin()

    def leave(self, number: int) -> None:
        """Lets the others go on without a training."""
        with self._lock:
            self._gone.add(number)
            self._begin()
            if len(self._gone) == len(self._views) and self._loader is not None:
                self._loader.close()

    def stop(self) -> None:
        """Ends all trainings at their next batch."""
        self.is_stopped = True

    def _begin(self):
        """Starts reading if nobody is waited for."""
        waits = [n for n in self._views if n not in self._gone]
        ready = [self._views[n] for n in waits if self._views[n] is not None]
        is_ready = len(ready) == len(waits) and all(view.is_ready for view in ready)
        if waits and is_ready and not self._thread.ident:
            first = min(ready, key=lambda view: view.position)
            self._loader.set_state(first.get_state())
            self._thread.start()

    def _run(self):
        """Reads batches and gives each to the trainings that have not had it."""
        try:
            while len(self._gone) < len(self._views):
                batch = next(self._loader)
                position = self._loader.get_state()["position"]
                for number, view in self._views.items():
                    if view is not None and position > view.position:
                        self._put(number, view, (batch, position))
        except BaseException as fault:  # The trainings raise it.
            for number, view in self._views.items():
                if view is not None:
                    self._put(number, view, fault)

    def _put(self, number, view, item):
        """Waits for room in a training's queue, unless it is over."""
        while number not in self._gone:
            with contextlib.suppress(queue.Full):
                return view.batches.put(item, timeout=_POLL)


class View:
    """A training's view of the shared loader: an iterator of batches.

    Attributes:
      contents: see `PairIterator`.
      position: batches taken.
      batches: those that are ready, each with the position after it.
      is_ready: whether the training has asked for its first batch.
    """

    def __init__(self, shared: SharedLoader, number: int, loader: PairIterator):
        """Starts where the loader is."""
        self.contents, self.is_ready = loader.contents, False
        self._shared, self._number, self._state = shared, number, loader.get_state()
        self.position = self._state["position"]
        self.batches: queue.Queue[Any] = queue.Queue(_AHEAD)

    def __iter__(self):
        """Returns itself."""
        return self

    def __next__(self) -> Batch:
        """Returns the next batch.

        Raises:
          InputError: all is to stop, or the loader failed.
        """
        if not self.is_ready:
            self._shared.begin(self._number)
        while not self._shared.is_stopped:
            with contextlib.suppress(queue.Empty):
                item = self.batches.get(timeout=_POLL)
                if isinstance(item, BaseException):
                    raise item
                batch, self.position = item
                return batch
        raise InputError("stopped by a signal")

    def get_state(self) -> dict[str, int]:
        """Returns the position after the last batch taken."""
        return self._state | {"position": self.position}

    def set_state(self, state: dict[str, int]) -> None:
        """Goes on where a run stopped; see `PairIterator.set_state`."""
        self.position, self._state = int(state["position"]), dict(state)

    def close(self) -> None:
        """Ends this training's view."""
        self._shared.leave(self._number)
