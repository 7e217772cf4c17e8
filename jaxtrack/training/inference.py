"""Loads trained trackers: shipped ones, files, and workdirs of trainings."""

import os
from dataclasses import dataclass
from pathlib import Path

from jaxtrack import configs, devices
from jaxtrack.errors import InputError
from jaxtrack.trackers import network_of
from jaxtrack.weights import bundle, foreign, shipped
from jaxtrack.weights.bundle import Bundle


@dataclass(frozen=True)
class Foreign(os.PathLike):
    """Files of weights without settings, and the config of their network.

    Attributes:
      path: of the file; of several, such as backbone and head, joined by commas.
      model: the config of the network, such as "siamcar_r50".
    """

    path: str
    model: str

    def __str__(self) -> str:
        """Returns the path."""
        return self.path

    def __fspath__(self) -> str:
        """Returns the path."""
        return self.path


def load_for_inference(source: str | Path | Foreign) -> Bundle:
    """Reads a network that was trained on any devices.

    Args:
      source: the name of a shipped tracker, such as "lite" (a folder of that name is
        `./lite`); a `.safetensors` file that `jaxtrack weights export` wrote; a
        run's workdir (its newest checkpoint is taken), its folder `checkpoints`, or
        one step's folder in there; or a `Foreign` file of weights alone.

    Returns:
      Settings, variables and the step.

    Raises:
      InputError: if there is none, it is damaged, its settings lack a field, a file's
        arrays are not its network's, or jax has no device.
    """
    devices.check()
    if isinstance(source, Foreign):
        config = configs.load(source.model)
        return foreign.import_tracker(config, source.path.split(","))
    if str(source) in shipped.SHIPPED:
        return shipped.load(str(source))
    path = Path(source)
    if path.is_dir():
        # Late: what reads a training's folder takes a while to import.
        from jaxtrack.training import reading

        return reading.read_for_inference(path)
    if path.suffix == bundle.SUFFIX or bundle.is_bundle(path):
        loaded = bundle.read(path)
        bundle.check(loaded, network_of(loaded.config), source=str(path))
        return loaded
    if path.is_file():
        raise InputError(bundle.without_settings(path))
    raise InputError(
        f"no checkpoint {path}: name a shipped tracker "
        f"({', '.join(shipped.SHIPPED)}), a {bundle.SUFFIX} file, or the workdir of a "
        "training"
    )


def has_settings(source: str | Path) -> bool:
    """Returns whether a source has settings, or is a file of weights only.

    Args:
      source: as named; if it does not exist, a suffix means a file.
    """
    path = Path(str(source).split(",")[0])
    if str(source) in shipped.SHIPPED or path.is_dir():
        return True
    return bundle.is_bundle(path) if path.is_file() else not path.suffix


def with_model(source: str | Path, model: str) -> str | Path | Foreign:
    """Adds the network's config to a file of weights without settings.

    Args:
      source: as named.
      model: its config, or "" for none.

    Returns:
      What `load_for_inference` takes.

    Raises:
      InputError: a model is named for a tracker that has its own settings.
    """
    if not model:
        return source
    if has_settings(source):
        raise InputError(
            f"model {model!r}: it is for a file of weights without settings, and "
            f"{source} is none; leave it out"
        )
    return Foreign(str(source), model)
