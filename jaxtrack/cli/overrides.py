"""`--config.FIELD=VALUE`: settings changed on the command line."""

import ast
from collections.abc import Iterable, Sequence
from typing import Any

from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError

_PREFIX = "--config."
_A_TUPLE = "numbers or names, joined by commas"
_KINDS = {bool: "true or false", int: "a whole number", float: "a number"}
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def split(argv: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Separates the settings from the other options of a command line.

    Args:
      argv: options; settings are written `--config.FIELD=VALUE`, `--config.FIELD VALUE`
        or, to set a flag to true, `--config.FIELD`.

    Returns:
      Pairs of a dotted field and its text, and the other options.
    """
    changes, rest = [], []
    words = iter(range(len(argv)))
    for place in words:
        word = argv[place]
        if not word.startswith(_PREFIX):
            rest.append(word)
            continue
        field, has_value, text = word.removeprefix(_PREFIX).partition("=")
        if not has_value:
            following = argv[place + 1] if place + 1 < len(argv) else "--"
            text = "true" if following.startswith("--") else argv[next(words)]
        changes.append((field, text))
    return changes, rest


def apply(config: ConfigDict, changes: Iterable[tuple[str, str]]) -> None:
    """Changes settings in place.

    Args:
      config: the settings, locked.
      changes: pairs of a dotted field and its value as text, read as the type of the
        field.

    Raises:
      InputError: if there is no such field, or the text is of another type.
    """
    for field, text in changes:
        *groups, name = field.split(".")
        part = config
        for group in groups:
            part = part.get(group) if isinstance(part, ConfigDict) else None
        if not isinstance(part, ConfigDict) or name not in part:
            raise InputError(config_lib.unknown(field))
        part[name] = _parse(field, text, part[name])


def _parse(field: str, text: str, old: Any) -> Any:
    """Reads a value of the same type as the old one."""
    kind = type(old)
    try:
        if isinstance(old, bool):
            return _BOOLS[text.lower()]
        if isinstance(old, int | float | str):
            return kind(text)
        if isinstance(old, tuple):
            return _parse_tuple(text)
    except (KeyError, SyntaxError, ValueError):
        what = f"{_KINDS[kind]} such as {old!r}" if kind in _KINDS else _A_TUPLE
        raise InputError(f"--config.{field}={text}: give {what}") from None
    raise InputError(
        f"--config.{field} is a group: name one of its settings, {', '.join(old)}"
    )


def _parse_tuple(text: str) -> tuple[Any, ...]:
    """Reads numbers, or names with or without quotes; parentheses may be left out."""
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        if text.startswith(("(", "[")):  # The shell has taken the quotes.
            raise
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return tuple(value) if isinstance(value, tuple | list) else (value,)
