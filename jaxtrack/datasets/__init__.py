"""Datasets on disk: one reader each, shared by training and evaluation.

A reader is a module with `survey(root, split) -> Listing`, which says what a split
holds and what of it is there, and `read(name, place) -> Sequence`, which reads one
sequence, named and placed as the listing has it. Neither opens an image. Both raise
`InputError`: nothing is there; frames, truth or flags are missing, malformed or not
equally many. `DATASETS` has a line each of what may be evaluated on, `TRAINING_SETS`
of what may be trained on: their readers return a `Clip`, with every object of a video.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jaxtrack.datasets import (
    folders,
    got10k,
    lasot,
    members,
    nfs,
    otb,
    pictures,
    tnl2k,
    trackingnet,
    uav123,
    vot,
)
from jaxtrack.datasets.names import choose, named
from jaxtrack.datasets.sequence import Listing, Sequence, Skipped
from jaxtrack.datasets.training_sets import TRAINING_SETS as TRAINING_SETS
from jaxtrack.datasets.training_sets import training as training
from jaxtrack.errors import InputError, suggest

Survey = Callable[[Path, str], Listing]  # Says what a split holds, and what is there.
Read = Callable[[str, Any], Sequence]  # Reads a sequence: its name, its place.


@dataclass(frozen=True)
class Dataset:
    """How a dataset is read and scored.

    Attributes:
      survey: of its reader.
      read: likewise.
      protocol: of the score that papers quote for it: a key of `metrics.protocols`, or
        an edition of VOT.
      splits: that there are; the first one is the default.
      hidden_truth: splits whose boxes, but for the first, a server keeps.
    """

    survey: Survey
    read: Read
    protocol: str
    splits: tuple[str, ...] = ("all",)
    hidden_truth: tuple[str, ...] = ()


DATASETS = {
    "otb50": Dataset(partial(otb.survey, names=members.OTB50), otb.read, "otb"),
    "otb100": Dataset(partial(otb.survey, names=members.OTB100), otb.read, "otb"),
    "uav123": Dataset(uav123.survey, uav123.read, "otb"),
    "nfs30": Dataset(nfs.survey, nfs.read, "otb"),
    "lasot": Dataset(lasot.survey, lasot.read, "lasot", ("test", "train", "all")),
    "lasot_extension": Dataset(lasot.survey_extension, lasot.read, "lasot", ("test",)),
    "tnl2k": Dataset(tnl2k.survey, tnl2k.read, "lasot", ("test",)),
    "trackingnet": Dataset(
        trackingnet.survey,
        trackingnet.read,
        "trackingnet",
        trackingnet.SPLITS,
        hidden_truth=("TEST",),
    ),
    "got10k_val": Dataset(got10k.survey, got10k.read, "got10k", ("val",)),
    "got10k_test": Dataset(
        got10k.survey, got10k.read, "got10k", ("test",), hidden_truth=("test",)
    ),
    "vot2018": Dataset(partial(vot.survey, edition="vot2018"), vot.read, "vot2018"),
    "vot2019": Dataset(partial(vot.survey, edition="vot2019"), vot.read, "vot2019"),
    "folders": Dataset(folders.survey, folders.read, "otb"),
}


@dataclass(frozen=True)
class Benchmark:
    """A split of a dataset, read from disk; keys of dictionaries are sequences.

    Attributes:
      name: key of `DATASETS`.
      root: the folder it was read from.
      split: of the dataset, "all" where it has none.
      videos: in the dataset's order.
      protocol: of the score that papers quote for it.
      is_scored: False where a server keeps the truth.
      num_expected: sequences of the whole split.
      notes: sentences that reports must carry, such as what is missing.
      skipped: sequences that could not be read.
    """

    name: str
    root: Path
    split: str
    videos: list[Sequence]
    protocol: str
    is_scored: bool
    num_expected: int
    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def origin(self) -> float:
        """What is added to our x and y to get the files' coordinates."""
        return self.videos[0].origin

    @property
    def truth(self) -> dict[str, np.ndarray]:
        """`[N, 4]` or `[1, 4]` xywh exactly as the files say."""
        return {v.name: v.truth for v in self.videos}

    @property
    def absent(self) -> dict[str, np.ndarray] | None:
        """`[N]` bool of the dataset's own flags; None where it has none."""
        return {v.name: v.absent for v in self.videos if v.absent is not None} or None

    @property
    def cover(self) -> dict[str, np.ndarray] | None:
        """`[N]` int, visible share of the object in eighths; None without any."""
        return {v.name: v.cover for v in self.videos if v.cover is not None} or None

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """Attributes of the sequences."""
        return {v.name: v.attributes for v in self.videos}

    @property
    def regions(self) -> dict[str, np.ndarray]:
        """`[N, 8]` polygons or `[N, 4]` xywh of VOT, as the files say."""
        return {v.name: v.region for v in self.videos if v.region is not None}

    @property
    def tags(self) -> dict[str, dict[str, np.ndarray]]:
        """Of VOT, tag -> `[N]` bool."""
        return {v.name: dict(v.tags) for v in self.videos if v.tags is not None}

    def image_sizes(self) -> dict[str, tuple[int, int]] | None:
        """Returns each sequence's (width, height), px; None where one is unknown.

        Where the dataset's files do not state it, a frame is opened.
        """
        sizes = {
            v.name: v.image_size or pictures.first_size(v.frames) for v in self.videos
        }
        return sizes if all(sizes.values()) else None


