"""The data of an experiment: folds of real videos, or composed scenes."""

import fnmatch
import glob
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from jaxtrack.data import build
from jaxtrack.data.packing.shrink import WHOLE
from jaxtrack.datasets import folders
from jaxtrack.errors import InputError

TRAIN = ("davis_*", "segtrack2_*")
HELD_OUT = ("otb_*", "uav_*", "vot_*")
# Shares of the pairs: packed video, packed stills, composed scenes.
VIDEO, STILLS, COMPOSED = 0.4, 0.25, 0.35
# Sequences with masks whose objects are pasted into composed scenes.
CUTOUTS = ("davis_*",)


class Fold(NamedTuple):
    """One way to divide the data.

    Attributes:
      train: names of the sequences to train on.
      test: names of the sequences to test on.
      folder: of the sequences.
      fields: settings of the training data.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    folder: pathlib.Path
    fields: Mapping[str, Any]


def matching(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    """Returns the names that match a glob pattern, each once, sorted."""
    return sorted({n for n in names for p in patterns if fnmatch.fnmatchcase(n, p)})


def split(
    names: Iterable[str],
    *,
    train: Sequence[str] = TRAIN,
    held_out: Sequence[str] = HELD_OUT,
    num_folds: int = 2,
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Divides sequences so that each is tested by networks that never saw it.

    The names that fit `train`, sorted, are dealt to the folds one after the other,
    family by family (a family is what stands before the first `_`); so a fold's share
    of a family, and its share of all, differs from another's by one at most. Each fold
    trains on the other folds' shares and is tested on its own. The names that fit
    `held_out` are tested in every fold; other names are left out.

    Args:
      names: of the sequences.
      train: glob patterns of those that may be trained on.
      held_out: glob patterns of those that are never trained on.
      num_folds: number of folds, 2 or more.

    Returns:
      For each fold the names to train on and those to test on.

    Raises:
      InputError: fewer sequences than folds, or a name that fits both.
    """
    if num_folds < 2:
        raise InputError(f"--folds={num_folds}: a sequence is held out of one of 2")
    names = list(names)
    dealt, always = matching(names, train), matching(names, held_out)
    if both := sorted(set(dealt) & set(always)):
        raise InputError(
            f"sequence {both[0]} fits a pattern to train on and one to hold out: "
            "make the patterns disjoint"
        )
    if len(dealt) < num_folds:
        raise InputError(
            f"{len(dealt)} sequences fit {', '.join(train)}: {num_folds} folds need "
            "one each"
        )
    # Sorted by name, a family stands together.
    shares = [dealt[k::num_folds] for k in range(num_folds)]
    return [
        (
            tuple(n for other in shares if other is not share for n in other),
            (*share, *always),
        )
        for share in shares
    ]


def of_video(
    root: pathlib.Path,
    out: pathlib.Path,
    *,
    train: Sequence[str] = TRAIN,
    held_out: Sequence[str] = HELD_OUT,
    num_folds: int = 2,
) -> list[Fold]:
    """Divides real sequences, and packs each fold; existing data are kept.

    Args:
      root: folder with `sequences/`, and perhaps `images/`: photographs in
        `imagenet_sample`, and stills with boxes, listed in `*_boxes.tsv`.
      out: folder of the experiment; packed data go to its folder `packed`.
      train: see `split`.
      held_out: see `split`.
      num_folds: see `split`.

    Returns:
      The folds.

    Raises:
      InputError: see `split`; a file is damaged, or has changed since it was packed.
    """
    root, packed = root.absolute(), out.absolute() / "packed"
    sequences, photos = root / "sequences", root / "images" / "imagenet_sample"
    names = [path.name for path in folders.list_sequences(sequences)]
    parts = split(names, train=train, held_out=held_out, num_folds=num_folds)
    stills = sorted((root / "images").glob("*_boxes.tsv"))
    if stills:
        build.build(packed / "stills", stills=stills, shrink=WHOLE)
    folds = []
    for number, (seen, tested) in enumerate(parts):
        video = packed / f"fold{number}"
        patterns = tuple(map(glob.escape, seen))
        build.build(video, root=sequences, patterns=patterns, shrink=WHOLE)
        masked = [
            n for n in matching(seen, CUTOUTS) if (sequences / n / "mask").is_dir()
        ]
        fields = {
            "data.records": (str(video), str(packed / "stills"))[: 1 + bool(stills)],
            "data.record_weights": (VIDEO, STILLS)[: 1 + bool(stills)],
            "data.composed_weight": COMPOSED,
            "data.composed_photos": str(photos) if photos.is_dir() else "",
            "data.composed_cutouts": str(sequences) if masked else "",
            "data.composed_patterns": tuple(map(glob.escape, masked)) or ("*",),
            "data.composed_split": "all",
            "data.num_workers": 1,
        }
        folds.append(Fold(seen, tested, sequences, fields))
    return folds


def of_scenes(out: pathlib.Path, *, num_scenes: int = 8) -> list[Fold]:
    """Composes test scenes from photographs that training never sees.

    Args:
      out: folder of the experiment; scenes go to its folder `sequences`.
      num_scenes: number of scenes.

    Returns:
      One fold, which trains only on composed scenes.

    Raises:
      InputError: the folder cannot be written to.
    """
    from jaxtrack.data import composed

    scenes = composed.ComposedSource(num_tracks=num_scenes, split="eval")
    folder = out.absolute() / "sequences"
    written = composed.write_sequences(scenes, folder, prefix="scene")
    fields = {
        "data.records": (),
        "data.record_weights": (),
        "data.composed_weight": 1.0,
        "data.composed_photos": "",
        "data.composed_cutouts": "",
        "data.composed_split": "train",
        "data.num_workers": 1,
    }
    return [Fold((), tuple(path.name for path in written), folder, fields)]


def tested_by_all(folds: Sequence[Fold]) -> list[str]:
    """Returns the names that all folds test, so that none trains on them."""
    if len(folds) == 1:
        return []  # Other folds may train on them.
    return [name for name in folds[0].test if all(name in f.test for f in folds)]
