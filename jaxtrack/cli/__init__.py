"""The command `jaxtrack`: one module a command.

A command's module says in its docstring what the command is for, defines its options in
`add_arguments(parser)` and does its work in `run(args)`. To add one, add the module and
its line in `COMMANDS`.
"""

import hashlib
import importlib
import os
import pathlib
import platform
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jaxtrack import __version__, errors
from jaxtrack.cli import faults
from jaxtrack.cli.interrupts import INTERRUPTED, end_interrupted

if TYPE_CHECKING:  # Imported late, so that Ctrl-C is answered from the start.
    from jaxtrack.cli.parsing import Command

__all__ = ["COMMANDS", "main", "run_command"]

COMMANDS = {
    "demo": "track a clip with the shipped tracker, score it, train another",
    "compose": "write composed videos in which distractors cross the target",
    "pack": "pack annotated videos and photographs to train from",
    "train": "train a tracker, or resume a training",
    "track": "track targets through a video, a folder of images or a stream",
    "annotate": "label a video from a few boxes",
    "eval": "run trackers over a benchmark, score and compare them",
    "tune": "search the tracking settings that score best",
    "weights": "inspect, import and export files of weights",
    "export": "write a tracker as StableHLO or ONNX",
    "doctor": "show what this machine offers, and what will go wrong on it",
    "portability": "record what this machine computes, and compare machines",
    "trax": "serve a tracker to the VOT toolkit",
}


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command; what the console script and `python -m jaxtrack` call.

    Args:
      argv: the command's name and its options; None takes this process's.

    Raises:
      SystemExit: with code 2 after a user's mistake, told in one line on standard
        error; with 130 after Ctrl-C. Bugs keep their traceback.
    """
    if argv is None:
        faults.catch_interrupts()
    try:
        faults.guarded(lambda: _dispatch(list(sys.argv[1:] if argv is None else argv)))
    except SystemExit as end:
        if argv is None and end.code == INTERRUPTED:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # The next one ends at once.
            end_interrupted()
        raise


def _dispatch(argv):
    """Runs one command, or lists them."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(_overview())
    elif argv[0] == "--version":
        print(f"jaxtrack {__version__}")
    elif argv[0] in COMMANDS:
        command = importlib.import_module(f"jaxtrack.cli.{argv[0]}")
        run_command(command, argv[1:], prog=f"jaxtrack {argv[0]}")
    else:
        from jaxtrack.cli import parsing

        near = parsing.nearest(argv[0], [*COMMANDS, "--help", "--version"])
        said = near or ": `jaxtrack --help` lists them"
        faults.fail(f"no command {argv[0]!r}{said}")


def run_command(command: "Command", argv: Sequence[str], *, prog: str) -> None:
    """Parses a command's options and runs it.

    XLA's compilations are kept in `~/.cache/jaxtrack/xla`, in a folder for this kind of
    processor (or in `JAX_COMPILATION_CACHE_DIR`), so that a second run starts at once.

    Args:
      command: its module.
      argv: its options.
      prog: how it is called, for `--help`.
    """
    from jaxtrack.cli import parsing

    args = parsing.parse(command, argv, prog=prog)
    errors.format_warnings()
    _keep_compilations()
    faults.guarded(lambda: command.run(args))


def _overview() -> str:
    """Returns the text of `jaxtrack --help`."""
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
            "First steps:",
            "  jaxtrack demo",
            "  jaxtrack track street.mp4 --box=120,80,40,60 --out=out.mp4",
            "  jaxtrack eval --checkpoint=lite --sequences=videos/ --out=runs/eval",
            "",
            "jaxtrack COMMAND --help describes a command, --version shows the version.",
        ]
    )


def _keep_compilations() -> None:
    """Sets the folder of compilations, unless the user has; before jax is imported."""
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(cache) / "jaxtrack" / "xla" / _processor()
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(folder))
    # Also what compiles in less than a second: crops, and dozens of small functions.
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def _processor() -> str:
    """Identifies the processor: another one may lack instructions of compiled code.

    Home folders are shared between machines.
    """
    kind = platform.processor()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # Not Linux.
        lines = []
    kind += "".join(sorted({n for n in lines if n.startswith(("flags", "Features"))}))
    return f"{platform.machine()}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"
