"""One step's checkpoint, read from its folder and checked against its digests."""

import pathlib
import sys
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from etils import epath

from jaxtrack import devices
from jaxtrack.errors import InputError
from jaxtrack.weights import digests

_LATE = "Event loop is closed"
DIGESTS = "digests"  # Item: of every other item, by its name.
Tree = Any


class DamagedError(InputError):
    """A checkpoint is not what was saved."""


class SavedStep:
    """The items of one checkpoint; reading compares each with its digest."""

    def __init__(self, path: pathlib.Path):
        """Reads the digests; one that was saved without any is read unchecked.

        Args:
          path: the step's folder, absolute.

        Raises:
          DamagedError: the digests cannot be read.
          InputError: jax has no device.
        """
        devices.check()
        self.path = path
        self._digests: Mapping[str, Any] | None = None
        if not path.is_dir():
            raise DamagedError(f"no checkpoint {path}")
        if (path / DIGESTS).is_dir():
            told = self._read(DIGESTS, ocp.JsonCheckpointHandler())
            if not isinstance(told, dict):
                raise self._damaged(f"{DIGESTS} are none")
            self._digests = told
        else:
            print(f"checkpoint {path} has no digests: unchecked", file=sys.stderr)

    def has(self, item: str) -> bool:
        """Returns whether an item was saved, or is there."""
        return (self.path / item).is_dir() or item in (self._digests or ())

    def json(self, item: str) -> Any:
        """Reads an item of JSON.

        Args:
          item: its name.

        Raises:
          DamagedError: it is not there, or not what was saved.
        """
        found = self._read(item, ocp.JsonCheckpointHandler())
        if self._digests is not None:
            if digests.hash_json(found) != self._digests.get(item):
                raise self._damaged(f"{item} is not what was saved")
        return found

    def arrays(self, item: str, *, like: Tree | None = None) -> Tree:
        """Reads an item of arrays.

        Args:
          item: its name.
          like: arrays of the shapes that it must have; None takes what it has.

        Returns:
          Numpy arrays.

        Raises:
          DamagedError: it is not there, or not what was saved.
          InputError: it has other shapes than `like`.
        """
        try:
            # Not through the checkpointer, which warns of metadata that no one wrote.
            handler = ocp.StandardCheckpointHandler()
            shapes = handler.metadata(epath.Path(self.path / item)).tree
        except Exception as fault:
            raise self._damaged(fault) from fault
        if like is not None and (other := _difference(shapes, like)):
            raise InputError(
                f"checkpoint {self.path} is of another network ({other}): use the "
                "settings it was made with, or another workdir"
            )
        if like is None:
            like = jax.tree.map(lambda m: np.empty(m.shape, m.dtype), shapes)
        found = self._read(item, ocp.StandardCheckpointHandler(), like)
        if self._digests is not None:
            self._compare(item, digests.of_leaves(found))
        return found

    def _compare(self, item, found):
        """Raises if an array is not what was saved; names it."""
        expected = self._digests.get(item)
        if not isinstance(expected, dict):
            raise self._damaged(f"{item} has no digests")
        names = expected.keys() | found.keys()
        if wrong := sorted(n for n in names if expected.get(n) != found.get(n)):
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise self._damaged(f"{item}: {wrong[0]}{more} differs from what was saved")

    def _read(self, item, handler, *target):
        """Reads an item; any error counts as damage."""
        try:
            with ocp.Checkpointer(handler) as reader:
                return reader.restore(self.path / item, *target)
        except Exception as fault:
            hush_late_tasks()
            raise self._damaged(fault) from fault

    def _damaged(self, fault):
        """Writes the message."""
        reason = str(fault).strip().split("\n")[0][:200] or type(fault).__name__
        return DamagedError(f"checkpoint {self.path} is damaged ({reason})")


def _difference(shapes, like):
    """Names the first array that one tree has and the other has not so; or ""."""

    def by_name(tree):
        leaves = jax.tree_util.tree_leaves_with_path(tree)
        return {
            jax.tree_util.keystr(p, simple=True, separator="/"): v.shape
            for p, v in leaves
        }

    saved, own = by_name(shapes), by_name(like)
    for name in sorted(saved.keys() | own.keys()):
        if saved.get(name) != own.get(name):
            told = [str(s.get(name, "absent")) for s in (saved, own)]
            return f"{name} is {told[0]}, not {told[1]}"
    return ""


def hush_late_tasks() -> None:
    """Silences tasks under way that find the event loop of what failed closed.

    Orbax does not wait for them, and each would print a traceback beside the one line
    that says what is wrong.
    """
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    for name in ("excepthook", "unraisablehook"):  # tensorstore uses the first.
        report = getattr(sys, name)
        if getattr(report, "func", None) is not _report_others:
            setattr(sys, name, partial(_report_others, report))


def _report_others(report, *told):
    """Calls a hook of `sys` for all errors but those of late tasks."""
    if not any(_LATE in str(getattr(item, "exc_value", item)) for item in told):
        report(*told)
