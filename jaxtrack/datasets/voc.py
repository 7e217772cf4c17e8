"""PASCAL VOC: `VOC2007/Annotations/000005.xml` and `VOC2007/JPEGImages/000005.jpg`.

`ImageSets/Main/trainval.txt` names the pictures of a split. Annotation tools write the
same XML without lists, beside the pictures; then all are one split. Corners are pixel
indices from 1, both included; objects flagged `difficult` are no target.
"""

import os
from pathlib import Path
from typing import NamedTuple

from jaxtrack.datasets import annotation_xml, clips, files, frame_files, layout
from jaxtrack.datasets.sequence import Clip, Listing
from jaxtrack.errors import InputError

_EXPECTED = (
    "VOC's layout, VOC2007/Annotations/*.xml and VOC2007/JPEGImages/, or *.xml beside "
    "pictures of the same names"
)
_ANNOTATIONS, _IMAGES = "Annotations", "JPEGImages"


class Place(NamedTuple):
    """Where annotations and picture of a photograph lie; None where it is missing."""

    annotations: Path
    image: Path | None


def survey(root: Path, split: str) -> Listing:
    """Lists the photographs of a split that have annotations.

    Args:
      root: folder of `VOC2007/` and other years, one of them, or any folder of pictures
        with XML.
      split: "trainval", "train" or "val"; without lists there is "trainval" alone.

    Returns:
      Names are the year's folder and the picture's name; places are of type `Place`.

    Raises:
      InputError: no photograph is there, or the split's list is missing.
    """
    if not root.is_dir():
        raise layout.wrong_layout(root, _EXPECTED)
    below = [*layout.subfolders(root).values()]
    if (root / "VOCdevkit").is_dir():
        below += layout.subfolders(root / "VOCdevkit").values()
    years = [p for p in (root, *below) if (p / _ANNOTATIONS).is_dir()]
    places = {}
    for year in years:
        places |= _of_year(year, split)
    if not years:
        places = _beside(root)
        if split != "trainval":
            raise InputError(f"{root}: has no lists of splits: only trainval is there")
    found = {name: place for name, place in places.items() if place.image is not None}
    if not found:
        raise layout.wrong_layout(root, _EXPECTED)
    return Listing(tuple(places), found, len(places))


def _of_year(year, split):
    """Returns the places of a year's photographs."""
    images = year / _IMAGES
    pictures = _stems(images) if images.is_dir() else {}
    lists = year / "ImageSets" / "Main"
    if (lists / f"{split}.txt").is_file():
        # Lists of a class have a flag behind the name.
        names = [line.split()[0] for line in files.read_names(lists / f"{split}.txt")]
    elif split == "trainval" and not lists.is_dir():
        names = sorted(p.stem for p in (year / _ANNOTATIONS).glob("*.xml"))
    else:
        raise layout.wrong_layout(lists, f"{split}.txt")
    return {
        f"{year.name}/{name}": Place(
            year / _ANNOTATIONS / f"{name}.xml", pictures.get(name)
        )
        for name in names
        if name[0] != "."
    }


def _beside(root):
    """Returns the places of XML that lies beside its pictures, at any depth."""
    places = {}
    for folder, _, entries in sorted(os.walk(root)):
        stems = [n[:-4] for n in sorted(entries) if n.endswith(".xml") and n[0] != "."]
        pictures = _stems(Path(folder)) if stems else {}
        for stem in stems:
            path = Path(folder) / f"{stem}.xml"
            name = path.with_suffix("").relative_to(root).as_posix()
            places[name] = Place(path, pictures.get(stem))
    return places


def _stems(folder):
    """Returns stem -> file of a folder's pictures."""
    return {
        os.path.splitext(name)[0]: folder / name
        for name in os.listdir(folder)
        if name[0] != "." and name.lower().endswith(frame_files.FRAME_SUFFIXES)
    }


def read_clip(name: str, place: Place) -> Clip:
    """Reads one photograph's objects."""
    annotation = annotation_xml.read(place.annotations)
    return clips.of_objects(
        name,
        [place.image],
        annotation_xml.xyxy_from_indices(annotation, origin=1)[:, None],
        left_out={"flagged difficult": annotation.is_difficult[:, None]},
    )
