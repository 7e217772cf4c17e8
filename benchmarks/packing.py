"""Size and decoding time of packed frames in different formats.

Run: python -m benchmarks.packing
Frames come from $JAXTRACK_SHARED/realdata (or composed scenes if it is missing).
Rounds alternate in one process; CPU milliseconds per picture, medians.
"""

import os
import pathlib
import random
import statistics
import tempfile
import time
from typing import NamedTuple

import cv2
import numpy as np
from absl import app, flags

from jaxtrack import datasets
from jaxtrack.data import encoding
from jaxtrack.data.packing import shrink
from jaxtrack.data.packing.shrink import Shrink

_FRAMES = flags.DEFINE_integer("frames", 200, "Frames of video, and photographs.")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds; the median is shown.")
_VIDEO = ("davis_*", "segtrack2_*")
_STORED = {
    "whole frames, q90": Shrink("whole", quality=90),
    "whole frames, 400 px, q90": Shrink("whole", 400, 90),
    "track, q75": Shrink(quality=75),
    "track, q85": Shrink(quality=85),
    "track, q90 (default)": Shrink(),
    "track, q95": Shrink(quality=95),
    "track, 400 px, q90": Shrink(longest_side=400),
    "track, WebP q75": Shrink(quality=75, format="webp"),
    "track, WebP q87": Shrink(quality=87, format="webp"),
    "511 px squares, q90": Shrink("511"),
}


class _Row(NamedTuple):
    """Results of one format: bytes per frame, pictures, error, times."""

    size: float
    encoded: list[bytes]
    psnr: float
    seconds: float


def main(argv: list[str]) -> None:
    """Encodes frames in all formats, times decoding in turn, prints tables."""
    del argv
    cv2.setNumThreads(0)
    for name, frames in _material():
        original = [path.read_bytes() for path, _ in frames]
        rows = {"as the files are": _Row(_mean(map(len, original)), original, 0.0, 0.0)}
        rows |= {name: _encode(frames, how) for name, how in _STORED.items()}
        times = {name: [] for name in rows}
        for _ in range(_ROUNDS.value):
            for way, row in rows.items():
                times[way].append(_decode_all(row.encoded))
        print(f"\n{name}: {len(frames)} frames")
        head = ("kB/frame", "PSNR", "encode", "decode")
        print(f"{'stored as':28s} {'{:>8s} {:>6s} {:>7s} {:>7s}'.format(*head)}")
        for way, row in rows.items():
            decode = 1e3 * statistics.median(times[way]) / len(frames)
            encode = 1e3 * row.seconds / len(frames)
            print(
                f"{way:28s} {row.size / 1e3:8.1f} {row.psnr:6.1f} {encode:7.2f} "
                f"{decode:7.2f}"
            )


def _material():
    """Yields a name and (path, boxes `[K, 4]`) of frames of video, and photographs."""
    shared = pathlib.Path(os.environ.get("JAXTRACK_SHARED", "../shared")) / "realdata"
    if not (shared / "sequences").is_dir():
        from jaxtrack.data.composed import ComposedSource, write_sequences

        with tempfile.TemporaryDirectory() as folder:
            scenes = ComposedSource(num_tracks=8, length=20, size=(360, 640))
            write_sequences(scenes, folder)
            yield "composed scenes", _frames("folders", pathlib.Path(folder), ())
        return
    yield "video", _frames("folders", shared / "sequences", _VIDEO)
    table = shared / "images" / "coco_boxes.tsv"
    yield "photographs (COCO)", _frames("boxes", table, ())


def _frames(dataset, root, patterns):
    """Draws frames with at least one box."""
    listing, read = datasets.training(dataset, root, patterns=patterns)
    found = []
    for name, place in listing.found.items():
        clip = read(name, place)
        for time_, path in enumerate(clip.frames):
            xyxy = clip.xyxy[:, time_]
            xyxy = xyxy[~np.isnan(xyxy).any(axis=1)]
            if len(xyxy):
                found.append((path, xyxy))
    random.Random(0).shuffle(found)
    return found[: _FRAMES.value]


def _encode(frames, how):
    """Stores frames in one way."""
    encoded, errors, seconds = [], [], 0.0
    for path, xyxy in frames:
        image = encoding.read(path).image
        start = time.process_time()
        if how.crop == "511":
            pictures = [shrink.pysot_crop(image, box, how)[0] for box in xyxy]
        else:
            windows = shrink.windows(xyxy, image.shape[:2], how)
            pictures = [window.cut(image) for window in windows]
        options = {"format": how.format, "quality": how.quality or encoding.QUALITY}
        data = [encoding.encode(picture, **options) for picture in pictures]
        seconds += time.process_time() - start
        encoded += data
        for picture, one in zip(pictures, data, strict=True):
            difference = picture.astype(float) - encoding.decode(one, "")
            errors.append(np.mean(difference**2))
    psnr = 10 * np.log10(255**2 / np.mean(errors))
    size = sum(map(len, encoded)) / len(frames)
    return _Row(size, encoded, psnr, seconds)


def _decode_all(encoded):
    """Returns the CPU seconds of decoding pictures."""
    start = time.process_time()
    for data in encoded:
        encoding.decode(data, "")
    return time.process_time() - start


def _mean(values):
    """Returns the mean."""
    return statistics.mean(values)


if __name__ == "__main__":
    app.run(main)
