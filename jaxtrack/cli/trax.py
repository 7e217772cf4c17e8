"""Serve a tracker to the VOT toolkit, which starts this command itself.

Examples:
  jaxtrack trax --checkpoint=runs/lite0 --print_ini >> trackers.ini
  jaxtrack trax --checkpoint=lite --name=lite --print_ini >> trackers.ini
  jaxtrack trax --checkpoint=lite --polygon=bounds --compile_for=640x480,1280x720

--print_ini prints the section for the toolkit's trackers.ini; docs/toolkits.md shows
the whole way.
"""

import argparse
import re

from jaxtrack.cli import checks, options
from jaxtrack.errors import InputError

_DEFAULTS = {"polygon": "area", "compile_for": "640x480"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    options.add_checkpoint(parser)
    options.add(parser, "--name", "NAME", "name of the tracker (default: its folder's)")
    meaning = "box for a polygon: of the same area, or around all of it"
    shapes = ("area", "bounds")
    options.add(parser, "--polygon", "", meaning, default="area", choices=shapes)
    meaning = "image sizes to compile for before the toolkit measures time"
    sizes, default = options.comma_separated, _DEFAULTS["compile_for"]
    metavar = "WIDTHxHEIGHT,..."
    options.add(parser, "--compile_for", metavar, meaning, type=sizes, default=default)
    meaning = "print the section for trackers.ini with these options, and exit"
    options.add_flag(parser, "--print_ini", meaning)


def run(args: argparse.Namespace) -> None:
    """Prints the section, or serves."""
    from jaxtrack.integrations import trax

    checks.check_tracker(args.checkpoint, model=args.model)
    sizes = [_size(text) for text in args.compile_for]
    if args.print_ini:
        given = {"polygon": args.polygon, "compile_for": ",".join(args.compile_for)}
        own = [f"--{k}={v}" for k, v in given.items() if v != _DEFAULTS[k]]
        own += [f"--model={args.model}"] if args.model else []
        print(trax.ini_section(args.checkpoint, name=args.name, options=own), end="")
        return
    trax.import_trax()
    from jaxtrack import session  # Late: --help should not wait for jax.

    tracker = session.load(args.checkpoint, model=args.model)
    for hw in sizes:
        tracker.compile_for(hw)
    trax.serve(tracker, name=args.name or "jaxtrack", polygon=args.polygon)


def _size(text: str) -> tuple[int, int]:
    """Reads WIDTHxHEIGHT; returns height and width."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match or "0" in (width_height := match.groups()):
        raise InputError(f"--compile_for={text}: write WIDTHxHEIGHT, such as 640x480")
    width, height = map(int, width_height)
    return height, width
