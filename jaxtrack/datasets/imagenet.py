"""ImageNet's video (VID) and detection (DET) sets, as ILSVRC 2015 and 2017 have them.

`Annotations/VID/train/ILSVRC2015_VID_train_0000/<video>/000000.xml` belongs to
`Data/VID/train/ILSVRC2015_VID_train_0000/<video>/000000.JPEG`, and videos of `val` lie
there directly. DET is `Annotations/DET/train/<part>/.../<picture>.xml` alike. Corners
are pixel indices from 0, both included.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxtrack.datasets import annotation_xml, clips, frame_files, layout
from jaxtrack.datasets.sequence import Clip, Listing, Places
from jaxtrack.errors import InputError

_EXPECTED = "ImageNet's layout, Annotations/{0}/{1}/ and Data/{0}/{1}/"


class Place(NamedTuple):
    """Where annotations and pictures lie: folders of a video, files of a photograph."""

    annotations: Path
    images: Path


def _bases(root, kind, split):
    """Returns the folders of annotations and of pictures."""
    expected = _EXPECTED.format(kind, split)
    tops = [root, root / "ILSVRC", root / "ILSVRC2015", root / "ILSVRC2017"]
    found = [top / "Annotations" / kind / split for top in tops]
    annotations = layout.first_folder(found, root, expected)
    images = annotations.parents[2] / "Data" / kind / split
    return annotations, layout.first_folder([images], annotations.parents[2], expected)


def survey_videos(root: Path, split: str) -> Listing:
    """Lists the videos of VID.

    Args:
      root: folder of `Annotations/` and `Data/`, or the one above it.
      split: "train" or "val".

    Returns:
      Names are those of the videos' folders; places are of type `Place`.

    Raises:
      InputError: the folders are missing, or no video is there.
    """
    annotations, images = _bases(root, "VID", split)
    videos = {}
    for name, folder in layout.subfolders(annotations).items():
        below = layout.subfolders(folder)
        videos |= below or {name: folder}
    found = {}
    for name, folder in videos.items():
        place = Place(folder, images / folder.relative_to(annotations))
        if place.images.is_dir():
            found[name] = place
    if not found:
        raise layout.wrong_layout(images, _EXPECTED.format("VID", split))
    return Listing(tuple(videos), found, len(videos))


def read_video(name: str, place: Place) -> Clip:
    """Reads one video with all its objects."""
    paths = sorted(place.annotations.glob("*.xml"), key=frame_files.natural_order)
    paths = [path for path in paths if path.name[:1] != "."]
    if not paths:
        raise layout.wrong_layout(place.annotations, "a file 000000.xml a frame")
    frames = [place.images / f"{path.stem}.JPEG" for path in paths]
    if not any(frame.is_file() for frame in frames):
        raise InputError(f"{place.images}: no frame is there, such as {frames[0].name}")
    tracks: dict[str, np.ndarray] = {}
    for number, path in enumerate(paths):
        annotation = annotation_xml.read(path)
        boxes = annotation_xml.xyxy_from_indices(annotation, origin=0)
        if len(set(annotation.tracks)) < len(annotation.tracks):
            raise InputError(f"{path}: expected a trackid an object; found one twice")
        for track, box in zip(annotation.tracks, boxes, strict=True):
            absent = np.full((len(paths), 4), np.nan)
            tracks.setdefault(track, absent)[number] = box
    boxes = np.array([tracks[track] for track in sorted(tracks)])
    return clips.of_objects(name, frames, boxes)


def survey_photographs(root: Path, split: str) -> Listing:
    """Lists the photographs of DET that have annotations.

    Args:
      root: folder of `Annotations/` and `Data/`, or the one above it.
      split: "train" or "val".

    Returns:
      Names are paths below the split's folder; places are of type `Place`.

    Raises:
      InputError: the folders are missing, or no photograph is there.
    """
    annotations, images = _bases(root, "DET", split)
    names, present = [], []
    for folder, _, entries in os.walk(annotations):
        inner = Path(folder).relative_to(annotations)
        stems = sorted(n[:-4] for n in entries if n.endswith(".xml") and n[0] != ".")
        if not stems:
            continue
        beside = images / inner
        pictures = set(os.listdir(beside)) if beside.is_dir() else ()
        paths = {stem: (inner / stem).as_posix() for stem in stems}
        names += paths.values()
        present += [p for stem, p in paths.items() if f"{stem}.JPEG" in pictures]
    if not present:
        raise layout.wrong_layout(images, _EXPECTED.format("DET", split))

    def place(name: str) -> Place:
        return Place(annotations / f"{name}.xml", images / f"{name}.JPEG")

    return Listing(tuple(sorted(names)), Places(sorted(present), place), len(names))


def read_photograph(name: str, place: Place) -> Clip:
    """Reads one photograph's objects."""
    annotation = annotation_xml.read(place.annotations)
    xyxy = annotation_xml.xyxy_from_indices(annotation, origin=0)
    return clips.of_objects(name, [place.images], xyxy[:, None])
