"""Finds trained trackers: shipped by name, in a file, or in a training's folder."""

from pathlib import Path

from jaxtrack.errors import InputError
from jaxtrack.trackers import network_of
from jaxtrack.weights import bundle, shipped
from jaxtrack.weights.bundle import Bundle


def load_for_inference(source: str | Path) -> Bundle:
    """Reads a trained network, wherever and on however many devices it was trained.

    Args:
      source: the name of a shipped tracker, such as "lite" (a folder of that name is
        `./lite`); a `.safetensors` file that `jaxtrack weights export` wrote; or a
        run's workdir (its newest checkpoint is taken), its folder `checkpoints`, or
        one step's folder in there.

    Returns:
      Settings, variables and the step.

    Raises:
      InputError: if there is none, it is damaged, its settings lack a field, or a
        file's arrays are not its network's.
    """
    if str(source) in shipped.SHIPPED:
        return shipped.load(str(source))
    path = Path(source)
    if path.suffix == bundle.SUFFIX and not path.is_dir():
        loaded = bundle.read(path)
        bundle.check(loaded, network_of(loaded.config), source=str(path))
        return loaded
    if not path.is_dir():
        raise InputError(
            f"no checkpoint {path}: name a shipped tracker "
            f"({', '.join(shipped.SHIPPED)}), a {bundle.SUFFIX} file, or a workdir "
            "that train.py wrote"
        )
    # Late: what reads a training's folder takes a while to import.
    from jaxtrack.training import checkpoint

    return checkpoint.read_for_inference(path)
