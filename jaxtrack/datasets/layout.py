"""Searching a dataset's folders, and errors that say what was expected and found."""

from collections.abc import Iterable
from pathlib import Path

from jaxtrack.errors import InputError

_SHOWN = 6


def wrong_layout(where: Path, expected: str) -> InputError:
    """Returns the error that says what was expected, and what is there.

    Args:
      where: the folder that was searched.
      expected: of the layout, in words.
    """
    return InputError(f"{where}: expected {expected}; found {contents(where)}")


def contents(folder: Path) -> str:
    """Describes the contents of a folder in a few words.

    Args:
      folder: it may be absent, or a file.
    """
    if not folder.is_dir():
        return "a file" if folder.exists() else "no such folder"
    names = sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())
    if not names:
        return "an empty folder"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def first_folder(candidates: Iterable[Path], where: Path, expected: str) -> Path:
    """Returns the first candidate that is a folder.

    Args:
      candidates: in order of preference.
      where: the folder an error speaks of.
      expected: of the layout, in words.

    Raises:
      InputError: none of them is.
    """
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise wrong_layout(where, expected)


def subfolders(folder: Path) -> dict[str, Path]:
    """Returns name -> folder of those directly below; hidden ones are left out.

    Args:
      folder: an existing folder.
    """
    return {
        p.name: p
        for p in sorted(folder.iterdir())
        if p.is_dir() and not p.name.startswith(".")
    }
