"""LaSOT: `<class>/<class>-<n>/` with `img/00000001.jpg` and `groundtruth.txt`.

`full_occlusion.txt` and `out_of_view.txt` are one line of flags each; a frame with
either is absent. Folders of sequences may also lie directly in the root. The extension
subset lies alike.
"""

from pathlib import Path

import numpy as np

from jaxtrack.datasets import files, frame_files, layout, members
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth

_EXPECTED = (
    "LaSOT's layout, <class>/<class>-<number>/ with img/ and groundtruth.txt, such as "
    "airplane/airplane-1/"
)
_LIST = "testing_set.txt"
# In the order of the toolkit's annos/att/*.txt.
ATTRIBUTES = tuple("IV POC DEF MB CM ROT BC VC SV FOC FM OV LR ARC".split())


def survey(root: Path, split: str) -> Listing:
    """Lists the sequences of a split.

    Args:
      root: folder of the classes, or of the sequences, or of `LaSOTBenchmark/`.
      split: "test" (protocol II, 280 sequences; the list is `testing_set.txt` where
        it is there), "train" (the 1120 others) or "all" (1400).

    Returns:
      Places are the folders of the sequences.

    Raises:
      InputError: no sequence is there.
    """
    folders = _folders([root, root / "LaSOTBenchmark"], root, _EXPECTED)
    test, notes = members.LASOT_TEST, ()
    if (root / _LIST).is_file():
        test = files.read_names(root / _LIST)
        if set(test) != set(members.LASOT_TEST):
            notes = (f"The test split is that of {_LIST}, not the published one.",)
    if split == "test":
        found = {n: folders[n] for n in test if n in folders}
        return Listing(tuple(test), found, len(test), notes)
    others = (*members.LASOT_EXTENSION, *(() if split == "all" else test))
    names = tuple(sorted(set(folders) - set(others)))
    found = {n: folders[n] for n in names}
    return Listing(names, found, 1400 if split == "all" else 1120, notes)


def survey_extension(root: Path, split: str) -> Listing:
    """Lists the extension subset: 150 sequences of 15 classes that LaSOT has not.

    Args:
      root: holds `LaSOT_extension_subset/`, or its classes, or its sequences.
      split: there is one.

    Returns:
      Places are the folders of the sequences.

    Raises:
      InputError: no sequence is there.
    """
    expected = "LaSOT's extension subset, <class>/<class>-<number>/ such as atv/atv-1/"
    folders = _folders([root, root / "LaSOT_extension_subset"], root, expected)
    found = {n: folders[n] for n in members.LASOT_EXTENSION if n in folders}
    if not found:
        raise layout.wrong_layout(root, expected)
    return Listing(members.LASOT_EXTENSION, found, len(members.LASOT_EXTENSION))


def _folders(bases: list[Path], root: Path, expected: str) -> dict[str, Path]:
    """Returns the sequences in folders of classes, or directly in a folder."""
    found = {}
    for base in (base for base in bases if base.is_dir()):
        tops = layout.subfolders(base)
        found |= {n: p for n, p in tops.items() if _is_sequence(p)}
        for top in (p for p in tops.values() if not _is_sequence(p)):
            below = layout.subfolders(top)
            found |= {n: p for n, p in below.items() if _is_sequence(p)}
    if not found:
        raise layout.wrong_layout(root, expected)
    return found


def _is_sequence(folder):
    """Returns whether a folder is one of a sequence; `airplane/` is not."""
    return "-" in folder.name and (folder / "groundtruth.txt").is_file()


def read(name: str, place: Path, *, fill_gaps: bool = False) -> Sequence:
    """Reads one sequence; `fill_gaps` names frames that are missing, too."""
    truth = files.read_xywh(place / "groundtruth.txt")
    if not (place / "img").is_dir():
        raise layout.wrong_layout(place, "a folder img/")
    if fill_gaps:
        frames = frame_files.fill_gaps(place / "img", len(truth), first=1, digits=8)
    else:
        frames = frame_files.list_frames(place / "img")
    frame_files.check_lengths(place, frames, truth)
    flags = [
        files.read_flags(place / file, count=len(truth)) > 0
        for file in ("full_occlusion.txt", "out_of_view.txt")
        if (place / file).is_file()
    ]
    tables = [p / "annos" / "att" for p in (place.parent, place.parent.parent)]
    return Sequence(
        name,
        frames,
        xyxy_from_truth(truth, len(frames)),
        truth=truth,
        absent=np.any(flags, axis=0) if flags else None,
        attributes=(
            files.named_flags(tables[0] / f"{name}.txt", ATTRIBUTES)
            or files.named_flags(tables[1] / f"{name}.txt", ATTRIBUTES)
        ),
    )
