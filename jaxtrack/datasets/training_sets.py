"""Datasets to train on: how each is read, whence it comes, what is for tests."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from jaxtrack.datasets import (
    boxes,
    clips,
    coco,
    exclusions,
    files,
    folders,
    got10k,
    imagenet,
    lasot,
    trackingnet,
    voc,
    yolo,
    youtubebb,
)
from jaxtrack.datasets.names import choose
from jaxtrack.datasets.sequence import Clip, Listing, Places
from jaxtrack.errors import InputError, suggest

Survey = Callable[[Path, str], Listing]  # Says what a split holds, and what is there.
ReadClip = Callable[[str, Any], Clip]  # Reads a clip: its name, its place.


@dataclass(frozen=True)
class TrainingSet:
    """How a dataset is read for training.

    Attributes:
      survey: says what a split holds, and what of it is there; opens no image.
      read: reads one clip; may be called in another process.
      splits: that may be trained or validated on; the first one is the default.
      test_splits: that exist, and are refused.
      exclusions: name of a list -> sequences that a benchmark forbids to train on.
      caution: why a split must be named, or "".
      source: address of its page; "" of one's own data.
      terms: under which its owners give it, in a sentence.
    """

    survey: Survey
    read: ReadClip
    splits: tuple[str, ...] = ("train",)
    test_splits: tuple[str, ...] = ()
    exclusions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    caution: str = ""
    source: str = ""
    terms: str = "your own"


_IMAGENET_TERMS = "ImageNet's terms of access: non-commercial research and education"
_LASOT_TERMS = "its pages state no license: ask its authors for other use than research"

TRAINING_SETS = {
    "coco": TrainingSet(
        coco.survey,
        coco.read_clip,
        ("train", "val"),
        ("test",),
        source="https://cocodataset.org/#download",
        terms="annotations CC BY 4.0; photographs under their owners' terms at Flickr",
    ),
    "imagenet_vid": TrainingSet(
        imagenet.survey_videos,
        imagenet.read_video,
        ("train", "val"),
        ("test",),
        source="https://image-net.org/challenges/LSVRC/2015/",
        terms=_IMAGENET_TERMS,
    ),
    "imagenet_det": TrainingSet(
        imagenet.survey_photographs,
        imagenet.read_photograph,
        ("train", "val"),
        ("test",),
        source="https://image-net.org/challenges/LSVRC/2017/",
        terms=_IMAGENET_TERMS,
    ),
    "youtubebb": TrainingSet(
        youtubebb.survey,
        youtubebb.read_clip,
        ("train", "validation"),
        ("test",),
        source="https://research.google.com/youtube-bb/",
        terms="annotations as its page states; videos under YouTube's terms",
    ),
    "got10k": TrainingSet(
        got10k.survey,
        partial(clips.read_track, partial(got10k.read, fill_gaps=True)),
        ("train", "val"),
        ("test",),
        exclusions=exclusions.GOT10K,
        source="http://got-10k.aitestunion.com/",
        terms="academic use, after registration, as its page states",
    ),
    "lasot": TrainingSet(
        lasot.survey,
        partial(clips.read_track, partial(lasot.read, fill_gaps=True)),
        test_splits=("test", "all"),
        source="http://vision.cs.stonybrook.edu/~lasot/",
        terms=_LASOT_TERMS,
    ),
    "lasot_extension": TrainingSet(
        lasot.survey_extension,
        partial(clips.read_track, partial(lasot.read, fill_gaps=True)),
        ("all",),
        ("test",),
        caution="LaSOT's extension subset is published to evaluate on",
        source="http://vision.cs.stonybrook.edu/~lasot/",
        terms=_LASOT_TERMS,
    ),
    "trackingnet": TrainingSet(
        trackingnet.survey_chunks,
        partial(clips.read_track, partial(trackingnet.read, fill_gaps=True)),
        ("train", *trackingnet.TRAIN_SPLITS),
        ("TEST",),
        source="https://tracking-net.org/",
        terms="its authors' repository is tagged GPL 3.0; videos under YouTube's terms",
    ),
    "folders": TrainingSet(
        folders.survey_clips,
        folders.read_clip,
        ("all",),
        exclusions=exclusions.BENCHMARKS,
    ),
    "boxes": TrainingSet(boxes.survey, boxes.read_clip, ("all",)),
    "voc": TrainingSet(
        voc.survey,
        voc.read_clip,
        ("trainval", "train", "val"),
        ("test",),
        source="http://host.robots.ox.ac.uk/pascal/VOC/",
        terms="VOC's photographs under their owners' terms at Flickr; or your own",
    ),
    "yolo": TrainingSet(yolo.survey, yolo.read_clip, ("train", "val"), ("test",)),
}


def training(
    name: str,
    root: str | Path,
    *,
    split: str | None = None,
    patterns: Iterable[str] = (),
    exclude: Iterable[str] = (),
) -> tuple[Listing, ReadClip]:
    """Lists what of a dataset may be trained on. No image is opened.

    Args:
      name: key of `TRAINING_SETS`.
      root: the folder that the dataset's archives unpack to, whole or in part.
      split: None takes the dataset's first.
      patterns: names of sequences, or patterns of them; none takes all.
      exclude: lists of what an evaluation must not see, such as "vot2018" of GOT-10k
        or "otb100" of folders; files of names; names, or patterns of them.

    Returns:
      What is chosen and there, and the function that reads a clip: its name and
      `found[name]`, which may travel to another process.

    Raises:
      InputError: unknown name, split, sequence or list; a split that is for testing;
        another layout than expected.
    """
    dataset, split = _for_training(name, split)
    listing = dataset.survey(Path(root), split)
    where = f"{name} in {root}"
    exclude, patterns = tuple(exclude), tuple(patterns)
    out = _excluded(dataset, listing, exclude, where)
    chosen = [n for n in choose(listing, patterns, where=where) if n not in out]
    found = Places((n for n in chosen if n in listing.found), listing.found.__getitem__)
    notes = listing.notes
    if exclude:
        count = len(out.intersection(listing.found))
        notes += (f"{count} sequences excluded by {', '.join(exclude)}.",)
    if not patterns and len(listing.found) < listing.num_expected:
        notes += (f"{len(listing.found)} of {listing.num_expected} are there.",)
    return Listing(tuple(chosen), found, listing.num_expected, notes), dataset.read


def _excluded(dataset, listing, exclude, where):
    """Returns the names that lists, files, names and patterns leave out."""
    out = set()
    for wanted in exclude:
        if wanted in dataset.exclusions:
            out |= set(dataset.exclusions[wanted])
        elif Path(wanted).is_file():
            out |= set(files.read_names(Path(wanted)))
        else:
            lists = "".join(f"{name}, " for name in dataset.exclusions)
            where = f"{where}, exclude one of {lists}a file or a name"
            out |= set(choose(listing, [wanted], where=where))
    return out


def _for_training(name, split):
    """Returns a training set and the split that is meant; refuses what is for tests."""
    if name not in TRAINING_SETS:
        raise InputError(
            f"--dataset={name}: no such training set: {suggest(name, TRAINING_SETS)}"
        )
    dataset = TRAINING_SETS[name]
    if split is None and dataset.caution:
        raise InputError(
            f"{name}: {dataset.caution}; to train on it all the same, give "
            f"--split={dataset.splits[0]}"
        )
    split = dataset.splits[0] if split is None else split
    if split not in dataset.splits:
        is_test = split in dataset.test_splits
        what = "holds sequences of the test set" if is_test else "is not known"
        raise InputError(
            f"{name}: split {split!r} {what}: train on {' or '.join(dataset.splits)}"
        )
    return dataset, split
