"""A user's first minute: from an empty environment to a tracked video.

Builds the wheel, installs it in an empty environment, and tracks the clip of the demo.
Then times the start of four commands with an empty compilation cache (cold) and once
more (warm), in wall time and in CPU seconds, which a busy machine changes little. Needs
the clip (`pip install 'jaxtrack[demo]'`) and access for pip.

Examples:
  python -m benchmarks.first_minute
  python -m benchmarks.first_minute --commands
"""

import argparse
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from jaxtrack import cli
from jaxtrack.cli import demo_clip, options
from jaxtrack.errors import InputError

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ("jaxtrack", "configs", "pyproject.toml", "README.md", "LICENSE")
_POLL = 0.02  # Seconds between two looks.


class Spent(NamedTuple):
    """Seconds that a command took.

    Attributes:
      wall: by the clock.
      cpu: of all cores.
    """

    wall: float
    cpu: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    meaning = "only the start of the commands, in this environment"
    options.add_flag(parser, "--commands", meaning)


def run(args: argparse.Namespace) -> None:
    """Measures."""
    clip = demo_clip.find()
    if clip is None:
        raise InputError("the clip is not installed: pip install 'jaxtrack[demo]'")
    with tempfile.TemporaryDirectory() as folder:
        if not args.commands:
            for what, seconds in measure(pathlib.Path(folder), clip):
                print(f"{seconds:7.1f} s  {what}", flush=True)
        print("  wall, s    CPU, s")
        print(" cold  warm  cold  warm  the start of")
        for what, cold, warm in starts(pathlib.Path(folder), clip):
            numbers = (cold.wall, warm.wall, cold.cpu, warm.cpu)
            print("".join(f"{n:5.1f} " for n in numbers) + f" {what}", flush=True)


def starts(
    folder: pathlib.Path, clip: demo_clip.Clip
) -> Iterator[tuple[str, Spent, Spent]]:
    """Starts commands with an empty cache of compilations, and once more.

    Args:
      folder: for output.
      clip: what to track.

    Yields:
      What was waited for, and the cold and the warm start.
    """
    jaxtrack = (sys.executable, "-m", "jaxtrack")
    scenes = folder / "scenes"
    call(*jaxtrack, "compose", f"--out={scenes}", "--num=1", "--length=20")
    track = ("track", clip.path, f"--box={clip.box}")
    evaluate = ("eval", "--checkpoint=lite", f"--sequences={scenes}")
    train = ("train", "--config=demo", "--config.data.num_workers=0")
    log = folder / "output.txt"
    cases = (
        ("track: the first tracked box", track, lambda out: _lines(log) > 1),
        (
            "eval: the first result",
            (*evaluate, "--out={}"),
            lambda out: any(out.glob("results/*/finished/*")),
        ),
        (
            "train --config=demo: the first step",
            (*train, "--workdir={}"),
            lambda out: "compiled in" in log.read_text(),
        ),
        (
            "demo: the clip, drawn",
            ("demo", "--out={}"),
            lambda out: "2/4" in log.read_text(),
        ),
    )
    for number, (what, command, found) in enumerate(cases):
        spent = []
        cache = folder / f"cache{number}"
        for way in ("cold", "warm"):
            out = folder / f"{way}{number}"
            words = [str(word).replace("{}", str(out)) for word in command]
            how = {"log": log, "JAX_COMPILATION_CACHE_DIR": str(cache)}
            spent.append(until(partial(found, out), *jaxtrack, *words, **how))
        yield what, *spent


def measure(folder: pathlib.Path, clip: demo_clip.Clip) -> Iterator[tuple[str, float]]:
    """Installs and tracks.

    Args:
      folder: empty.
      clip: what to track.

    Yields:
      What was done, and its seconds.
    """
    wheel = build_wheel(folder)
    call(sys.executable, "-m", "venv", folder / "env")
    programs = folder / "env" / "bin"
    install = timed(programs / "pip", "install", "--quiet", f"{wheel}[video]")
    yield "pip install of the wheel and what it needs", install
    variables = {"JAX_COMPILATION_CACHE_DIR": str(folder / "cache"), "PYTHONPATH": ""}
    track = (programs / "jaxtrack", "track", clip.path, f"--box={clip.box}")
    out = folder / "out.mp4"
    cold = timed(*track, f"--out={out}", **variables)
    yield f"the first drawn video, {out.stat().st_size / 1e6:.1f} MB", cold
    yield "together", install + cold
    yield "the same video again", timed(*track, f"--out={out}", **variables)


def build_wheel(folder: pathlib.Path) -> pathlib.Path:
    """Builds the wheel from a copy of the sources; returns its path."""
    source = folder / "source"
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, source / part, symlinks=True)
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(ROOT / part, source)
    made = folder / "wheel"
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", made, source)
    call(sys.executable, *build)
    (wheel,) = made.iterdir()
    return wheel


def call(*command: object, **variables: str) -> None:
    """Runs a command to its end.

    Raises:
      InputError: it fails; with the last line that it wrote.
    """
    done = subprocess.run(
        _words(command), env=os.environ | variables, capture_output=True, text=True
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise InputError(f"{_words(command)[0]} failed: {lines[-1]}")


def timed(*command: object, **variables: str) -> float:
    """Runs a command; returns its seconds; see `call`."""
    begin = time.perf_counter()
    call(*command, **variables)
    return time.perf_counter() - begin


def until(
    found: Callable[[], bool], *command: object, log: pathlib.Path, **variables: str
) -> Spent:
    """Starts a command and ends it as soon as something is there.

    Args:
      found: whether it is there.
      *command: the words.
      log: what the command prints goes into this file.
      **variables: of the environment.

    Returns:
      What it took up to then.

    Raises:
      InputError: the command ends before; with the last line that it wrote.
    """
    with open(log, "w") as file:
        begin = time.perf_counter()
        streams = {"stdout": file, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(
            _words(command), env=os.environ | variables, **streams
        )
        while not (is_there := found()) and process.poll() is None:
            time.sleep(_POLL)
    wall = time.perf_counter() - begin
    if not is_there and not found():
        lines = log.read_text().strip().splitlines() or ["no message"]
        raise InputError(f"{_words(command)[0]} ended too early: {lines[-1]}")
    # poll() reaps a process that has ended, and with it what it used.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process.kill()
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall, cpu)


def _lines(path: pathlib.Path) -> int:
    """Counts boxes, which may follow a progress bar in their line."""
    return len(re.findall(r"[\d.]+,[\d.-]+,[\d.]+,[\d.]+\n", path.read_text()))


def _words(command: Sequence[object]) -> list[str]:
    """The words of a command."""
    return [str(word) for word in command]


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="first_minute")
