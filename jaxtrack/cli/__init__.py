"""The command `jaxtrack`: one module a command.

A command's module says in its docstring what the command is for, defines its options in
`add_arguments(parser)` and does its work in `run(args)`. To add one, add the module and
its line in `COMMANDS`.
"""

import argparse
import difflib
import errno
import hashlib
import importlib
import os
import pathlib
import platform
import re
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from jaxtrack import __version__
from jaxtrack.cli import overrides
from jaxtrack.errors import EXTRAS, InputError, missing

__all__ = ["COMMANDS", "Command", "fail", "main", "run_command"]

COMMANDS = {
    "demo": "see the shipped tracker at work, score it, train one",
    "compose": "write composed videos in which look-alikes cross the target",
    "pack": "pack annotated video into records to train from",
    "train": "train a tracker, or resume a training",
    "track": "track one target through a video, a folder or a camera",
    "annotate": "label a video from a few boxes",
    "eval": "run trackers over a benchmark, score and compare them",
    "tune": "search tracking settings that score best",
    "weights": "look into files of weights, and make checkpoints of them",
    "export": "write a tracker as StableHLO or ONNX",
    "doctor": "show what this machine offers, and what will go wrong on it",
    "trax": "serve a tracker to the VOT challenges' toolkit",
}


# What the system says where it has no room for a file, or none for so large a one.
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Command(Protocol):
    """A command's module."""

    __doc__: str | None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Defines the options."""

    def run(self, args: argparse.Namespace) -> None:
        """Does the work."""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command; what the console script and `python -m jaxtrack` call.

    Args:
      argv: the command's name and its options; None takes this process's.

    Raises:
      SystemExit: with code 2 after a user's mistake, told in one line on standard
        error; with 130 after Ctrl-C. Faults of the program keep their traceback.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
    elif argv[0] == "--version":
        print(f"jaxtrack {__version__}")
    elif argv[0] in COMMANDS:
        command = importlib.import_module(f"jaxtrack.cli.{argv[0]}")
        run_command(command, argv[1:], prog=f"jaxtrack {argv[0]}")
    else:
        near = _nearest(argv[0], COMMANDS)
        fail(f"no command {argv[0]!r}{near} (see jaxtrack --help)")


def run_command(command: Command, argv: Sequence[str], *, prog: str) -> None:
    """Parses a command's options and runs it.

    What XLA compiles is kept in `~/.cache/jaxtrack/xla`, in a folder of this kind of
    processor (or where the variable `JAX_COMPILATION_CACHE_DIR` says), so that a second
    run starts at once.

    Args:
      command: its module.
      argv: its options.
      prog: how it is called, for `--help`.
    """
    parser = argparse.ArgumentParser(
        prog=prog,
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.error = lambda message: fail(f"{message} (see {prog} --help)")
    command.add_arguments(parser)
    changes, rest = overrides.split(argv)
    # Options may stand between names, as in `pack join --out=DIR A B`; argparse cannot
    # do so where a command has actions with options of their own.
    has_actions = any(action.nargs == argparse.PARSER for action in parser._actions)
    parse = (
        parser.parse_known_args if has_actions else parser.parse_known_intermixed_args
    )
    args, unknown = parse(rest)
    if unknown or (changes and "config" not in args):
        name = unknown[0] if unknown else f"--config.{changes[0][0]}"
        fail(f"{_unknown(name, parser)} (see {prog} --help)")
    args.overrides = changes
    _keep_compilations()
    _guarded(lambda: command.run(args))


def fail(message: str) -> None:
    """Prints one line to standard error and leaves with exit code 2."""
    print(f"error: {' '.join(str(message).split())}", file=sys.stderr)
    raise SystemExit(2)


def _overview() -> str:
    """What `jaxtrack --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: jaxtrack COMMAND [options]",
            "",
            "Single-object visual trackers in JAX.",
            "",
            "commands:",
            *lines,
            "",
            "jaxtrack COMMAND --help describes a command, --version names the release.",
        ]
    )


def _unknown(word: str, parser: argparse.ArgumentParser) -> str:
    """Words what is wrong with an argument that no option takes."""
    if not word.startswith("-"):
        return f"unexpected argument {word!r}: options are written --name=value"
    name = word.partition("=")[0]
    options = re.findall(r"--[\w.]+", parser.format_usage())
    return f"unknown option {name}{_nearest(name, options)}"


def _nearest(word: str, known: Sequence[str]) -> str:
    """Asks whether the most similar known word was meant, if one is similar."""
    found = difflib.get_close_matches(word, known, n=1)
    return f": did you mean {found[0]}?" if found else ""


def _keep_compilations() -> None:
    """Names a folder for XLA's compilations, unless the user has; before jax starts."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(cache) / "jaxtrack" / "xla" / _processor()
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    # What compiles in less than a second too: crops, and tens of small functions.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def _processor() -> str:
    """Names the kind of processor: another one may lack instructions of compiled code.

    Homes are shared between machines.
    """
    kind = platform.processor()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # Not Linux.
        lines = []
    kind += "".join(sorted({n for n in lines if n.startswith(("flags", "Features"))}))
    return f"{platform.machine()}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"


def _guarded(call: Callable[[], None]) -> None:
    """Calls; turns what a user can mend into one line, and Ctrl-C into a quiet end."""
    try:
        call()
    except InputError as fault:
        fail(str(fault))
    except ModuleNotFoundError as fault:
        package = (fault.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        fail(missing(package))
    except OSError as fault:
        if fault.errno not in _DISK_FULL:
            raise
        where = fault.filename or "all of the output"
        fail(
            f"cannot write {where}: {fault.strerror}; free space, then run the same "
            "command again"
        )
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None
