"""Durations of compilations, recorded by earlier runs on the same kind of device."""

import contextlib
import hashlib
import json
import pathlib
from typing import NamedTuple

import jax
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.trackers import describe

_FILE = "compile_seconds.json"
# Settings that the compiled step takes as numbers, or does not read at all.
_TRACED = (
    *("optimizer.lr", "optimizer.warmup", "optimizer.schedule", "optimizer.backbone"),
    *("run.num_epochs", "run.minutes", "run.pairs_per_epoch", "run.log_every"),
    *("run.checkpoint_every", "run.keep", "tracking.", "online."),
)
_MOST_CONFIGS = 20  # Kept for each network.


class Expected(NamedTuple):
    """Compile times of earlier runs, in seconds.

    Attributes:
      last: with the same settings; None if they were not compiled before.
      longest: of the same network; None if it was not compiled before.
    """

    last: float | None = None
    longest: float | None = None

    def text(self) -> str:
        """Describes how long it will take."""
        if self.last is not None:
            return f"it took {self.last:.0f} s last time"
        if self.longest is not None:
            return f"about {self.longest:.0f} s"
        return "a minute or more the first time"


class CompileTimes:
    """Compile times of one training, in a file next to the compiled programs.

    A file that cannot be read or written is not an error: nothing is recorded then.
    """

    def __init__(self, config: ConfigDict, folder: str | pathlib.Path):
        """Identifies the training.

        Args:
          config: the settings.
          folder: for the file.
        """
        self._path = pathlib.Path(folder) / _FILE
        devices = jax.devices()
        self._network = (
            f"{describe(config)}, {config.model.dtype}, batch {config.run.batch_size}, "
            f"{len(devices)} x {devices[0].device_kind}"
        )
        read = {
            name: value
            for name, value in config_lib.flat(json.loads(config.to_json())).items()
            if not name.startswith(_TRACED)
        }
        settings = json.dumps(read, sort_keys=True)
        self._config = hashlib.sha256(settings.encode()).hexdigest()[:12]

    def expect(self, phase: str) -> Expected:
        """Looks up how long a compilation took.

        Args:
          phase: name of the compiled step.
        """
        row = self._read().get(f"{self._network}, {phase}", {})
        return Expected(row.get("last", {}).get(self._config), row.get("longest"))

    def learn(self, phase: str, seconds: float) -> None:
        """Records how long a compilation took.

        Args:
          phase: name of the compiled step.
          seconds: its duration.
        """
        rows = self._read()
        row = rows.setdefault(f"{self._network}, {phase}", {})
        last = row.get("last", {})
        last.pop(self._config, None)
        last[self._config] = round(seconds, 1)
        row["last"] = dict([*last.items()][-_MOST_CONFIGS:])
        row["longest"] = round(max(seconds, row.get("longest", 0.0)), 1)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(".tmp")
            draft.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
            draft.replace(self._path)

    def _read(self):
        """Reads the file; one that is missing or damaged counts as empty."""
        rows = None
        with contextlib.suppress(OSError, ValueError):
            rows = json.loads(self._path.read_text(encoding="utf-8"))
        if not isinstance(rows, dict):
            return {}
        return {name: row for name, row in rows.items() if isinstance(row, dict)}
