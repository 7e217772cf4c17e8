"""Label a video from one box, or a few, by tracking it there and back.

Examples:
  jaxtrack annotate street.mp4 --box=120,80,40,60 --out=labels/street
  echo 250,310,95,38,57 >> labels/street/keys.csv
  jaxtrack annotate street.mp4 --out=labels/street
  jaxtrack pack --root=labels --out=packed/mine

Boxes on which both ways agree are kept. For the others the command says where a box
drawn by you would help most: write it into OUT/keys.csv and run the command again;
between two known boxes it tracks from both. OUT is a sequence that pack, eval and train
read: img/ and groundtruth_rect.txt, with nan where no box is kept.
"""

import argparse

from jaxtrack.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    meaning = "a video file, or a folder of images"
    parser.add_argument("video", metavar="VIDEO", help=meaning)
    add = options.add
    add(parser, "--out", "OUT", "folder to make, or to continue", required=True)
    meaning = "the target in the first frame, pixels"
    add(parser, "--box", "X,Y,W,H", meaning)
    add(parser, "--checkpoint", "TRACKER", options.TRACKER, default="lite")
    options.add_model(parser)
    meaning = "keep boxes on which both ways agree with at least this IoU"
    add(parser, "--agreement", "IOU", meaning, type=float, default=0.5)
    meaning = "keep boxes with at least this score"
    add(parser, "--score", "SCORE", meaning, type=float, default=0.5)


def run(args: argparse.Namespace) -> None:
    """Labels, and says what to correct."""
    from jaxtrack.cli import annotate_files  # Late: --help should not wait for jax.

    annotate_files.run(
        args.video,
        args.out,
        box=args.box,
        checkpoint=args.checkpoint,
        model=args.model,
        least=annotate_files.Least(args.agreement, args.score),
    )
