"""Pack a dataset's sequences and tables of stills into records to train from.

Without --dataset, a sequence is a folder `img/*.jpg` with `groundtruth_rect.txt`, a
line x,y,w,h a frame.
Killed, it goes on where it stopped when run again; OUT appears when it is complete.

Example:
  jaxtrack pack --root=videos/ --pattern='davis_*' --out=packed/davis
  jaxtrack pack --dataset=lasot --split=train --root=data/LaSOT --out=packed/lasot
"""

import argparse

from jaxtrack import datasets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    parser.add_argument("--root", metavar="DIR", help="folder of the dataset")
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        default="folders",
        help=f"one of {', '.join(datasets.DATASETS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--split", metavar="NAME", help="of the dataset (default: its first)"
    )
    parser.add_argument(
        "--pattern",
        metavar="GLOB",
        action="append",
        help="names of the sequences to take; repeatable (default: all)",
    )
    parser.add_argument(
        "--stills",
        metavar="FILE",
        action="append",
        default=[],
        help="table of photographs, a line `image x y w h` each; repeatable",
    )
    parser.add_argument("--out", metavar="DIR", required=True, help="folder to make")
    parser.add_argument(
        "--skip_damaged", action="store_true", help="leave damaged files out"
    )
    parser.add_argument(
        "--num_workers", metavar="N", type=int, default=0, help="0: one a core"
    )


def run(args: argparse.Namespace) -> None:
    """Packs."""
    from jaxtrack.data import build  # Late: --help needs none of it.

    index = build.build(
        args.out,
        root=args.root,
        patterns=args.pattern or (),
        stills=args.stills,
        dataset=args.dataset,
        split=args.split,
        skip_damaged=args.skip_damaged,
        num_workers=args.num_workers,
    )
    print(f"{args.out}: {len(index.names)} tracks, {len(index.records)} boxes")