def load(
    name: str,
    root: str | Path,
    *,
    sequences: Iterable[str] = (),
    split: str | None = None,
    allow_missing: bool = False,
    strict: bool = True,
) -> Benchmark:
    """Reads a split of a dataset from its folder. No image is opened.

    Args:
      name: key of `DATASETS`, in any case.
      root: the folder that the dataset's archives unpack to.
      sequences: names, or patterns of them such as "car*"; none takes all.
      split: of LaSOT ("test", "train", "all") and TrackingNet ("TEST", "TRAIN_0" ...);
        None takes the test set.
      allow_missing: whether sequences may be missing; `notes` then says how many.
      strict: raises for a sequence that cannot be read; else it is left out, and
        `skipped` says why.

    Returns:
      The split.

    Raises:
      InputError: unknown name, split or sequence, another layout than expected (what
        was expected and what was found), missing sequences, malformed files.
    """
    name, root, sequences = name.lower(), Path(root), tuple(sequences)
    dataset, split = find(name, split=split)
    listing = dataset.survey(root, split)
    chosen = choose(listing, sequences, where=f"{name} in {root}")
    # Sequences that nothing names are missed by their number alone.
    unnamed = 0 if sequences else listing.num_expected - len(listing.names)
    present, missing = _present(listing, chosen, unnamed)
    if missing and not (allow_missing and present):
        raise InputError(
            f"{root}: {name}: {missing}, {len(present)} are there: complete the "
            "folder, choose sequences, or allow missing ones"
        )
    notes = [*listing.notes]
    if sequences and len(chosen) < listing.num_expected:
        notes.append(f"{len(chosen)} of {listing.num_expected} sequences chosen.")
    if missing:
        notes.append(f"{missing}: numbers are not those of the whole benchmark.")
    places = {n: listing.found[n] for n in present}
    videos, skipped = read_sequences(dataset.read, places, strict=strict)
    return Benchmark(
        name=name,
        root=root,
        split=split,
        videos=videos,
        protocol=dataset.protocol,
        is_scored=split not in dataset.hidden_truth,
        num_expected=listing.num_expected,
        notes=tuple(notes),
        skipped=skipped,
    )


def read_sequences(
    read: Read, places: Mapping[str, Any], *, strict: bool
) -> tuple[list[Sequence], tuple[Skipped, ...]]:
    """Reads sequences, and leaves out those that cannot be read.

    Args:
      read: of the dataset's reader.
      places: name -> place of each sequence.
      strict: raises at the first fault instead.

    Returns:
      Sequences, and what was left out.

    Raises:
      InputError: none can be read, or where `strict` one cannot.
    """
    videos, skipped = [], []
    for name, place in places.items():
        try:
            videos.append(read(name, place))
        except InputError as fault:
            if strict or len(places) == len(skipped) + 1:
                raise
            skipped.append(Skipped(name, str(fault)))
    return videos, tuple(skipped)


def find(name: str, *, split: str | None = None) -> tuple[Dataset, str]:
    """Returns a dataset and the split that is meant.

    Args:
      name: key of `DATASETS`.
      split: None takes the dataset's first.

    Raises:
      InputError: there is no such dataset or split.
    """
    if name not in DATASETS:
        raise InputError(f"unknown dataset {name!r}: {suggest(name, DATASETS)}")
    splits = DATASETS[name].splits
    split = splits[0] if split is None else split
    if split not in splits:
        raise InputError(f"{name} has no split {split!r}: {suggest(split, splits)}")
    return DATASETS[name], split


def _present(
    listing: Listing, chosen: tuple[str, ...], unnamed: int
) -> tuple[tuple[str, ...], str]:
    """The chosen names that are there, and in words what is missing, or ""."""
    missing = [n for n in chosen if n not in listing.found]
    present = tuple(n for n in chosen if n in listing.found)
    count = len(missing) + unnamed
    if not count:
        return present, ""
    said = f"{count} of {len(present) + count} sequences are missing"
    return present, said + f" ({named(missing)})" * bool(missing)
