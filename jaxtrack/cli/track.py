r"""Track one target through a video file, a folder of images or a camera.

Example:
  jaxtrack track --checkpoint=runs/lite0 --video=street.mp4 --box=120,80,40,60 \
      --out=out.mp4
"""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    parser.add_argument(
        "--checkpoint", metavar="DIR", default="", help="workdir of a training"
    )
    parser.add_argument(
        "--video", default="", help="a file, a folder of images or a camera's number"
    )
    parser.add_argument(
        "--box",
        metavar="X,Y,W,H",
        default="",
        help="the target in the first frame, pixels; without it the first line of the "
        "folder's groundtruth_rect.txt, or with --show what the mouse draws",
    )
    parser.add_argument(
        "--out", metavar="FILE", default="", help="video with the box drawn, an .mp4"
    )
    parser.add_argument(
        "--boxes", metavar="FILE", default="", help="text file, a line x,y,w,h a frame"
    )
    parser.add_argument(
        "--show", action="store_true", help="show it in a window; q ends"
    )


def run(args: argparse.Namespace) -> None:
    """Tracks."""
    from jaxtrack.cli import video  # Late: --help should not wait for jax.

    video.run(
        args.checkpoint,
        args.video,
        box=args.box,
        out=args.out,
        boxes=args.boxes,
        show=args.show,
    )
