"""Scalars of a training run: JSON lines, TensorBoard, Weights & Biases."""

import contextlib
import importlib.util
import json
import pathlib
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from jaxtrack.errors import InputError, require

TITLES = {"tensorboard": "TensorBoard", "wandb": "Weights & Biases"}
_PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb"}
_PROJECT = "jaxtrack"


class Logger(Protocol):
    """Receives scalars besides log.jsonl."""

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Adds the scalars of one step."""

    def close(self) -> None:
        """Flushes and closes it."""


class ScalarLog:
    """Writes scalars to `log.jsonl` and to loggers.

    Lines of steps after `first_step` are dropped from an older `log.jsonl`: a resumed
    run writes them again.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        *,
        first_step: int = 0,
        loggers: tuple[str, ...] = ("tensorboard",),
        settings: Mapping[str, Any] = MappingProxyType({}),
    ):
        """Opens the files; makes the folder.

        Args:
          folder: the workdir.
          first_step: steps done before this run.
          loggers: names in `TITLES`; TensorBoard is skipped if it is not installed.
          settings: of the run, shown by Weights & Biases.

        Raises:
          InputError: if another logger is not installed.
        """
        check(loggers)
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "log.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        kept = [line for line in lines if _step(line) <= first_step]
        draft = path.with_suffix(".tmp")
        draft.write_text("".join(line + "\n" for line in kept))
        draft.replace(path)
        self._loggers: list[Logger] = []
        with contextlib.ExitStack() as stack:
            self._file = stack.enter_context(path.open("a", buffering=1))
            if "tensorboard" in loggers and is_installed("tensorboard"):
                self._loggers.append(_TensorBoard(folder, first_step))
            if "wandb" in loggers:
                self._loggers.append(_WeightsAndBiases(folder, settings))
            for logger in self._loggers:
                stack.callback(logger.close)
            self._stack = stack.pop_all()

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Adds the scalars of one step."""
        with _named(self._folder):
            self._file.write(json.dumps({"step": step, **scalars}) + "\n")
            for logger in self._loggers:
                logger.write(step, scalars)

    def __enter__(self):
        """Returns itself; the files are open already."""
        return self

    def __exit__(self, *_):
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Flushes and closes the files."""
        with _named(self._folder):
            self._stack.close()


@contextlib.contextmanager
def _named(folder: pathlib.Path) -> Iterator[None]:
    """Adds the folder to errors of writing, which name no file."""
    try:
        yield
    except OSError as fault:
        fault.filename = fault.filename or str(folder)
        raise


def is_installed(logger: str) -> bool:
    """Returns whether the package of a logger is installed.

    Args:
      logger: its name.
    """
    return importlib.util.find_spec(_PACKAGES[logger]) is not None


def check(loggers: tuple[str, ...]) -> None:
    """Raises if a logger is not installed.

    Args:
      loggers: their names; TensorBoard, the default, may be missing.

    Raises:
      InputError: naming the missing package and how to install it.
    """
    for name in loggers:
        if name != "tensorboard":
            require(_PACKAGES[name])


class _TensorBoard:
    """A file for `tensorboard --logdir=WORKDIR`.

    Written in this thread: that of `tensorboardX.SummaryWriter` ends on a full disk,
    and whoever writes to it then waits forever.
    """

    def __init__(self, folder, first_step):
        from tensorboardX import record_writer, summary
        from tensorboardX.proto import event_pb2

        (folder / "tensorboard").mkdir(exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{socket.gethostname()}"
        self._scalar, self._event = summary.scalar, event_pb2.Event
        self._writer = record_writer.RecordWriter(str(folder / "tensorboard" / name))
        self._add(0, file_version="brain.Event:2")
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._add(first_step + 1, session_log=start)  # Hides what an older run wrote.

    def _add(self, step, **content):
        event = self._event(step=step, wall_time=time.time(), **content)
        self._writer.write(event.SerializeToString())

    def write(self, step, scalars):
        for name, value in scalars.items():
            self._add(step, summary=self._scalar(name, value))
        self._writer.flush()

    def close(self):
        self._writer.close()


class _WeightsAndBiases:
    """A run on wandb.ai; with WANDB_MODE=offline only in `WORKDIR/wandb`.

    A resumed training continues the run whose id is in `WORKDIR/wandb_id`.
    """

    def __init__(self, folder, settings):
        import wandb

        path = folder / "wandb_id"
        if not path.exists():
            path.write_text(secrets.token_hex(4))
        try:
            self._run = wandb.init(
                project=_PROJECT,
                name=folder.name,
                dir=str(folder),
                id=path.read_text().strip(),
                resume="allow",
                config=dict(settings),
            )
        except Exception as fault:  # Most often: nobody is logged in.
            why = str(fault).strip().split("\n")[0]
            raise InputError(
                f"config.run.loggers: wandb does not start ({why}): run `wandb login`, "
                "or set WANDB_MODE=offline"
            ) from fault

    def write(self, step, scalars):
        self._run.log(dict(scalars), step=step)

    def close(self):
        self._run.finish()


def _step(line: str) -> float:
    """Returns the step of a line; a line cut short by a crash is never kept."""
    try:
        return json.loads(line)["step"]
    except (json.JSONDecodeError, KeyError):
        return float("inf")
