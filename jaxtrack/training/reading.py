"""Chooses the checkpoint to read: the newest of a run that is not damaged."""

import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import orbax.checkpoint as ocp

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.training.saved_step import DamagedError, SavedStep
from jaxtrack.weights.bundle import Bundle

FOLDER = "checkpoints"  # Of a workdir.
T = TypeVar("T")
Read = Callable[[pathlib.Path], T]


def read_for_inference(path: str | pathlib.Path) -> Bundle:
    """Reads the trained network of a run; see `jaxtrack.training.inference`.

    Args:
      path: a run's workdir (its newest checkpoint that is not damaged is taken), its
        folder `checkpoints`, or one step's folder in there.

    Returns:
      All of the run's settings, its variables and the step.

    Raises:
      InputError: if there is no checkpoint, all are damaged, or its settings lack a
        field.
    """
    path = pathlib.Path(path).absolute()
    if (path / FOLDER).is_dir():
        path = path / FOLDER
    if path.name.isdigit():
        return _read_network(path)
    steps = ocp.utils.checkpoint_steps(path)
    if not steps:
        raise InputError(
            f"no whole checkpoint in {path}: name the workdir of a training that has "
            "saved one"
        )
    paths = [path / str(step) for step in sorted(steps, reverse=True)]
    return newest(paths, _read_network)[1]


def newest(paths: Sequence[pathlib.Path], read: Read[T]) -> tuple[int, T]:
    """Reads the first checkpoint that is not damaged, and says which ones are.

    Args:
      paths: folders of steps, the newest first.
      read: raises `DamagedError` for one that is damaged.

    Returns:
      Its step, and what was read.

    Raises:
      InputError: all are damaged.
    """
    faults = []
    for path in paths:
        try:
            found = read(path)
        except DamagedError as fault:
            faults.append(fault)
            continue
        if faults:
            print(f"{faults[0]}: going back to {path}", file=sys.stderr, flush=True)
        return int(path.name), found
    raise InputError(
        f"{faults[0]}, and no older one is whole: restore it from a copy, or remove "
        f"{paths[0].parent} to begin again"
    )


def _read_network(path):
    """Reads network (numpy arrays), settings and provenance of one step's folder."""
    saved = SavedStep(path)
    network = saved.arrays("network")
    params = network["params"] if network.get("ema") is None else network["ema"]
    variables = {"params": params, "batch_stats": network.get("batch_stats") or {}}
    provenance = saved.json("provenance") if saved.has("provenance") else {}
    config = config_lib.from_saved(saved.json("config"), source=str(path))
    return Bundle(config, variables, int(path.name), provenance)
