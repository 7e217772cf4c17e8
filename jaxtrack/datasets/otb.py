"""OTB50 and OTB100: `<Seq>/img/0001.jpg` and `<Seq>/groundtruth_rect.txt`.

The quirks of the official archives are followed: some sequences use a part of their
images (`members.OTB_FRAMES`; rows of truth are already those of that part), Board's
numbers have five digits, Jogging and Skating2 have two targets (`.1.txt`, `.2.txt`) and
become `Jogging-1` and so on, Human4's truth is in `groundtruth_rect.2.txt`, and
separators are commas, tabs or blanks. Copies with a folder a target, named `Jogging-1`,
`Jogging_1`, `Jogging.1` or `Jogging1`, are read as well. Tiger1 begins with its first
frame; pytracking leaves five out. Coordinates count from 1.
"""

import json
from pathlib import Path

from jaxtrack.datasets import files, frame_files, layout, members
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth
from jaxtrack.errors import InputError

_TRUTH = "groundtruth_rect"
_ORIGIN = 1.0
_EXPECTED = (
    "OTB's layout, folders such as Basketball/ and Jogging/ with img/ and "
    "groundtruth_rect.txt"
)
# Abbreviations in the order of the Matlab toolkit's anno/att/*.txt.
ATTRIBUTES = ("IV", "OPR", "SV", "OCC", "DEF", "MB", "FM", "IPR", "OV", "BC", "LR")


def survey(root: Path, split: str, *, names: tuple[str, ...]) -> Listing:
    """Lists the targets of an edition.

    Args:
      root: folder of the sequences.
      split: there is one.
      names: of the edition, `members.OTB50` or `members.OTB100`.

    Returns:
      A place is the folder and the file of the truth.

    Raises:
      InputError: no sequence is there.
    """
    if not root.is_dir():
        raise layout.wrong_layout(root, _EXPECTED)
    folders = {name.lower(): path for name, path in layout.subfolders(root).items()}
    found = {name: place for name in names if (place := _place(name, folders))}
    if not found:
        raise layout.wrong_layout(root, _EXPECTED)
    return Listing(names, found, len(names))


def _place(name, folders):
    """Returns a target's folder and file of truth, or None."""
    stem, _, number = name.partition("-")
    if number:
        own = [f"{stem}{sign}{number}" for sign in ("-", "_", ".", "")]
        wanted = [(f, end) for f in own for end in (".txt", f".{number}.txt")]
        wanted.append((stem, f".{number}.txt"))
    else:
        wanted = [(stem, ".txt")]
    if name == "Human4":
        own = ("Human4", "Human4-2", "Human4_2")
        wanted += [(f, end) for f in own for end in (".txt", ".2.txt")]
    for folder, end in wanted:
        if folder.lower() not in folders:
            continue
        path = folders[folder.lower()] / f"{_TRUTH}{end}"
        # Human4's first one is there and empty.
        if path.is_file() and path.read_bytes().strip():
            return path.parent, path
    return None


def read(name: str, place: tuple[Path, Path]) -> Sequence:
    """Reads one target."""
    folder, path = place
    truth = files.read_xywh(path)
    images = next((p for p in (folder / "img", folder / "jpg") if p.is_dir()), None)
    if images is None:
        raise layout.wrong_layout(folder, "a folder img/")
    numbered = frame_files.numbered_frames(images)
    frames = list(numbered.values())
    # A copy may have been cut to the frames that count; then all of them do.
    if name in members.OTB_FRAMES and len(frames) != len(truth):
        frames = frame_files.frames_between(images, *members.OTB_FRAMES[name])
    frame_files.check_lengths(folder, frames, truth)
    return Sequence(
        name,
        frames,
        xyxy_from_truth(truth, len(frames), origin=_ORIGIN),
        truth=truth,
        origin=_ORIGIN,
        attributes=_attributes(name, folder),
    )


def _attributes(name, folder):
    """Returns a target's attributes from whichever file states them."""
    if (folder / "attrs.txt").is_file():
        words = " ".join(files.read_names(folder / "attrs.txt")).replace(",", " ")
        return tuple(words.split())
    flags = folder.parent / "anno" / "att"
    if flags.is_dir():
        paths = {p.stem.lower(): p for p in flags.glob("*.txt")}
        return files.named_flags(paths.get(name.lower(), flags / name), ATTRIBUTES)
    table = folder.parent / "OTB100.json"
    if not table.is_file():
        return ()
    try:
        return tuple(json.loads(table.read_text()).get(name, {}).get("attr", ()))
    except (ValueError, AttributeError) as fault:
        raise InputError(f"{table}: expected pysot's table; found {fault}") from fault
