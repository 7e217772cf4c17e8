"""Write composed videos in which look-alikes cross the target, with the true boxes.

The photographs are those that training never sees. Run again, it goes on where it was.

Example:
  jaxtrack compose --num=8 --difference=0.3 --out=videos/lookalikes
"""

import argparse

from jaxtrack.cli import checks, options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    count, whole = options.count, options.whole_number
    options.add(parser, "--out", "DIR", "folder to write sequences to", required=True)
    options.add(parser, "--num", "N", "how many videos", type=count, default=12)
    options.add(parser, "--length", "N", "frames of each", type=count, default=120)
    options.add(parser, "--seed", "N", "of all random choices", type=whole, default=0)
    meaning = "how much look-alikes may differ, from 0, not at all, to 1"
    options.add(parser, "--difference", "X", meaning, type=float, default=0.5)
    meaning = "folder of photographs, one of four of which is used; else scikit-image's"
    options.add(parser, "--photos", "DIR", meaning, default=None)
    meaning = "folder of sequences with masks, of which one of four lends its object"
    options.add(parser, "--cutouts", "DIR", meaning, default=None)


def run(args: argparse.Namespace) -> None:
    """Writes."""
    checks.check_folder(args.out)
    from jaxtrack.data.composed import lookalikes  # Late: --help needs none of it.

    written = lookalikes.write(
        args.out,
        num=args.num,
        length=args.length,
        seed=args.seed,
        difference=args.difference,
        photos=args.photos,
        cutouts=args.cutouts,
    )
    print(f"{args.out}: {len(written)} sequences")
