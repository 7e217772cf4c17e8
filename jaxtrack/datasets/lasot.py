"""LaSOT: `<class>/<class>-<n>/` with `img/00000001.jpg` and `groundtruth.txt`.

`full_occlusion.txt` and `out_of_view.txt` are one line of flags each; a frame with
either is absent. Folders of sequences may also lie directly in the root.
"""

from pathlib import Path

from jaxtrack.datasets import files, layout, members
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
      root: folder of the classes, or of the sequences.
      split: "test" (protocol II, 280 sequences; the list is `testing_set.txt` where
        it is there), "train" (the 1120 others) or "all" (1400).

    Returns:
      Places are the folders of the sequences.

    Raises:
      InputError: no sequence is there.
    """
    if not root.is_dir():
        raise layout.wrong_layout(root, _EXPECTED)
    tops = layout.subfolders(root)
    folders = {n: p for n, p in tops.items() if _is_sequence(p)}
    for top in tops.values():
        below = layout.subfolders(top)
        folders |= {n: p for n, p in below.items() if _is_sequence(p)}
    if not folders:
        raise layout.wrong_layout(root, _EXPECTED)
    test, notes = members.LASOT_TEST, ()
    if (root / _LIST).is_file():
        test = files.read_names(root / _LIST)
        if set(test) != set(members.LASOT_TEST):
            notes = (f"The test split is that of {_LIST}, not the published one.",)
    if split == "test":
        found = {n: folders[n] for n in test if n in folders}
        return Listing(tuple(test), found, len(test), notes)
    names = tuple(n for n in sorted(folders) if split == "all" or n not in test)
    found = {n: folders[n] for n in names}
    return Listing(names, found, 1400 if split == "all" else 1120, notes)


def _is_sequence(folder):
    """Tells whether a folder is one of a sequence; `airplane/` is not."""
    return "-" in folder.name and (folder / "groundtruth.txt").is_file()


def read(name: str, place: Path) -> Sequence:
    """Reads one sequence."""
    truth = files.read_rows(place / "groundtruth.txt", 4)
    if not (place / "img").is_dir():
        raise layout.wrong_layout(place, "a folder img/")
    frames = files.list_frames(place / "img")
    files.check_lengths(place, frames, truth)
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
        absent=flags[0] | flags[1] if len(flags) == 2 else None,
        attributes=(
            files.named_flags(tables[0] / f"{name}.txt", ATTRIBUTES)
            or files.named_flags(tables[1] / f"{name}.txt", ATTRIBUTES)
        ),
    )
