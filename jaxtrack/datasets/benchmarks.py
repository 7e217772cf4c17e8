"""Benchmarks: the videos of public test sets, their truth and what scores need."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from jaxtrack.datasets import (
    files,
    folders,
    got10k,
    lasot,
    nfs,
    otb,
    tnl2k,
    trackingnet,
    uav123,
    vot,
)
from jaxtrack.datasets.annotations import Sequence as Video
from jaxtrack.errors import InputError

_NAMED = 20  # Missing sequences that an error names.


@dataclass(frozen=True)
class _Kind:
    """What is fixed of a benchmark; the first split is the default."""

    layout: ModuleType
    protocol: str
    splits: tuple[str, ...] = ("all",)
    origin: float = 0.0
    is_scored: bool = True


_KINDS = {
    "otb50": _Kind(otb, "otb", origin=1.0),
    "otb100": _Kind(otb, "otb", origin=1.0),
    "uav123": _Kind(uav123, "otb"),
    "nfs30": _Kind(nfs, "otb"),
    "lasot": _Kind(lasot, "lasot", ("test", "train", "all")),
    "tnl2k": _Kind(tnl2k, "lasot", ("test",)),
    "trackingnet": _Kind(trackingnet, "trackingnet", trackingnet.SPLITS),
    "got10k_val": _Kind(got10k, "got10k", ("val",)),
    "got10k_test": _Kind(got10k, "got10k", ("test",), is_scored=False),
    "vot2018": _Kind(vot, "vot2018"),
    "vot2019": _Kind(vot, "vot2019"),
    "folders": _Kind(folders, "otb"),
}
NAMES = tuple(_KINDS)


@dataclass(frozen=True)
class Benchmark:
    """A test set, read from the disk; dictionaries go by the sequences' names.

    Attributes:
      name: one of `NAMES`.
      root: the folder it was read from.
      split: of the benchmark, "all" where it has none.
      videos: in the benchmark's order; boxes in our convention, continuous px from the
        picture's top-left edge; rows of NaN where the target is absent or the truth is
        not public.
      truth: `[N, 4]` xywh exactly as the files say, or `[1, 4]` where they hold the
        first box alone. Of VOT's polygons the boxes around them.
      origin: what is added to our x and y to get the files' coordinates.
      absent: `[N]` bool of the benchmark's own flags; None where it has none.
      cover: `[N]` int, visible share of the target in eighths (GOT-10k); None without.
      attributes: of sequences.
      regions: `[N, 8]` polygons or `[N, 4]` xywh of VOT, as the files say.
      tags: of VOT, tag -> `[N]` bool.
      image_sizes: (width, height), px, of those whose files state it.
      protocol: of the score that papers quote for it.
      is_scored: False where a server keeps the truth.
      num_expected: sequences of the whole split.
      notes: sentences that reports must carry, such as what is missing.
    """

    name: str
    root: Path
    split: str
    videos: list[Video]
    truth: dict[str, np.ndarray]
    origin: float
    absent: dict[str, np.ndarray] | None
    cover: dict[str, np.ndarray] | None
    attributes: dict[str, tuple[str, ...]]
    regions: dict[str, np.ndarray]
    tags: dict[str, dict[str, np.ndarray]]
    image_sizes: dict[str, tuple[int, int]]
    protocol: str
    is_scored: bool
    num_expected: int
    notes: tuple[str, ...] = field(default=())


def load(
    name: str,
    root: str | Path,
    *,
    sequences: Sequence[str] = (),
    split: str | None = None,
    allow_missing: bool = False,
) -> Benchmark:
    """Reads a benchmark from its folder.

    Layouts and their quirks are in modules of this package. No image is opened.

    Args:
      name: one of `NAMES`, in any case.
      root: the folder that the benchmark's archives unpack to.
      sequences: names, or patterns of them such as "car*"; none takes all.
      split: of LaSOT ("test", "train", "all") and TrackingNet ("TEST", "TRAIN_0" ...);
        None takes the test set.
      allow_missing: whether sequences may be missing; `notes` then says how many.

    Returns:
      The benchmark.

    Raises:
      InputError: unknown name, split or sequence, another layout than expected (what
        was expected and what was found), missing sequences, malformed files.
    """
    name, root = name.lower(), Path(root)
    if name not in _KINDS:
        raise InputError(f"unknown benchmark {name!r}: choose from {', '.join(NAMES)}")
    kind = _KINDS[name]
    split = kind.splits[0] if split is None else split
    if split not in kind.splits:
        raise InputError(
            f"{name} has no split {split!r}: choose from {', '.join(kind.splits)}"
        )
    listing = kind.layout.survey(root, name, split)
    chosen = _chosen(listing, sequences, f"{name} in {root}")
    # Sequences that nothing names are missed by their number alone.
    unnamed = 0 if sequences else listing.num_expected - len(listing.names)
    present, said = _present(listing, chosen, unnamed)
    if said and not (allow_missing and present):
        raise InputError(
            f"{root}: {name}: {said}, {len(present)} are there: complete the folder, "
            "choose sequences, or allow missing ones"
        )
    notes = [*listing.notes]
    if sequences:
        notes.append(f"{len(chosen)} of {listing.num_expected} sequences chosen.")
    if said:
        notes.append(f"{said}: numbers are not those of the whole benchmark.")
    entries = [kind.layout.read(n, listing.found[n]) for n in present]
    return Benchmark(
        name=name,
        root=root,
        split=split,
        origin=kind.origin,
        protocol=kind.protocol,
        is_scored=kind.is_scored and (name, split) != ("trackingnet", "TEST"),
        num_expected=listing.num_expected,
        notes=tuple(notes),
        **_gathered(entries, kind.origin),
    )


def _chosen(listing, sequences, where):
    """Returns the names that names and patterns choose, in the benchmark's order."""
    if not sequences:
        return listing.names
    fitting = set()
    for wanted in sequences:
        fits = {n for n in listing.names if fnmatch.fnmatchcase(n, wanted)}
        # Public codes write Jogging-1 as Jogging_1 and Jogging.1 too.
        alike = _plain(wanted)
        fits = fits or {n for n in listing.names if fnmatch.fnmatch(_plain(n), alike)}
        if not fits:
            raise InputError(
                f"{where}: no sequence {wanted!r}; they are "
                f"{', '.join(listing.names[:_NAMED])}"
                + ", ..."
                * (len(listing.names) > _NAMED)
            )
        fitting |= fits
    return tuple(n for n in listing.names if n in fitting)


