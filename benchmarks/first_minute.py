"""A stranger's first minute: from an empty environment to a drawn video.

Builds the wheel, installs it where nothing is, and tracks the clip of the
demonstration with an empty cache of compilations, and once more. Needs the clip
(`pip install 'jaxtrack[demo]'`), and what pip finds.

Example:
  python -m benchmarks.first_minute
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence

from jaxtrack import cli
from jaxtrack.cli import demo_clip
from jaxtrack.errors import InputError

ROOT = pathlib.Path(__file__).resolve().parent.parent
PARTS = ("jaxtrack", "configs", "pyproject.toml", "README.md", "LICENSE")
_FIRST_TRACKED = 2  # Line of the output; the one before is the given box.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines no option."""


def run(args: argparse.Namespace) -> None:
    """Measures."""
    del args
    clip = demo_clip.find()
    if clip is None:
        raise InputError("the clip is not installed: pip install 'jaxtrack[demo]'")
    with tempfile.TemporaryDirectory() as folder:
        for what, seconds in measure(pathlib.Path(folder), clip):
            print(f"{seconds:7.1f} s  {what}", flush=True)


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
    yield "the first tracked box, warm", until_line(_FIRST_TRACKED, *track, **variables)
    shutil.rmtree(folder / "cache")
    seconds = until_line(_FIRST_TRACKED, *track, **variables)
    yield "the first tracked box, nothing compiled before", seconds


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


def until_line(number: int, *command: object, **variables: str) -> float:
    """Starts a command and ends it at a line of its output; returns the seconds.

    Raises:
      InputError: the output ends before.
    """
    begin = time.perf_counter()
    with subprocess.Popen(
        _words(command),
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        lines = [process.stdout.readline() for _ in range(number)]
        seconds = time.perf_counter() - begin
        process.kill()
    if not all(lines):
        raise InputError(f"{_words(command)[0]} ended before line {number}")
    return seconds


def _words(command: Sequence[object]) -> list[str]:
    """The words of a command."""
    return [str(word) for word in command]


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="first_minute")
