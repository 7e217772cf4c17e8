"""Datasets to train on: how each is read, whence it comes, what is for tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from jaxtrack.datasets import (
    boxes,
    clips,
    coco,
    exclusions,
    folders,
    got10k,
    imagenet,
    lasot,
    trackingnet,
    voc,
    yolo,
    youtubebb,
)
from jaxtrack.datasets.sequence import Clip, Listing

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
    "folders": TrainingSet(folders.survey_clips, folders.read_clip, ("all",)),
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
