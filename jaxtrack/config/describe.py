"""The settings as text: for `--help`, for the docs, and suggestions for typos."""

import difflib
import textwrap
from typing import Any

from jaxtrack.config.field import Field
from jaxtrack.config.fields import FIELDS, GROUPS

_INTRODUCTION = """\
# Settings

All settings with their defaults. A file in `configs/` changes some of them;
`--config.FIELD=VALUE` changes one on the command line, for example
`--config.optimizer.lr=0.01`. This page is generated from `jaxtrack/config`:

    python -c "from jaxtrack import config; print(config.markdown(), end='')" \\
        > docs/settings.md
"""
_INDENT = "    "


def text(width: int = 88) -> str:
    """Lists every setting for a terminal.

    Args:
      width: of a line, in columns; longer words are not broken.

    Returns:
      For each group its meaning, then each field with its default and, indented,
      its meaning, unit and range.
    """
    lines = []
    for group, meaning in GROUPS.items():
        lines += ["", *textwrap.wrap(f"{group}: {meaning}", width)]
        for field in _fields_of(group):
            lines.append(f"--config.{field.name}={_value(field.default)}")
            told = textwrap.wrap(_sentences(field), width - len(_INDENT))
            lines += [_INDENT + line for line in told]
    return "\n".join(lines[1:]) + "\n"


def markdown() -> str:
    """Returns the page docs/settings.md."""
    head = "| Field | Default | Unit | Allowed | Meaning |\n|---|---|---|---|---|"
    lines = [_INTRODUCTION.rstrip()]
    for group, meaning in GROUPS.items():
        lines += ["", f"## {group}", "", meaning, "", head]
        lines += [_row(field) for field in _fields_of(group)]
    return "\n".join(lines) + "\n"


def unknown(name: str) -> str:
    """Returns the error for an unknown setting, with a suggestion.

    Args:
      name: dotted, perhaps misspelled or without its group.
    """
    names = [field.name for field in FIELDS]
    if inner := [n for n in names if n.startswith(f"{name}.")]:
        return f"config.{name} is a group: name one of {', '.join(inner)}"
    leaf = name.rpartition(".")[2]
    close = [n for n in names if n.rpartition(".")[2] == leaf]
    if not close:
        by_leaf = {n.rpartition(".")[2]: n for n in reversed(names)}
        known = {n: n for n in names} | by_leaf
        close = difflib.get_close_matches(leaf, by_leaf, n=1)
        close = close or difflib.get_close_matches(name, known, n=1)
        close = [known[match] for match in close]
    meant = f"did you mean {' or '.join(close)}?" if close else "see docs/settings.md"
    return f"no setting config.{name}: {meant}"


def _fields_of(group: str) -> list[Field]:
    """Returns the fields of a group, in order."""
    return [field for field in FIELDS if field.name.startswith(f"{group}.")]


def _row(field: Field) -> str:
    """Returns a field as a row of the page's table."""
    cells = (
        f"`{field.name}`",
        f"`{_value(field.default)}`",
        field.unit,
        field.range(),
        field.meaning.replace("|", r"\|"),
    )
    return f"| {' | '.join(cells)} |"


def _sentences(field: Field) -> str:
    """Returns meaning, unit and range of a field."""
    parts = [field.unit, field.range()]
    told = ", ".join(part for part in parts if part)
    return f"{field.meaning} ({told})" if told else field.meaning


def _value(value: Any) -> str:
    """Returns a default as written in a config file."""
    return f'"{value}"' if isinstance(value, str) else str(value)
