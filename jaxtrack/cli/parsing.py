"""Parses the options of a command, and formats its help and errors."""

import argparse
import difflib
import re
import shutil
from collections.abc import Iterable, Sequence
from typing import Protocol

from jaxtrack.cli import faults, overrides

_MOST_COLUMNS = 100


class Command(Protocol):
    """A command's module."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Defines the options."""

    def run(self, args: argparse.Namespace) -> None:
        """Does the work."""


def parse(command: Command, argv: Sequence[str], *, prog: str) -> argparse.Namespace:
    """Parses a command's options.

    Args:
      command: its module.
      argv: its options.
      prog: name of the program, for `--help`.

    Returns:
      The options, and in `overrides` the settings, as typed.

    Raises:
      SystemExit: with 0 after `--help`, with 2 where an option is wrong.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=command.__doc__,
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    actions = _actions_of(parser)
    parser._positionals.title = "arguments"
    for each in (parser, *actions.values()):
        each.error = lambda message: faults.fail(
            f"{_reworded(message)} (see {prog} --help)"
        )
        each.formatter_class = _formatter
        words = [_word(action) for action in each._actions if not action.option_strings]
        each.usage = " ".join([each.prog, *words, "[options]"])
    changes, rest = overrides.split(argv)
    # Options may stand between names, as in `pack join --out=DIR A B`; argparse cannot
    # do so where a command has actions with options of their own.
    known = parser.parse_known_args if actions else parser.parse_known_intermixed_args
    args, unknown = known(rest)
    if unknown or (changes and "config" not in args):
        name = unknown[0] if unknown else f"--config.{changes[0][0]}"
        faults.fail(f"{_unknown(name, parser)} (see {prog} --help)")
    args.overrides = changes
    return args


def _formatter(prog):
    """Formats help as wide as the terminal, but at most 100 columns."""
    width = min(_MOST_COLUMNS, shutil.get_terminal_size().columns)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=28, width=width)


def _actions_of(parser):
    """Returns the parsers of a command's actions; empty if it has none."""
    for action in parser._actions:
        if action.nargs == argparse.PARSER:
            return action.choices
    return {}


def _word(action):
    """Formats a positional argument for the usage line."""
    name = action.metavar or action.dest
    word = f"{name} ..." if action.nargs in ("*", "+") else name
    return f"[{word}]" if action.nargs in ("?", "*") else word


def _reworded(message):
    """Rewords a message of argparse like the other errors, with a suggestion."""
    if found := re.fullmatch(r"the following arguments are required: (.*)", message):
        return f"missing: {found[1]}"
    if value := re.fullmatch(r"argument (\S+): '(.*)': (give .*)", message):
        return "{}={}: {}".format(*value.groups())
    choice = re.fullmatch(
        r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", message
    )
    if choice:
        name, given, listed = choice.groups()
        known = [word.strip("' ") for word in listed.split(",")]
        near = nearest(given, known) or f": choose from {', '.join(known)}"
        return f"{name}={given}{near}" if name.startswith("-") else f"{given!r}{near}"
    return message.removeprefix("argument ")


def _unknown(word: str, parser: argparse.ArgumentParser) -> str:
    """Describes an argument that no option takes."""
    if not word.startswith("-"):
        return f"unexpected argument {word!r}: options are written --name=value"
    name = word.partition("=")[0]
    parsers = (parser, *_actions_of(parser).values())
    known = [option for each in parsers for option in each._option_string_actions]
    return f"unknown option {name}{nearest(name, known)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """Suggests the most similar known word, if there is one.

    Args:
      word: as typed.
      known: the words to choose from.
    """
    found = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {found[0]}?" if found else ""
