"""Write composed videos in which distractors cross the target, with ground truth.

Examples:
  jaxtrack compose --out=videos/lookalikes
  jaxtrack compose --out=videos/lookalikes --num=8 --difference=0.3
  jaxtrack compose --out=videos/mine --photos=photos/ --cutouts=masks/

The photographs are ones that training never sees. Run again after an interruption, the
command continues where it stopped.
"""

import argparse

from jaxtrack.cli import checks, options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    count, whole = options.count, options.whole_number
    options.add(parser, "--out", "DIR", "folder for the sequences", required=True)
    options.add(parser, "--num", "N", "number of videos", type=count, default=12)
    meaning = "frames per video, at least 20"
    options.add(parser, "--length", "N", meaning, type=count, default=120)
    meaning = "seed of all random choices"
    options.add(parser, "--seed", "N", meaning, type=whole, default=0)
    meaning = "how much look-alikes may differ, from 0 (identical) to 1"
    options.add(parser, "--difference", "X", meaning, type=float, default=0.5)
    meaning = "folder of photographs; every fourth is used (default: "
    meaning += "scikit-image's)"
    options.add(parser, "--photos", "DIR", meaning, default=None)
    meaning = "folder of sequences with masks; the objects of every fourth are pasted"
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
