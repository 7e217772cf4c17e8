"""Datasets to train on: one line each, with the splits that are kept for testing."""

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
    """

    survey: Survey
    read: ReadClip
    splits: tuple[str, ...] = ("train",)
    test_splits: tuple[str, ...] = ()
    exclusions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    caution: str = ""


TRAINING_SETS = {
    "coco": TrainingSet(coco.survey, coco.read_clip, ("train", "val"), ("test",)),
    "imagenet_vid": TrainingSet(
        imagenet.survey_videos, imagenet.read_video, ("train", "val"), ("test",)
    ),
    "imagenet_det": TrainingSet(
        imagenet.survey_photographs,
        imagenet.read_photograph,
        ("train", "val"),
        ("test",),
    ),
    "youtubebb": TrainingSet(
        youtubebb.survey, youtubebb.read_clip, ("train", "validation"), ("test",)
    ),
    "got10k": TrainingSet(
        got10k.survey,
        partial(clips.read_track, partial(got10k.read, fill_gaps=True)),
        ("train", "val"),
        ("test",),
        exclusions=exclusions.GOT10K,
    ),
    "lasot": TrainingSet(
        lasot.survey,
        partial(clips.read_track, partial(lasot.read, fill_gaps=True)),
        test_splits=("test", "all"),
    ),
    "lasot_extension": TrainingSet(
        lasot.survey_extension,
        partial(clips.read_track, partial(lasot.read, fill_gaps=True)),
        ("all",),
        ("test",),
        caution="LaSOT's extension subset is published to evaluate on",
    ),
    "trackingnet": TrainingSet(
        trackingnet.survey_chunks,
        partial(clips.read_track, partial(trackingnet.read, fill_gaps=True)),
        ("train", *trackingnet.TRAIN_SPLITS),
        ("TEST",),
    ),
    "folders": TrainingSet(folders.survey_clips, folders.read_clip, ("all",)),
    "boxes": TrainingSet(boxes.survey, boxes.read_clip, ("all",)),
    "voc": TrainingSet(
        voc.survey, voc.read_clip, ("trainval", "train", "val"), ("test",)
    ),
    "yolo": TrainingSet(yolo.survey, yolo.read_clip, ("train", "val"), ("test",)),
}
