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
from jaxtrack.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add, add_list = options.add, options.add_list
    add(parser, "--root", "DIR", "folder of the dataset")
    meaning = f"one of {', '.join(datasets.DATASETS)}"
    add(parser, "--dataset", "NAME", meaning, default="folders")
    add(parser, "--split", "NAME", "of the dataset (default: its first)", default=None)
    add_list(parser, "--pattern", "GLOB", "names of the sequences to take, else all")
    meaning = "table of photographs, a line `image x y w h` each"
    add_list(parser, "--stills", "FILE", meaning)
    add(parser, "--out", "DIR", "folder to make", required=True)
    options.add_flag(parser, "--skip_damaged", "leave damaged files out")
    meaning = "processes; 0: one a core"
    add(parser, "--num_workers", "N", meaning, type=options.whole_number, default=0)


def run(args: argparse.Namespace) -> None:
    """Packs."""
    from jaxtrack.data import build  # Late: --help needs none of it.

    index = build.build(
        args.out,
        root=args.root,
        patterns=args.pattern,
        stills=args.stills,
        dataset=args.dataset,
        split=args.split,
        skip_damaged=args.skip_damaged,
        num_workers=args.num_workers,
    )
    print(f"{args.out}: {len(index.names)} tracks, {len(index.records)} boxes")
