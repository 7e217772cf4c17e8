"""Reads the `NAME=DIR` of the command line."""

from collections.abc import Sequence
from pathlib import Path

from jaxtrack.errors import InputError


def parse_results(entries: Sequence[str]) -> dict[str, Path]:
    """Reads `--results=NAME=DIR`.

    Args:
      entries: as typed.

    Returns:
      Name of a tracker -> folder of its results.

    Raises:
      InputError: not of that form, or a name twice.
    """
    folders = {}
    for entry in entries:
        name, separator, folder = entry.partition("=")
        if not (name and separator and folder):
            raise InputError(f"--results {entry!r}: expected NAME=DIR")
        if name in folders:
            raise InputError(f"--results {entry!r}: {name!r} is given twice")
        folders[name] = Path(folder)
    return folders


def parse_checkpoints(
    entries: str | Sequence[str], *, name: str = ""
) -> dict[str, str]:
    """Reads `--checkpoint=DIR` or `--checkpoint=NAME=DIR`.

    Args:
      entries: as typed; "" is none. One with a separator before its first "=", or that
        exists as a whole, is a folder without a name.
      name: of the checkpoint, where there is one without a name.

    Returns:
      Name of a tracker -> its checkpoint, in the order given.

    Raises:
      InputError: a part is missing, a name is there twice, or `name` cannot be given.
    """
    entries = [entries] if isinstance(entries, str) else entries
    pairs = [_split(entry) for entry in entries if entry]
    if name and (len(pairs) > 1 or any(given for given, _ in pairs)):
        raise InputError(
            f"--name {name!r} is for one --checkpoint=DIR: with several write "
            "--checkpoint=NAME=DIR"
        )
    found = {}
    for given, folder in pairs:
        called = given or name or _run_name(folder)
        if called in found:
            raise InputError(
                f"--checkpoint {folder!r}: {called!r} is given twice; write "
                "--checkpoint=NAME=DIR with another name"
            )
        found[called] = folder
    return found


def _split(entry: str) -> tuple[str, str]:
    """Splits off the name; "" where there is none."""
    name, separator, folder = entry.partition("=")
    if not separator or Path(entry).exists() or Path(name).name != name:
        return "", entry
    if not (name and folder):
        raise InputError(f"--checkpoint {entry!r}: expected DIR or NAME=DIR")
    return name, folder


def _run_name(checkpoint: str) -> str:
    """Names a checkpoint by its run's folder."""
    from jaxtrack.evaluation import runner  # Late: scoring files needs no network.

    return runner.tracker_name(checkpoint)
