r"""Track one target through a video file, a folder of images or a camera.

Examples:
  jaxtrack track street.mp4 --box=120,80,40,60 --out=out.mp4
  jaxtrack track street.mp4 --box=120,80,40,60 --checkpoint=a.pth --model=siamcar_r50

Without --out, --boxes, --csv or --show, a line x,y,w,h a frame goes to standard output.
Text files and standard output are written as the boxes come: what was tracked until the
command ends, or is killed, is there. The .mp4 appears when the command ends, also at a
fault or Ctrl-C.

A bad frame stops nothing: a warning names it. For an image that cannot be read the one
before stands in, so that lines and frames agree; of a damaged video what decodes is
tracked. The exit status is 3 then; --strict stops at the first.
"""

import argparse

from jaxtrack.cli import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    meaning = "a video file, a folder of images, an address such as rtsp://... or a "
    meaning += "camera's number"
    parser.add_argument("video", metavar="VIDEO", nargs="?", default="", help=meaning)
    options.add(parser, "--checkpoint", "TRACKER", options.TRACKER, default="lite")
    options.add_model(parser)
    meaning = (
        "the target in the first frame, pixels; without it the first line of the "
        "folder's groundtruth_rect.txt, or with --show what the mouse draws"
    )
    options.add(parser, "--box", "X,Y,W,H", meaning)
    options.add(parser, "--out", "FILE", "video with the box drawn, an .mp4")
    options.add(parser, "--boxes", "FILE", "text file, a line x,y,w,h a frame")
    meaning = "text file with a header: frame (from 0), x, y, w, h, score, lost (0, 1)"
    options.add(parser, "--csv", "FILE", meaning)
    options.add_flag(parser, "--show", "show it in a window; q ends")
    options.add_flag(parser, "--strict", "stop at the first bad frame (exit code 2)")


def run(args: argparse.Namespace) -> None:
    """Tracks."""
    from jaxtrack.cli import video  # Late: --help should not wait for jax.

    summary = video.run(
        args.checkpoint,
        args.video,
        box=args.box,
        out=args.out,
        boxes=args.boxes,
        csv=args.csv,
        show=args.show,
        model=args.model,
        strict=args.strict,
    )
    if summary.skipped:
        raise SystemExit(3)