def _plain(name):
    """Returns a name without what public codes spell differently."""
    return name.lower().replace("_", "-").replace(".", "-")


def _present(listing, chosen, unnamed):
    """Returns the chosen names that are there, and in words what is missing, or ""."""
    missing = [n for n in chosen if n not in listing.found]
    present = tuple(n for n in chosen if n in listing.found)
    count = len(missing) + unnamed
    if not count:
        return present, ""
    named = ", ".join(missing[:_NAMED]) + ", ..." * (len(missing) > _NAMED)
    said = f"{count} of {len(present) + count} sequences are missing"
    return present, said + f" ({named})" * bool(named)


def _gathered(entries, origin):
    """Returns the fields of a benchmark that its sequences fill."""
    absent = {e.name: e.absent for e in entries if e.absent is not None}
    cover = {e.name: e.cover for e in entries if e.cover is not None}
    return {
        "videos": [_video(e, origin) for e in entries],
        "truth": {e.name: e.truth for e in entries},
        "absent": absent or None,
        "cover": cover or None,
        "attributes": {e.name: e.attributes for e in entries},
        "regions": {e.name: e.region for e in entries if e.region is not None},
        "tags": {e.name: dict(e.tags) for e in entries if e.tags is not None},
        "image_sizes": {e.name: e.image_size for e in entries if e.image_size},
    }


def _video(entry: files.Entry, origin: float) -> Video:
    """Returns the sequence as trackers take it."""
    if entry.region is not None:
        xyxy = vot.initial_xyxy(entry.region)
    else:
        low = entry.truth[:, :2] - origin
        xyxy = np.concatenate([low, low + entry.truth[:, 2:]], axis=1)
    is_box = np.isfinite(xyxy).all(axis=1) & (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
    xyxy[~is_box] = np.nan
    rest = len(entry.frames) - len(xyxy)
    xyxy = np.concatenate([xyxy, np.full((rest, 4), np.nan)])
    return Video(entry.name, entry.frames, xyxy)


def image_sizes(benchmark: Benchmark) -> dict[str, tuple[int, int]]:
    """Returns each sequence's (width, height), px.

    Args:
      benchmark: where its files do not state the size, the first frame is opened.

    Returns:
      Name of a sequence -> size.

    Raises:
      InputError: a first frame cannot be read.
    """
    sizes = dict(benchmark.image_sizes)
    for video in benchmark.videos:
        if video.name not in sizes:
            image = cv2.imread(str(video.frames[0]))
            if image is None:
                raise InputError(f"{video.frames[0]}: cannot be read as an image")
            sizes[video.name] = (image.shape[1], image.shape[0])
    return sizes
