"""Checkpoints: network, optimizer, position in the data and settings, together."""

import contextlib
import json
import pathlib
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging
from etils import epath
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.training.state import TrainState
from jaxtrack.weights.bundle import Bundle

_FOLDER = "checkpoints"
# A checkpoint of a network that differs in one of these fits no other.
_IDENTITY = (
    *("model.name", "model.backbone", "model.design", "model.correlation"),
    "optimizer.kind",
)


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
        self.folder = pathlib.Path(workdir).absolute() / _FOLDER
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
        """
        step = int(state.step)
        if step == self._manager.latest_step():
            return
        network, optimizer = _global(_split(state))
        items = {}
        if provenance:
            items["provenance"] = ocp.args.JsonSave(dict(provenance))
        self._manager.save(
            step,
            args=ocp.args.Composite(
                network=ocp.args.StandardSave(network),
                optimizer=ocp.args.StandardSave(optimizer),
                data=ocp.args.JsonSave(data),
                config=ocp.args.JsonSave(json.loads(config.to_json())),
                **items,
            ),
        )

    def restore(
        self, state: TrainState, config: ConfigDict
    ) -> tuple[TrainState, dict[str, Any]]:
        """Reads the newest checkpoint.

        Args:
          state: a state of the same network and optimizer, on any devices.
          config: the settings of the run that resumes.

        Returns:
          The saved state as numpy arrays, and the loader's position.

        Raises:
          InputError: if the checkpoint is damaged, of another network, or of settings
            that lack a field.
        """
        step = self._manager.latest_step()
        path = self.folder / str(step)
        saved = _read(self._manager, step, path, config=ocp.args.JsonRestore())
        saved = config_lib.flat(
            config_lib.from_saved(saved["config"], source=str(path))
        )
        own = config_lib.flat(config)
        for name in _IDENTITY:
            if saved[name] != own[name]:
                raise InputError(
                    f"{path} was made with config.{name}={saved[name]!r}, "
                    f"not {own[name]!r}: use that, or another workdir"
                )
        network, optimizer = jax.tree.map(np.asarray, _split(state))
        found = _read(
            self._manager,
            step,
            path,
            network=ocp.args.StandardRestore(network),
            optimizer=ocp.args.StandardRestore(optimizer),
            data=ocp.args.JsonRestore(),
        )
        return _join(found["network"], found["optimizer"]), found["data"]

    def __enter__(self):
        """Returns itself."""
        return self

    def __exit__(self, *_):
        """Closes it."""
        self.close()

    def wait(self) -> None:
        """Waits for the writing to end."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Waits for the writing to end, and closes what it needed."""
        self.wait()
        self._manager.close()


def read_for_inference(path: str | pathlib.Path) -> Bundle:
    """Reads the trained network of a run; see `jaxtrack.training.inference`.

    Args:
      path: a run's workdir (its newest checkpoint is taken), its folder
        `checkpoints`, or one step's folder in there.

    Returns:
      All of the run's settings, its variables and the step.

    Raises:
      InputError: if there is no checkpoint, it is damaged, or its settings lack a
        field.
    """
    path = pathlib.Path(path).absolute()
    if (path / _FOLDER).is_dir():
        path = path / _FOLDER
    if not path.name.isdigit():
        steps = ocp.utils.checkpoint_steps(path)
        if not steps:
            raise InputError(f"no whole checkpoint in {path}: let train.py write one")
        path = path / str(max(steps))
    network, config, provenance = _read_network(path)
    params = network["params"] if network.get("ema") is None else network["ema"]
    variables = {"params": params, "batch_stats": network.get("batch_stats") or {}}
    config = config_lib.from_saved(config, source=str(path))
    return Bundle(config, variables, int(path.name), provenance)


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


def _read_network(path):
    """Reads network (numpy arrays), settings and provenance of one step's folder."""
    try:
        # Not through the checkpointer, which warns of metadata that no one wrote.
        metadata = ocp.StandardCheckpointHandler().metadata(
            epath.Path(path / "network")
        )
        with ocp.StandardCheckpointer() as reader:
            shapes = jax.tree.map(lambda m: np.empty(m.shape, m.dtype), metadata.tree)
            network = reader.restore(path / "network", shapes)
        with ocp.Checkpointer(ocp.JsonCheckpointHandler()) as reader:
            origin = path / "provenance"
            provenance = reader.restore(origin) if origin.is_dir() else {}
            return network, reader.restore(path / "config"), provenance
    except Exception as fault:
        _hush_late_reads()
        raise InputError(_damaged(path, fault)) from fault


@contextlib.contextmanager
def _errors_alone():
    """Keeps Orbax from warning that an item of a checkpoint is not a checkpoint."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def _read(manager, step, path, **items):
    """Restores items of one step; whatever goes wrong is the checkpoint's damage."""
    try:
        return manager.restore(step, args=ocp.args.Composite(**items))
    except Exception as fault:
        _hush_late_reads()
        raise InputError(_damaged(path, fault)) from fault


def _hush_late_reads():
    """Silences reads under way that find the failed restore's event loop closed.

    Orbax does not wait for them, and each would print a traceback below the one line
    that says what is wrong.
    """
    report = sys.unraisablehook

    def hook(unraisable):
        if "Event loop is closed" not in str(unraisable.exc_value):
            report(unraisable)

    sys.unraisablehook = hook


def _damaged(path, fault):
    """Words the message of a checkpoint that cannot be read."""
    reason = str(fault).strip().split("\n")[0][:200]
    return (
        f"checkpoint {path} is damaged, or of another network ({reason}): remove that "
        "folder to fall back on an older one"
    )
