"""Scalars of a training run: a JSON line a time, and TensorBoard if installed."""

import json
import pathlib
from collections.abc import Mapping

try:
    import tensorboardX
except ImportError:  # An extra: without it, log.jsonl alone is written.
    tensorboardX = None  # noqa: N816


class ScalarLog:
    """Writes scalars to `log.jsonl` and, with tensorboardX, to TensorBoard files.

    Lines of steps after `first_step` are dropped from an older `log.jsonl`: a resumed
    run writes them again.
    """

    def __init__(self, folder: pathlib.Path, *, first_step: int = 0):
        """Opens the files; makes the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "log.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        kept = [line for line in lines if _step(line) <= first_step]
        draft = path.with_suffix(".tmp")
        draft.write_text("".join(line + "\n" for line in kept))
        draft.replace(path)
        self._file = path.open("a", buffering=1)
        self._board = tensorboardX and tensorboardX.SummaryWriter(
            str(folder / "tensorboard"), purge_step=first_step
        )

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Adds the scalars of one step."""
        self._file.write(json.dumps({"step": step, **scalars}) + "\n")
        if self._board is None:
            return
        for name, value in scalars.items():
            self._board.add_scalar(name, value, step)

    def __enter__(self):
        """Returns itself; the files are open already."""
        return self

    def __exit__(self, *_):
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Flushes and closes the files."""
        self._file.close()
        if self._board is not None:
            self._board.close()


def _step(line: str) -> float:
    """Returns the step of a line; a line cut short by a crash is never kept."""
    try:
        return json.loads(line)["step"]
    except (json.JSONDecodeError, KeyError):
        return float("inf")
