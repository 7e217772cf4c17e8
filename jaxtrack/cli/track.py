"""Track one target or several through a video, a folder of images or a stream.

Examples:
  jaxtrack track street.mp4
  jaxtrack track street.mp4 --box=120,80,40,60 --out=out.mp4
  jaxtrack track frames/%04d.jpg --box=first_box.txt --csv=boxes.csv
  jaxtrack track rtsp://host/stream --box=120,80,40,60 --box=300,90,40,60
  jaxtrack track street.mp4 --box=120,80,40,60 --checkpoint=a.pth --model=siamcar_r50

Without --box a page opens in the browser (pip install 'jaxtrack[web]'): draw boxes on
the first frame, watch them tracked, correct them on any frame, download the result.

Without --out, --boxes or --csv, one line x,y,w,h per frame goes to standard output.
Text is written frame by frame, so that an interruption loses nothing; the .mp4 appears
when the command ends, after Ctrl-C too.

A frame that cannot be read is named in a warning: the image before it stands in, or of
a video what decodes is tracked. The exit status is 3 then; --strict stops at the first.
"""

import argparse

from jaxtrack.cli import checks, options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    meaning = "a video file, a folder of images, a pattern of their names such as "
    meaning += (
        "frames/%%04d.jpg, an address (rtsp://..., http://...), a camera's device "
    )
    meaning += "(/dev/video0) or number"
    parser.add_argument("video", metavar="VIDEO", nargs="?", default="", help=meaning)
    options.add(parser, "--checkpoint", "TRACKER", options.TRACKER, default="lite")
    options.add_model(parser)
    meaning = (
        "the target in the first frame, pixels, or a text file with that as its first "
        "line (default: the first line of the folder's groundtruth_rect.txt, else a "
        "page in the browser to draw it on)"
    )
    options.add_list(parser, "--box", "X,Y,W,H", meaning)
    options.add(parser, "--out", "FILE", "video with the boxes drawn, an .mp4")
    meaning = "text file, one line x,y,w,h per frame, of all targets in turn"
    options.add(parser, "--boxes", "FILE", meaning)
    meaning = "text file with a header: frame (from 0), target (from 1), x, y, w, h, "
    meaning += "score, lost (0, 1)"
    options.add(parser, "--csv", "FILE", meaning)
    options.add_flag(parser, "--show", "open the page even if a box is given")
    meaning = "print the page's address instead of opening it"
    options.add_flag(parser, "--no_browser", meaning)
    options.add_flag(parser, "--strict", "stop at the first bad frame (exit status 2)")


def run(args: argparse.Namespace) -> None:
    """Tracks."""
    checks.check_video(args.video)
    checks.check_tracker(args.checkpoint, model=args.model)
    # Late: --help should not wait for jax.
    from jaxtrack.cli import first_box, page, video
    from jaxtrack.tracking.outputs import Outputs

    boxes = first_box.first_boxes(args.video, args.box)
    how = {
        "outputs": Outputs(args.out, args.boxes, args.csv),
        "model": args.model,
        "strict": args.strict,
    }
    if boxes and not args.show:
        skipped = video.run(args.checkpoint, args.video, boxes, **how).skipped
    else:
        page.check(open_browser=not args.no_browser)
        how["open_browser"] = not args.no_browser
        skipped = page.run(args.checkpoint, args.video, boxes, **how)
    if skipped:
        raise SystemExit(3)
