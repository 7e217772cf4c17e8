"""Speed of the loader per source and for a mixture, with and without a bank.

Run: python -m benchmarks.loading [--workers] [--rss_pairs=200000]
Half of the pairs are from videos, a quarter from still images, a quarter from composed
scenes, all in $JAXTRACK_SHARED/realdata, with the loader's part of siamcar_lite0's
augmentation. CPU time of one core; rounds alternate, medians are shown.
"""

import contextlib
import math
import os
import pathlib
import statistics
import tempfile
import time

import cv2
import numpy as np
import psutil
from absl import app, flags

from benchmarks.rounds import timed
from jaxtrack.configs import siamcar_lite0
from jaxtrack.data import bank, build, crops, encoding, pairs, pipeline, records
from jaxtrack.data.composed import ComposedSource
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.portions import Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.data.sources import RecordSource

_ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds; the median is shown.")
_PAIRS = flags.DEFINE_integer("pairs", 200, "Pairs per round.")
_FOLDER = flags.DEFINE_string(
    "folder", "", "Folder for packed data; by default temporary."
)
_SCENES = flags.DEFINE_integer("scenes", 300, "Composed scenes, 5 frames each.")
_WORKERS = flags.DEFINE_bool("workers", False, "Also time 1 and 2 loader processes.")
_RSS_PAIRS = flags.DEFINE_integer(
    "rss_pairs", 0, "Also measure memory over this many pairs."
)
_SHARES = {"video": 0.5, "stills": 0.25, "scenes": 0.25}
_VIDEOS = ("davis*", "segtrack2_*", "fod_*", "drone_*", "scb_*", "jhmdb_*", "mot1*")
_FRAME_RANGE = 100
_BATCH = 32
_SETTINGS = PairSettings(128, 256, context=0.5, negative_ratio=0.08)
# Parts of a pair's time: module and function.
_PARTS = {
    "record": (records, "read_record"),
    "decode": (encoding, "decode"),
    "draw a pair": (pairs, "sample_pair"),
    "crop": (crops, "cut"),
    "compose": (ComposedSource, "frame"),
}


def main(argv: list[str]) -> None:
    """Prepares the data, then times."""
    del argv
    cv2.setNumThreads(0)
    with contextlib.ExitStack() as stack:
        folder = _FOLDER.value
        if not folder:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
        sources = _sources(pathlib.Path(folder))
        augmentation = Augmentation(**siamcar_lite0.get_config().augment)
        banked = bank.open_bank(
            list(sources.values()),
            [math.inf] * len(sources),
            str(pathlib.Path(folder) / "bank"),
            bank.footprint_of(_SETTINGS, augmentation),
            bank.Options(os.cpu_count() or 1, skip_damaged=True),
        )
        kinds = {"decoded": list(sources.values()), "bank": banked}
        loaders = {
            kind: PairLoader(_portions(of_kind), _SETTINGS, augmentation, True)
            for kind, of_kind in kinds.items()
        }
        _report_sources(loaders)
        for kind, loader in loaders.items():
            _report_parts(kind, loader)
        _report_pipeline(loaders["bank"].portions, augmentation, num_workers=0)
        if _WORKERS.value:
            for num_workers in (1, 2):
                _report_pipeline(loaders["bank"].portions, augmentation, num_workers)
        if _RSS_PAIRS.value:
            _report_memory(loaders["bank"])


def _sources(folder):
    """Packs the real data, and returns the three sources."""
    default = pathlib.Path(__file__).resolve().parents[2] / "shared"
    data = pathlib.Path(os.environ.get("JAXTRACK_SHARED", default)) / "realdata"
    tables = sorted((data / "images").glob("*_boxes.tsv"))
    options = {"max_bad": 1000}
    build.build(folder / "video", root=data / "sequences", patterns=_VIDEOS, **options)
    build.build(folder / "stills", stills=tables, **options)
    held_out = ("otb_", "uav_", "vot_")
    masks = sorted((data / "sequences").glob("*/mask"))
    cutouts = [p.parent for p in masks if not p.parent.name.startswith(held_out)]
    scenes = ComposedSource(
        data / "images",
        cutouts=cutouts,
        num_tracks=_SCENES.value,
        length=60,
        shown=5,
        split="all",
    )
    records_of = {name: RecordSource(folder / name) for name in ("video", "stills")}
    return {**records_of, "scenes": scenes}


def _portions(sources):
    """Returns sources with their shares."""
    return [
        Portion(name, source, _FRAME_RANGE, share)
        for (name, share), source in zip(_SHARES.items(), sources, strict=True)
    ]


def _load(loader, number, count, first=0):
    """Loads pairs of one source."""
    tracks = loader.portions[number].source.num_tracks
    for pair in range(first, first + count):
        rng = np.random.default_rng((number, pair))
        loader.random_map((number, int(rng.integers(tracks))), rng)


