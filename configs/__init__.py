"""One file per experiment: its differences from `jaxtrack.config.get_config`.

A file is named by its path in this folder without `.py`: `siamcar_lite0`,
`cract/lite0_cascade`.
"""

import importlib.util
import pathlib
import re
import traceback

from ml_collections import ConfigDict

from jaxtrack.config import unknown
from jaxtrack.errors import InputError, suggest

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
            raise InputError(
                f"no config file {path}: check the path, or name one of "
                "jaxtrack's own, such as siamcar_lite0"
            )
        return path
    path = _FOLDER / f"{name}.py"
    known = names()
    if str(name) not in known:
        meant = suggest(str(name), known)
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
    try:
        spec.loader.exec_module(module)
        if not hasattr(module, "get_config"):
            raise InputError(f"config file {path}: it has no function get_config()")
        return module.get_config()
    except InputError:
        raise
    except Exception as fault:
        raise InputError(f"config file {path}{_told(fault, path)}") from fault


def _told(fault: Exception, path: pathlib.Path) -> str:
    """Describes an error in a config file, with its line."""
    # For an unknown setting ml_collections lists all settings.
    if found := fault.args and _UNKNOWN.match(str(fault.args[0])):
        return f": {unknown(found[1])}"
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(fault.__traceback__)
        if pathlib.Path(frame.filename).resolve() == path.resolve()
    ]
    line = fault.lineno if isinstance(fault, SyntaxError) else (lines or [None])[-1]
    said = fault.msg if isinstance(fault, SyntaxError) else fault
    where = f", line {line}" if line else ""
    return f"{where}: {type(fault).__name__}: {said}"
