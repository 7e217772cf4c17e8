"""Datasets to train on: one line each, with the splits that are kept for testing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from jaxtrack.datasets import folders, got10k, lasot, trackingnet
from jaxtrack.datasets.sequence import Clip, Listing, Sequence

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
      exclusions: name of a list -> sequences that benchmark shares with this dataset.
    """

    survey: Survey
    read: ReadClip
    splits: tuple[str, ...] = ("train",)
    test_splits: tuple[str, ...] = ()
    exclusions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_track(read: Callable[[str, Any], Sequence], name: str, place: Any) -> Clip:
    """Reads a sequence of one object as a clip; flagged frames have no box.

    Args:
      read: of the dataset's reader.
      name: of the sequence.
      place: of the sequence.

    Returns:
      A clip of one object.

    Raises:
      InputError: as `read` does.
    """
    sequence = read(name, place)
    xyxy = sequence.xyxy.copy()
    if sequence.absent is not None:
        xyxy[sequence.absent] = np.nan
    if sequence.cover is not None:
        xyxy[sequence.cover == 0] = np.nan
    return Clip(sequence.name, tuple(sequence.frames), xyxy[None])


TRAINING_SETS = {
    "got10k": TrainingSet(
        got10k.survey,
        partial(read_track, got10k.read),
        ("train", "val"),
        ("test",),
    ),
    "lasot": TrainingSet(
        lasot.survey, partial(read_track, lasot.read), test_splits=("test", "all")
    ),
    "trackingnet": TrainingSet(
        trackingnet.survey,
        partial(read_track, trackingnet.read),
        trackingnet.TRAIN_SPLITS,
        ("TEST",),
    ),
    "folders": TrainingSet(folders.survey_clips, folders.read_clip, ("all",)),
}
