"""Single-object visual trackers in JAX.

    jaxtrack.build(name)             the network of a tracker, a linen module
    jaxtrack.train(config, workdir)  trains, or resumes where it stopped
    jaxtrack.load(workdir)           a trained tracker as a `Session`: init, update
    jaxtrack.configs.load(name)      the settings of an experiment

These names and the packages below are imported when they are first used. The commands
are in `jaxtrack.cli`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxtrack.errors import InputError
    from jaxtrack.session import Session, load
    from jaxtrack.trackers import build
    from jaxtrack.training.loop import train

__version__ = "0.1.0"
__all__ = ["InputError", "Session", "build", "load", "train"]

_HOMES = {
    "InputError": "jaxtrack.errors",
    "Session": "jaxtrack.session",
    "build": "jaxtrack.trackers",
    "load": "jaxtrack.session",
    "train": "jaxtrack.training.loop",
}
_PACKAGES = (
    "assign",  # labels of one example
    "cli",  # the commands
    "config",  # all settings
    "configs",  # one file per experiment
    "data",  # training pairs
    "datasets",  # one reader each
    "evaluation",  # trackers on datasets
    "export",  # trackers for programs without this package
    "integrations",  # our trackers in other programs
    "losses",  # loss terms and reductions
    "metrics",  # scores of boxes, with only numpy
    "models",  # network parts
    "online",  # learning while tracking
    "ops",  # arrays in, arrays out
    "portability",  # checks of a machine
    "report",  # pages, figures and tables of an evaluation
    "trackers",  # one file per family
    "tracking",  # from a frame to a box
    "training",  # from a batch to a gradient
    "weights",  # shipped trackers, files from other code
    "web",  # a video on a page in the browser
)


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _PACKAGES:
        found = importlib.import_module(f"jaxtrack.{name}")
    else:
        raise AttributeError(f"module 'jaxtrack' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Lists the public names."""
    return sorted([*__all__, *_PACKAGES, "__version__"])
