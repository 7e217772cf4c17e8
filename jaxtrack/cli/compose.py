"""Write composed videos in which look-alikes cross the target, with the true boxes.

The photographs are those that training never sees. Run again, it goes on where it was.

Example:
  jaxtrack compose --num=8 --difference=0.3 --out=videos/lookalikes
"""

import argparse
import functools

from jaxtrack.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    count = functools.partial(options.whole_number, least=1)
    parser.add_argument(
        "--out", metavar="DIR", required=True, help="folder to write sequences to"
    )
    parser.add_argument(
        "--num",
        metavar="N",
        type=count,
        default=12,
        help="how many videos (default: %(default)s)",
    )
    parser.add_argument(
        "--length",
        metavar="N",
        type=count,
        default=120,
        help="frames of each (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        metavar="N",
        type=options.whole_number,
        default=0,
        help="of all random choices (default: %(default)s)",
    )
    parser.add_argument(
        "--difference",
        metavar="X",
        type=float,
        default=0.5,
        help="how much look-alikes may differ, from 0, not at all, to 1 "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--photos",
        metavar="DIR",
        help="folder of photographs, of which one of four is used "
        "(default: scikit-image's)",
    )
    parser.add_argument(
        "--cutouts",
        metavar="DIR",
        help="folder of sequences with masks, whose objects are pasted; one of four "
        "is used",
    )


def run(args: argparse.Namespace) -> None:
    """Writes."""
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
