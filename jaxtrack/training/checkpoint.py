"""Checkpoints: network, optimizer, position in the data and settings, together."""

import contextlib
import json
import logging
import os
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from jax.experimental import multihost_utils
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.training import reading, saved_step
from jaxtrack.training.saved_step import SavedStep
from jaxtrack.training.state import TrainState
from jaxtrack.weights import digests

_DAMAGED = "damaged"
# A checkpoint of a network that differs in one of these fits no other.
_IDENTITY = (
    *("model.name", "model.backbone", "model.design", "model.correlation"),
    "optimizer.kind",
)
_OS_ERROR = re.compile(r"os_error_code='(\d+)'")  # As tensorstore says it.


class CheckpointStore:
    """The checkpoints of one run; the newest is always kept.

    Writing goes on in the background: call `close` before the process ends.
    """

    def __init__(
        self, workdir: pathlib.Path, *, keep_latest: int = 2, keep_every: int = 0
    ):
        """Opens `workdir/checkpoints`, which is made at the first save.

        Args:
          workdir: folder of the run.
          keep_latest: newest checkpoints kept.
          keep_every: steps whose multiples are kept for good; 0 keeps none.
        """
        policies = ocp.checkpoint_managers
        kept = [policies.LatestN(max(keep_latest, 1))]
        if keep_every:
            kept.append(policies.EveryNSteps(keep_every))
        self.folder = pathlib.Path(workdir).absolute() / reading.FOLDER
        # What Orbax logs or prints with a traceback, it raises too.
        saved_step.hush_late_tasks()
        logging.getLogger("absl").addFilter(_is_not_of_orbax)
        self._manager = ocp.CheckpointManager(
            self.folder,
            options=ocp.CheckpointManagerOptions(
                preservation_policy=policies.AnyPreservationPolicy(kept),
                cleanup_tmp_directories=True,
            ),
        )

    def latest_step(self) -> int | None:
        """Returns the step of the newest whole checkpoint, or None."""
        return self._manager.latest_step()

    def check_room(self, state: TrainState) -> None:
        """Checks, before work starts, that the disk has room for one checkpoint.

        Args:
          state: as it will be saved.

        Raises:
          InputError: there is none.
        """
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(state))
        free = shutil.disk_usage(self.folder).free
        if free < size:
            raise InputError(
                f"{self.folder}: a checkpoint takes {size / 1e6:.0f} MB, and "
                f"{free / 1e6:.0f} MB are free: free space, or choose another workdir"
            )

    def save(
        self,
        state: TrainState,
        data: dict[str, Any],
        config: ConfigDict,
        *,
        provenance: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Saves at the state's step; what is saved already is left alone.

        Args:
          state: on this process's devices.
          data: position of the loader, as JSON can hold it.
          config: the settings.
          provenance: where imported weights come from; see `weights.bundle.Bundle`.

        Raises:
          InputError: this one, or the one before, cannot be written.
        """
        step = int(state.step)
        if step == self._manager.latest_step():
            return
        trees = dict(zip(("network", "optimizer"), _split(state), strict=True))
        texts = {"data": data, "config": json.loads(config.to_json())}
        if provenance:
            texts["provenance"] = dict(provenance)
        content_digests = {
            name: digests.of_leaves(tree) for name, tree in trees.items()
        }
        content_digests |= {
            name: digests.hash_json(text) for name, text in texts.items()
        }
        texts[saved_step.DIGESTS] = content_digests
        items = {n: ocp.args.StandardSave(_global(tree)) for n, tree in trees.items()}
        items |= {name: ocp.args.JsonSave(text) for name, text in texts.items()}
        with self._writing():
            self._manager.save(step, args=ocp.args.Composite(**items))

    def restore(
        self, state: TrainState, config: ConfigDict
    ) -> tuple[TrainState, dict[str, Any]]:
        """Reads the newest checkpoint that is not damaged.

        Those that are damaged are moved to `workdir/damaged`, and a line says so.

        Args:
          state: a state of the same network and optimizer, on any devices.
          config: the settings of the run that resumes.

        Returns:
          The saved state as numpy arrays, and the loader's position.

        Raises:
          InputError: if all checkpoints are damaged, or the newest other one is of
            another network, or of settings that lack a field.
        """
        steps = sorted(self._manager.all_steps(), reverse=True)
        step, found = reading.newest(
            [self.folder / str(step) for step in steps],
            lambda path: _restore(SavedStep(path), state, config),
        )
        self._set_aside([damaged for damaged in steps if damaged > step])
        return found

    def saved_config(self, step: int) -> ConfigDict:
        """Returns the settings that a checkpoint was saved with.

        Args:
          step: of the checkpoint.

        Raises:
          InputError: it is damaged.
        """
        path = self.folder / str(step)
        return config_lib.from_saved(SavedStep(path).json("config"), source=str(path))

    def _set_aside(self, steps):
        """Moves damaged checkpoints away, so that their steps can be saved again."""
        if not steps:
            return
        if jax.process_index() == 0:
            aside = self.folder.with_name(_DAMAGED)
            aside.mkdir(exist_ok=True)
            for step in steps:
                shutil.rmtree(aside / str(step), ignore_errors=True)
                os.replace(self.folder / str(step), aside / str(step))
        if jax.process_count() > 1:
            multihost_utils.sync_global_devices("damaged checkpoints are moved")
        self._manager.reload()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Explains errors of the disk, of this write or of one in the background."""
        try:
            yield
        except (OSError, ValueError) as fault:
            if isinstance(fault, InputError):
                raise
            code = _OS_ERROR.search(str(fault))
            number = int(code[1]) if code else getattr(fault, "errno", None)
            reason = os.strerror(number) if number else str(fault).split("\n")[0]
            kept = self._manager.latest_step()
            resumes = "begins again" if kept is None else f"resumes at step {kept}"
            raise InputError(
                f"{self.folder}: a checkpoint could not be saved ({reason}): free "
                f"space, then run the same command again, which {resumes}"
            ) from fault

    def __enter__(self):
        """Returns itself."""
        return self

    def __exit__(self, *_):
        """Closes it."""
        self.close()

    def wait(self) -> None:
        """Waits for the writing to end.

        Raises:
          InputError: the last checkpoint could not be written.
        """
        with self._writing():
            self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits for the writing to end, and closes what it needed."""
        try:
            self.wait()
        finally:
            with contextlib.suppress(OSError, ValueError):
                self._manager.close()


def _restore(saved, state, config):
    """Reads all of one checkpoint into a state like another."""
    path = saved.path
    stored = config_lib.flat(
        config_lib.from_saved(saved.json("config"), source=str(path))
    )
    own = config_lib.flat(config)
    for name in _IDENTITY:
        if stored[name] != own[name]:
            raise InputError(
                f"{path} was made with config.{name}={stored[name]!r}, "
                f"not {own[name]!r}: use that, or another workdir"
            )
    network, optimizer = jax.tree.map(np.asarray, _split(state))
    network = saved.arrays("network", like=network)
    optimizer = saved.arrays("optimizer", like=optimizer)
    return _join(network, optimizer), saved.json("data")


def _split(state):
    """Returns the network's part, which inference reads alone, and the rest."""
    network = {"params": state.params, "batch_stats": state.batch_stats}
    if state.ema is not None:
        network["ema"] = state.ema
    return network, {"step": state.step, "opt_state": state.opt_state}


def _join(network, optimizer):
    """Undoes `_split`."""
    return TrainState(
        step=optimizer["step"],
        params=network["params"],
        batch_stats=network["batch_stats"],
        opt_state=optimizer["opt_state"],
        ema=network.get("ema"),
    )


def _global(tree):
    """Makes arrays that every process holds whole into what Orbax can save."""
    if jax.process_count() == 1:
        return tree
    return jax.tree.map(
        ocp.utils.fully_replicated_host_local_array_to_global_array, tree
    )


def _is_not_of_orbax(record: logging.LogRecord) -> bool:
    """Returns whether a line of the log is of another package than Orbax."""
    return record.levelno < logging.ERROR or "orbax" not in record.pathname
