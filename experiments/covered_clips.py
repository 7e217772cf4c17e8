"""Write real clips in which something passes in front of the target once.

Frames that it does not touch are links to the clip's own. Each sequence also has
`visible.txt`, the visible fraction of the target's box, one line per frame. Run the
same command again to resume.

Example:
  python -m experiments.covered_clips --sequences=REALDATA/sequences \
      --pattern='davis_*' --photos=REALDATA/images/debian_wallpapers --out=videos
"""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile

import cv2
import numpy as np
from tqdm import tqdm

from experiments.hard_scenes import passage
from jaxtrack import cli, datasets
from jaxtrack.cli import options
from jaxtrack.data.composed.photos import find_photographs
from jaxtrack.datasets.pictures import read_image
from jaxtrack.datasets.sequence import Sequence as Video

_HIDDEN = (10, 40)  # Frames with a hidden target, at most a quarter of all.
_FIRST = 20
_LAST = 15  # Frames after.
_LEAST = 45  # Shorter clips are left out.
_MARGIN = 1.15  # Sides of the slab over those of the target's box.


def write_covered(out: pathlib.Path, video: Video, photo: pathlib.Path) -> None:
    """Copies a real clip with a slab that passes in front of the target once.

    Args:
      out: output folder; the copy is named `covered_<name>`.
      video: the clip.
      photo: texture of the slab.
    """
    folder = out / f"covered_{video.name}"
    boxes, count = video.xyxy, len(video.frames)
    if folder.exists() or count < _LEAST:
        return
    rng = np.random.default_rng(sum(map(ord, video.name)))
    duration = int(rng.integers(_HIDDEN[0], min(_HIDDEN[1], count // 4) + 1))
    start = int(rng.integers(_FIRST, count - duration - _LAST))
    filled = np.where(np.isfinite(boxes), boxes, boxes[0])
    center, offset = passage(filled, start, duration, rng)
    wh = (filled[:, 2:] - filled[:, :2])[start - 2 : start + duration + 2].max(
        0
    ) * _MARGIN
    middle, texture = center + offset * wh, read_image(photo)
    partial = pathlib.Path(tempfile.mkdtemp(prefix=".partial_", dir=out))
    (partial / "img").mkdir()
    shares = []
    for t, path in enumerate(video.frames):
        slab = np.concatenate([middle[t] - wh / 2, middle[t] + wh / 2])
        share = _covered_share(filled[t], slab)
        shares.append(1 - share)
        copy = partial / "img" / f"{t + 1:04d}.jpg"
        image = read_image(path).copy()
        if np.abs(offset[t]).max() <= 1.5 and _paste(image, texture, slab):
            cv2.imwrite(os.fspath(copy), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        else:
            copy.symlink_to(pathlib.Path(path).resolve())
    np.savetxt(partial / "visible.txt", shares, "%.3f")
    truth = pathlib.Path(video.frames[0]).parents[1] / "groundtruth_rect.txt"
    shutil.copy(truth, partial / "groundtruth_rect.txt")
    partial.chmod(0o755)
    partial.rename(folder)


def _covered_share(box, slab):
    """Returns how much of a box a slab covers, both xyxy."""
    low, high = np.maximum(box[:2], slab[:2]), np.minimum(box[2:], slab[2:])
    return np.prod(np.maximum(high - low, 0)) / np.prod(box[2:] - box[:2])


def _paste(image, texture, slab):
    """Draws a slab, xyxy px, into a picture; returns whether it is visible."""
    x0, y0, x1, y1 = np.round(slab).astype(int)
    height, width = image.shape[:2]
    left, top, right, bottom = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if left >= right or top >= bottom:
        return False
    scaled = cv2.resize(texture, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    image[top:bottom, left:right] = scaled[
        top - y0 : bottom - y0, left - x0 : right - x0
    ]
    return True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add = options.add
    add(parser, "--out", "DIR", "folder to write sequences to", required=True)
    add(parser, "--sequences", "DIR", "folder of annotated sequences", required=True)
    options.add_list(parser, "--pattern", "GLOB", "names of sequences to take")
    add(parser, "--photos", "DIR", "folder of photographs", required=True)


def run(args: argparse.Namespace) -> None:
    """Writes."""
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    patterns = tuple(args.pattern)
    clips = datasets.load("folders", args.sequences, sequences=patterns).videos
    photos = find_photographs(args.photos)
    for number, video in enumerate(tqdm(clips, "clips")):
        write_covered(out, video, photos[number % len(photos)])


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="covered_clips")
