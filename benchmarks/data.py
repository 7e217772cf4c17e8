"""Speed of the loader on one core, compared with the steps of pysot's loader.

Run: python -m benchmarks.data
Real frames come from $JAXTRACK_SHARED/realdata/sequences (skipped if missing),
511-pixel crops from them or from composed scenes. Rounds alternate, medians are shown.
jaxtrack changes color and blur on the device, which is not included, so pysot's steps
are timed with and without them.
"""

import math
import os
import pathlib
import statistics
import tempfile
import time

import cv2
import numpy as np
from absl import app, flags

from jaxtrack.config import get_config
from jaxtrack.data import bank, build, crops, frames, pipeline
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.packing.shrink import WHOLE
from jaxtrack.data.portions import Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.data.sources import RecordSource
from jaxtrack.datasets import files, folders

_ROUNDS = flags.DEFINE_integer("rounds", 7, "Rounds; the median is shown.")
_PATTERN = flags.DEFINE_string("pattern", "*", "Names of the sequences to read.")
_PAIRS = flags.DEFINE_integer("pairs", 200, "Pairs per round.")
_SETTINGS = PairSettings(127, 255, context=0.5, negative_ratio=0.0)
_FRAME_RANGE = 100
_CROP = 511  # Side of the crops that pysot stores, px.
_PYSOT_MARK = 270  # Goal, pairs/s/core: twice pysot's on such a core.


def main(argv: list[str]) -> None:
    """Prepares the data, times every loader in turn, prints a table."""
    del argv
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sequences = _sequences(folder)
        _write_crops(sequences, folder / "crops")
        start = time.perf_counter()
        options = {"shrink": WHOLE, "num_workers": 1}
        index = build.build(
            folder / "frames.records",
            root=sequences,
            patterns=(_PATTERN.value,),
            **options,
        )
        seconds = time.perf_counter() - start
        print(f"packing: {len(index.records) / seconds:.0f} frames/s with one process")
        build.build(folder / "crops.records", root=folder / "crops", **options)
        loaders = {
            "as pysot, 511 px crops": _pysot_loader(folder / "crops"),
            "the same without colors and blur": _pysot_loader(
                folder / "crops", is_colored=False
            ),
            "jaxtrack, 511 px crops": _loader(folder / "crops.records"),
            "jaxtrack, the same from a bank": _loader(
                folder / "crops.records", bank_folder=folder / "bank"
            ),
            "jaxtrack, whole frames": _loader(folder / "frames.records"),
            "jaxtrack, whole frames, filled borders": _loader(
                folder / "frames.records", augmentation=_filled_borders()
            ),
        }
        seconds = {name: [] for name in loaders}
        for _ in range(_ROUNDS.value):
            for name, load in loaders.items():
                seconds[name].append(_seconds_per_pair(load))
        _report({name: statistics.median(times) for name, times in seconds.items()})
        _time_pipeline(folder / "frames.records")


def _report(seconds):
    """Prints pairs/s on one core and the ratio to pysot's steps."""
    own = seconds["as pysot, 511 px crops"]
    print(f"{'one core':38s} {'ms/pair':>8s} {'pairs/s':>8s} {'ratio':>6s}")
    for name, value in seconds.items():
        print(f"{name:38s} {1e3 * value:8.2f} {1 / value:8.0f} {own / value:6.2f}")
    print(f"goal: {_PYSOT_MARK} pairs/s on one core")


