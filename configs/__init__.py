"""A file an experiment: its differences from `jaxtrack.config.get_config`.

A file is named by its path in here without `.py`: `siamcar_lite0`,
`cract/lite0_cascade`.
"""

import difflib
import importlib.util
import pathlib
import re

from ml_collections import ConfigDict

from jaxtrack.config import unknown
from jaxtrack.errors import InputError

_UNKNOWN = re.compile(r"\W*Key \W*(\w+)\W* does not exist")
_FOLDER = pathlib.Path(__file__).parent


def names() -> list[str]:
    """Lists the names that `load` takes, sorted."""
    files = (path.relative_to(_FOLDER) for path in _FOLDER.rglob("[!_]*.py"))
    return sorted(path.with_suffix("").as_posix() for path in files)


def find(name: str | pathlib.Path) -> pathlib.Path:
    """Finds the file of settings.

    Args:
      name: one of `names()`, or the path of a file ending in `.py`.

    Returns:
      Its path.

    Raises:
      InputError: there is none.
    """
    path = pathlib.Path(name)
    if path.suffix == ".py":
        if not path.is_file():
            raise InputError(f"no config file {path}")
        return path
    path = _FOLDER / f"{name}.py"
    known = names()
    if str(name) not in known:
        near = difflib.get_close_matches(str(name), known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"use {', '.join(known)}"
        raise InputError(f"no config {str(name)!r}: {meant} (a file ends in .py)")
    return path


def load(name: str | pathlib.Path) -> ConfigDict:
    """Reads settings.

    Args:
      name: one of `names()`, or the path of a Python file with `get_config()`.

    Returns:
      The settings, locked.

    Raises:
      InputError: there is no such name or file, or no `get_config()` in it.
    """
    path = find(name)
    spec = importlib.util.spec_from_file_location(f"_config_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not hasattr(module, "get_config"):
        raise InputError(f"config file {path}: it has no function get_config()")
    try:
        return module.get_config()
    except (AttributeError, KeyError) as fault:  # ml_collections lists all settings.
        if found := _UNKNOWN.match(str(fault.args[0])):
            raise InputError(f"config file {path}: {unknown(found[1])}") from None
        raise
