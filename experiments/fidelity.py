"""The papers line by line: makes docs/fidelity.md from its table.

Run: python -m experiments.fidelity > docs/fidelity.md
"""

import importlib.util
import pathlib
import pkgutil
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

DOCS = pathlib.Path(__file__).resolve().parent.parent / "docs"

_INTRODUCTION = """\
# The papers, line by line

Every numbered equation, algorithm, table and hyper-parameter of the three papers:
where it is implemented, its settings, the tests that check it, and differences from
the paper. Settings are those of the full-size config of the section, unless another
config is named before them. Tags such as S3 also appear in docstrings: S for SiamLA,
D for SiamDLA, C for CRACT. No full-size training was run here; [SiamLA](siamla.md),
[SiamDLA](siamdla.md) and [CRACT](cract.md) have the results of small networks, and
[results](results.md) compares converted public weights with public code.

`tests/fidelity_test.py` checks names, values and tests against the code. This page is
generated from [fidelity.toml](fidelity.toml):

    python -m experiments.fidelity > docs/fidelity.md
"""
_HEAD = """\
| paper | what | where | choice | tests | what differs |
|---|---|---|---|---|---|"""


class Row(NamedTuple):
    """One row for a paper.

    Attributes:
      item: its name in the paper.
      what: what it says.
      code: dotted names; see `resolve`.
      differs: differences from the paper, "-" for none.
      settings: config file -> setting -> value.
      constants: dotted name -> value.
      tags: of the choices.
      tests: file under tests/ without .py, and "::" and a function where one is named.
    """

    item: str
    what: str
    code: Sequence[str]
    differs: str
    settings: Mapping[str, Mapping[str, Any]]
    constants: Mapping[str, Any]
    tags: Sequence[str]
    tests: Sequence[str]


class Section(NamedTuple):
    """A paper.

    Attributes:
      name: of its tracker.
      title: authors and title, Markdown.
      page: of the docs with more details.
      configs: whose settings are not named in rows.
      rows: its lines.
    """

    name: str
    title: str
    page: str
    configs: tuple[str, ...]
    rows: tuple[Row, ...]


def read(path: pathlib.Path = DOCS / "fidelity.toml") -> tuple[Section, ...]:
    """Reads the table.

    Args:
      path: of a TOML file; its head describes the format.

    Returns:
      One section per paper.
    """
    found = tomllib.loads(path.read_text())["section"]
    return tuple(
        Section(
            name=section["name"],
            title=section["title"],
            page=section["page"],
            configs=_listed(section["config"]),
            rows=tuple(_row(row, section["config"]) for row in section["row"]),
        )
        for section in found
    )


def resolve(name: str) -> Any:
    """Finds the object of a dotted name in the table.

    Args:
      name: of jaxtrack (without its name), or a script of experiments or benchmarks,
        which is not imported: those of one name define the same flags.

    Returns:
      A module, an attribute of one, or a script's specification.

    Raises:
      ImportError: there is no such module.
      AttributeError: there is no such attribute.
    """
    if name.split(".")[0] not in ("experiments", "benchmarks"):
        return pkgutil.resolve_name(f"jaxtrack.{name}")
    if not (found := importlib.util.find_spec(name)):
        raise ImportError(f"no script {name}")
    return found


def markdown(sections: Sequence[Section]) -> str:
    """Returns the page docs/fidelity.md.

    Args:
      sections: what `read` returns.
    """
    lines = [_INTRODUCTION.rstrip()]
    for section in sections:
        configs = " and ".join(f"`{name}`" for name in section.configs)
        page = f"[How the paper was read]({section.page})."
        told = [f"{section.title}. {page}", f"Settings are those of {configs}."]
        lines += ["", f"## {section.name}", "", *told, "", _HEAD]
        lines += [_line(row, section.configs) for row in section.rows]
    return "\n".join(lines) + "\n"


def _row(row, config):
    """Makes a row from the file; `config` is the section's."""
    known = {*Row._fields, "config", "values", "changes"} - {"settings"}
    if unknown := row.keys() - known:
        raise ValueError(f"{row['item']}: unknown {sorted(unknown)}")
    settings = {}
    if "values" in row:
        own = _listed(row.get("config", config))
        settings = {name: dict(row["values"]) for name in own}
    for name, values in row.get("changes", {}).items():
        settings[name] = {**settings.get(name, {}), **values}
    return Row(
        item=row["item"],
        what=row["what"],
        code=row["code"],
        differs=row["differs"],
        settings=settings,
        constants=row.get("constants", {}),
        tags=row.get("tags", ()),
        tests=row["tests"],
    )


def _listed(names):
    """Returns one name, or several, as a tuple."""
    return (names,) if isinstance(names, str) else tuple(names)


def _line(row, configs):
    """Returns a row of the page's table."""
    choice = [", ".join(row.tags)] if row.tags else []
    choice += _settings(row, configs)
    constants = [(".".join(n.split(".")[-2:]), v) for n, v in row.constants.items()]
    choice += [_assigned(constants)] if constants else []
    cells = (
        row.item,
        row.what,
        ", ".join(f"`{name}`" for name in row.code),
        "; ".join(choice),
        ", ".join(f"`{test}`" for test in row.tests),
        row.differs,
    )
    return f"| {' | '.join(cells)} |"


def _settings(row, configs):
    """Lists a row's settings by config; the section's config is not named."""
    of_section = [row.settings.get(name, {}) for name in configs]
    shared = {k: v for k, v in of_section[0].items() if all(k in s for s in of_section)}
    shared = {k: v for k, v in shared.items() if all(s[k] == v for s in of_section)}
    if shared:
        yield _assigned(shared.items())
    for name, values in row.settings.items():
        own = name not in configs
        if rest := {k: v for k, v in values.items() if own or k not in shared}:
            yield f"`{name}`: {_assigned(rest.items())}"


def _assigned(pairs):
    """Returns names with their values."""
    return ", ".join(f"`{name} = {_value(value)}`" for name, value in pairs)


def _value(value):
    """Returns a value as written in a config file."""
    if isinstance(value, list):
        return f"({', '.join(map(_value, value))}{',' * (len(value) == 1)})"
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    print(markdown(read()), end="")