def _time_pipeline(folder):
    """Times the whole pipeline: Grain, one loader process, batches of 32."""
    iterator = _make_pipeline(folder, num_workers=1)
    for _ in range(3):
        next(iterator)  # Starts the process; fills its buffer.
    batches = max(_PAIRS.value * 3 // 32, 1)
    start = time.perf_counter()
    for _ in range(batches):
        next(iterator)
    rate = 32 * batches / (time.perf_counter() - start)
    iterator.close()
    print(f"whole pipeline, one loader process, batches of 32: {rate:.0f} pairs/s")


def _make_pipeline(folder, num_workers, augmentation=None):
    """Makes a pipeline with pysot's settings."""
    return pipeline.from_portions(
        [Portion("frames", RecordSource(folder), _FRAME_RANGE)],
        settings=_SETTINGS,
        augmentation=augmentation or _augmentation(),
        batch_size=32,
        seed=0,
        num_workers=num_workers,
    )


def _loader(folder, *, augmentation=None, bank_folder=None):
    """Returns a function that loads pair `i` like a loader process."""
    augmentation = augmentation or _augmentation()
    source = RecordSource(folder)
    if bank_folder is not None:
        footprint = bank.footprint_of(_SETTINGS, augmentation)
        options = bank.Options(num_workers=1, skip_damaged=False)
        place = str(bank_folder)
        (source,) = bank.open_bank([source], [math.inf], place, footprint, options)
    loader = PairLoader(
        [Portion("frames", source, _FRAME_RANGE)],
        settings=_SETTINGS,
        augmentation=augmentation,
    )

    def load(number):
        rng = np.random.default_rng(number)
        return loader.random_map((0, int(rng.integers(source.num_tracks))), rng)

    return load


def _augmentation(**changes):
    """Returns pysot's augmentation, changed."""
    return Augmentation(**get_config().augment.to_dict() | changes)


def _filled_borders():
    """Returns the loader settings of the small tracker's config."""
    return _augmentation(aspect=0.08, fill_image=0.4, search_scale=0.2)


def _pysot_loader(folder, *, is_colored=True):
    """Returns a function that processes stored crops like pysot's loader.

    Our code, from its published description: both crops are read from 511 px files,
    warped, then color in float64, a dense blur kernel, channels first in float32.
    """
    clips = [folders.read_sequence(path) for path in folders.list_sequences(folder)]
    directions = np.array([[-0.559, 0.981, -0.419], [1.72, 0.199, -1.83], [4.64] * 3])

    def view(image, size, shift, scale, blur, rng):
        factors = 1 + rng.uniform(-1, 1, 2) * scale
        center = (_CROP // 2) + rng.uniform(-1, 1, 2) * shift
        low = center - (size - 1) / 2 * factors
        matrix = np.array([[factors[0], 0, low[0]], [0, factors[1], low[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        image = cv2.warpAffine(image, matrix, (size, size), flags=flags)
        if not is_colored:
            return image.transpose(2, 0, 1).astype(np.float32)
        image = image - directions @ rng.standard_normal(3)
        if rng.random() < blur:
            side = int(rng.choice(np.arange(5, 46, 2)))
            weight = rng.random()
            kernel = np.zeros((side, side))
            kernel[:, side // 2] += weight / side
            kernel[side // 2] += (1 - weight) / side
            image = cv2.filter2D(image, -1, kernel)
        return image.transpose(2, 0, 1).astype(np.float32)

    def load(number):
        rng = np.random.default_rng(number)
        frames = clips[rng.integers(len(clips))].frames
        first = int(rng.integers(len(frames)))
        near = range(max(first - 100, 0), min(first + 101, len(frames)))
        z = cv2.imread(str(frames[first]))
        x = cv2.imread(str(frames[near[rng.integers(len(near))]]))
        return view(z, 127, 4, 0.05, 0.0, rng), view(x, 255, 64, 0.18, 0.2, rng)

    return load


def _seconds_per_pair(load):
    """Times a loader with the same pairs every round, after a few to warm up."""
    for number in range(5):
        load(number)
    start = time.process_time()
    for number in range(_PAIRS.value):
        load(number)
    return (time.process_time() - start) / _PAIRS.value


def _sequences(folder):
    """Returns a folder of sequences: the real ones, or composed ones."""
    default = pathlib.Path(__file__).resolve().parents[2] / "shared"
    shared = pathlib.Path(os.environ.get("JAXTRACK_SHARED", default))
    if (shared / "realdata" / "sequences").is_dir():
        return shared / "realdata" / "sequences"
    from jaxtrack.data.composed import ComposedSource, write_sequences

    print(f"{shared}/realdata is missing: composed scenes instead of real video")
    source = ComposedSource(num_tracks=8, length=20, seed=0, size=(360, 640))
    write_sequences(source, folder / "composed")
    return folder / "composed"


def _write_crops(sequences, out, every=5):
    """Writes the 511 px crops that pysot stores, with their centered boxes."""
    for path in folders.list_sequences(sequences):
        if not path.match(_PATTERN.value):
            continue
        sequence = folders.read_sequence(path, allow_absent=True)
        (out / path.name / "img").mkdir(parents=True)
        boxes = []
        for frame, xyxy in list(zip(sequence.frames, sequence.xyxy, strict=True))[
            ::every
        ]:
            if np.isnan(xyxy).any():
                continue
            image = cv2.imread(str(frame))
            wh = xyxy[2:] - xyxy[:2]
            side = crops.context_side(wh) * _CROP / 127
            view = crops.View((xyxy[:2] + xyxy[2:]) / 2, np.array([side, side]))
            shown = frames.whole(image)
            crop = crops.cut(shown, view, _CROP, shown.mean_color)
            boxes.append(crops.to_crop(xyxy, view, _CROP))
            cv2.imwrite(str(out / path.name / "img" / f"{len(boxes):04d}.jpg"), crop)
        files.write_boxes(out / path.name / "groundtruth_rect.txt", boxes)


if __name__ == "__main__":
    app.run(main)
