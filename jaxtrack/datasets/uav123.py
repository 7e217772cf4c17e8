"""UAV123: `data_seq/UAV123/<folder>/000001.jpg` and `anno/UAV123/<name>.txt`.

Its 123 sequences are cut from 91 folders (`members.UAV123_CUTS`); rows of NaN say that
the target is out of sight.
"""

from pathlib import Path

from jaxtrack.datasets import files, frame_files, layout, members
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth

_EXPECTED = "UAV123's layout, anno/UAV123/<name>.txt and data_seq/UAV123/<folder>/"
# In the order of the authors' anno/UAV123/att/*.txt.
ATTRIBUTES = tuple("SV ARC LR FM FOC POC OV BC IV VC CM SOB".split())


def survey(root: Path, split: str) -> Listing:
    """Lists the sequences.

    Args:
      root: folder of `anno` and `data_seq`, or the one above it.
      split: there is one.

    Returns:
      Names as in `members.UAV123`; a place is the folder of `anno` and `data_seq`.

    Raises:
      InputError: the folders are missing, or no sequence is there.
    """
    candidates = [p / "anno" / "UAV123" for p in (root, root / "UAV123")]
    anno = layout.first_folder(candidates, root, _EXPECTED)
    base = anno.parent.parent
    images = base / "data_seq" / "UAV123"
    found = {
        name: base
        for name in members.UAV123
        if (anno / f"{name}.txt").is_file() and (images / _folder(name)).is_dir()
    }
    if not found:
        raise layout.wrong_layout(images if images.is_dir() else base, _EXPECTED)
    return Listing(members.UAV123, found, len(members.UAV123))


def _folder(name):
    """Returns the folder of a sequence's images."""
    stem, _, number = name.rpartition("_")
    return stem if number.isdigit() else name


def read(name: str, place: Path) -> Sequence:
    """Reads one sequence."""
    anno = place / "anno" / "UAV123"
    truth = files.read_xywh(anno / f"{name}.txt")
    folder = place / "data_seq" / "UAV123" / _folder(name)
    if _folder(name) == name:
        frames = frame_files.frames_between(folder, 1, len(truth))
    else:
        cut = int(name.rpartition("_")[2]) - 1
        frames = frame_files.frames_between(
            folder, *members.UAV123_CUTS[_folder(name)][cut]
        )
    frame_files.check_lengths(folder, frames, truth)
    flags = files.named_flags(anno / "att" / f"{name}.txt", ATTRIBUTES)
    return Sequence(
        name, frames, xyxy_from_truth(truth, len(frames)), truth=truth, attributes=flags
    )