def _report_sources(loaders):
    """Prints ms per pair and pairs/s/core for every source and the mixture."""
    runs = {}
    for kind, loader in loaders.items():
        for number, name in enumerate(_SHARES):
            _load(loader, number, 20, first=10**6)
            run = _Run(loader, number)
            runs[f"{kind} {name}"] = (run, _PAIRS.value)
    _, cores = timed(runs, _ROUNDS.value)
    for kind in loaders:
        cores[f"{kind} mixture"] = sum(
            share * cores[f"{kind} {name}"] for name, share in _SHARES.items()
        )
    print(f"{'one core':20s} {'ms/pair':>8s} {'pairs/s':>8s}")
    for name, seconds in cores.items():
        print(f"{name:20s} {1e3 * seconds:8.2f} {1 / seconds:8.0f}")


class _Run:
    """Loads the same pairs of one source every round."""

    def __init__(self, loader, number):
        self._loader, self._number = loader, number

    def __call__(self):
        _load(self._loader, self._number, _PAIRS.value)


def _report_parts(kind, loader):
    """Prints the parts of a pair's time, for the mixture."""
    spent = dict.fromkeys(_PARTS, 0.0)
    total = 0.0
    with contextlib.ExitStack() as stack:
        for part, (owner, name) in _PARTS.items():
            stack.enter_context(_clocked(owner, name, part, spent))
        for number, share in enumerate(_SHARES.values()):
            before, start = dict(spent), time.process_time()
            _load(loader, number, _PAIRS.value)
            total += share * (time.process_time() - start)
            for part, value in spent.items():
                spent[part] = before[part] + share * (value - before[part])
    print(f"parts of a pair, {kind}, ms:", end="")
    for part, seconds in {**spent, "all": total}.items():
        print(f" {part} {1e3 * seconds / _PAIRS.value:.2f}", end=",")
    print()


@contextlib.contextmanager
def _clocked(owner, name, part, spent):
    """Adds the CPU time of a function to a part."""
    function = getattr(owner, name)

    def clocked(*args, **kwargs):
        start = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent[part] += time.process_time() - start

    setattr(owner, name, clocked)
    try:
        yield
    finally:
        setattr(owner, name, function)


def _report_pipeline(portions, augmentation, num_workers):
    """Prints the speed of the whole pipeline: Grain, batches, copies."""
    iterator = pipeline.from_portions(
        portions,
        settings=_SETTINGS,
        augmentation=augmentation,
        batch_size=_BATCH,
        seed=0,
        num_workers=num_workers,
        skip_damaged=True,
    )
    for _ in range(4 + 4 * num_workers):
        next(iterator)  # Starts the processes; fills their buffers.
    walls, cores, children = [], [], []
    count = max(_PAIRS.value // _BATCH, 1) * max(num_workers, 1) * 4
    for _ in range(_ROUNDS.value):
        wall, core, child = time.perf_counter(), time.process_time(), _children()
        for _ in range(count):
            next(iterator)
        walls.append((time.perf_counter() - wall) / count / _BATCH)
        cores.append((time.process_time() - core) / count / _BATCH)
        children.append((_children() - child) / count / _BATCH)
    iterator.close()
    wall, core, child = map(statistics.median, (walls, cores, children))
    print(
        f"pipeline, bank, {num_workers} processes, batches of {_BATCH}: "
        f"{1 / wall:.0f} pairs/s by the clock; CPU ms a pair: {1e3 * core:.2f} here, "
        f"{1e3 * child:.2f} in loader processes"
    )


def _children():
    """Returns the CPU seconds of all loader processes so far."""
    times = [child.cpu_times() for child in psutil.Process().children()]
    return sum(spent.user + spent.system for spent in times)


def _report_memory(loader):
    """Prints how memory changes over many pairs of the mixture."""
    process = psutil.Process()
    names = list(_SHARES)
    turns = [names.index(n) for n in ("video", "stills", "video", "scenes")]
    own, resident = [], []
    step = max(_RSS_PAIRS.value // 20, 1)
    for first in range(0, _RSS_PAIRS.value, step):
        for turn, number in enumerate(turns):
            _load(loader, number, step // 4, first=first + turn)
        info = process.memory_info()
        resident.append(info.rss / 1e6)
        own.append((info.rss - info.shared) / 1e6)
    settled = own[2:]
    spread = (max(settled) - min(settled)) / min(settled)
    print(
        f"memory over {_RSS_PAIRS.value} pairs: own {own[2]:.0f} -> {own[-1]:.0f} MB, "
        f"spread {100 * spread:.1f} % after the first tenth; with the shared pages of "
        f"the bank {resident[0]:.0f} -> {resident[-1]:.0f} MB"
    )


if __name__ == "__main__":
    app.run(main)
