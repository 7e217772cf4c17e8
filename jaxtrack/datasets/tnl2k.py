"""TNL2K's test set: `<seq>/imgs/` and `<seq>/groundtruth.txt`.

Sequences end in `-Done`, `_done` or neither, images have irregular names and are taken
in their sorted order. The toolkit's `absent/<seq>.txt` (one of which is a line too
long) and `att/<seq>_attribute.txt` are read where they lie beside the data.
"""

from pathlib import Path

from jaxtrack.datasets import files, frame_files, layout
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth

_EXPECTED = "TNL2K's layout, TNL2K_test_subset/<seq>/ with imgs/ and groundtruth.txt"
_NUM_TEST = 700
_LISTS = ("TNL2K_testing_set.txt", "sequence_evaluation_config/TNL2K_testing_set.txt")
# In the order of the toolkit's annos/att/*_attribute.txt.
ATTRIBUTES = tuple("CM ROT DEF FOC IV OV POC VC SV BC MB ARC LR FM AS TC MS".split())


def survey(root: Path, split: str) -> Listing:
    """Lists the sequences of the test set.

    Args:
      root: holds `TNL2K_test_subset/`, or the sequences.
      split: there is one.

    Returns:
      A place is the folder and the root, where the toolkit's files lie. The names are
      those of `TNL2K_testing_set.txt` where it is in the root, else those on the disk,
      which a note says.

    Raises:
      InputError: no sequence is there.
    """
    base = layout.first_folder([root / "TNL2K_test_subset", root], root, _EXPECTED)
    folders = layout.subfolders(base).items()
    found = {n: (p, root) for n, p in folders if (p / "groundtruth.txt").is_file()}
    if not found:
        raise layout.wrong_layout(base, _EXPECTED)
    for path in (p / name for p in (root, base, root.parent) for name in _LISTS):
        if path.is_file():
            names = files.read_names(path)
            kept = {n: found[n] for n in names if n in found}
            return Listing(names, kept, len(names))
    note = f"Names are those on the disk: {_LISTS[0]} was not found."
    return Listing(tuple(found), found, _NUM_TEST, (note,))


def read(name: str, place: tuple[Path, Path]) -> Sequence:
    """Reads one sequence."""
    folder, root = place
    truth = files.read_xywh(folder / "groundtruth.txt")
    images = layout.first_folder(
        (folder / "imgs", folder / "img"), folder, "a folder imgs/"
    )
    frames = frame_files.list_frames(images)
    frame_files.check_lengths(folder, frames, truth)
    absent, attributes = None, ()
    for annos in (root / "annos", root):
        if (annos / "absent" / f"{name}.txt").is_file():
            flags = files.read_flags(annos / "absent" / f"{name}.txt")
            if len(flags) in (len(truth), len(truth) + 1):
                absent = flags[: len(truth)] > 0
            else:
                frame_files.check_lengths(annos / "absent", frames, flags)
        path = annos / "att" / f"{name}_attribute.txt"
        attributes = attributes or files.named_flags(path, ATTRIBUTES)
    return Sequence(
        name,
        frames,
        xyxy_from_truth(truth, len(frames)),
        truth=truth,
        absent=absent,
        attributes=attributes,
    )
