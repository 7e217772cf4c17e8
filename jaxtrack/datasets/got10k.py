"""GOT-10k: `train/<seq>/` (and val, test) with `00000001.jpg` and `groundtruth.txt`.

`list.txt` names the sequences; without it they are `GOT-10k_Val_000001` to `_000180`,
and the others alike. `meta_info.ini` gives class, motion and resolution,
`absence.label` and `cover.label` (0 to 8) one number per frame. Only the first box of
the test set is public.
"""

import os
import re
from pathlib import Path

from jaxtrack.datasets import files, frame_files, layout
from jaxtrack.datasets.sequence import Listing, Sequence, xyxy_from_truth
from jaxtrack.errors import InputError

_EXPECTED = "GOT-10k's layout, {0}/GOT-10k_{1}_000001/ with 00000001.jpg"
_NUM_SEQUENCES = {"train": 9335, "val": 180, "test": 180}


def survey(root: Path, split: str) -> Listing:
    """Lists the sequences of a subset.

    Args:
      root: folder of the subsets, or of the subset's sequences.
      split: "train", "val" or "test".

    Returns:
      Places are the folders of the sequences.

    Raises:
      InputError: no sequence is there.
    """
    expected = _EXPECTED.format(split, split.capitalize())
    tops = [root, root / "full_data"]
    candidates = [top / name for top in tops for name in (split, f"{split}_data")]
    candidates.append(root)
    base = layout.first_folder(candidates, root, expected)
    count = _NUM_SEQUENCES[split]
    names = tuple(
        f"GOT-10k_{split.capitalize()}_{number:06d}" for number in range(1, count + 1)
    )
    if (base / "list.txt").is_file():
        names = files.read_names(base / "list.txt")
    # The training set comes in parts, GOT-10k_Train_split_01 and so on.
    parts = [base, *sorted(base.glob("GOT-10k_*_split_*"))]
    folders = {n: part / n for part in parts for n in os.listdir(part)}
    found = {
        n: folders[n]
        for n in names
        if n in folders and (folders[n] / "groundtruth.txt").is_file()
    }
    if not found:
        raise layout.wrong_layout(base, expected)
    return Listing(names, found, max(count, len(names)))


def read(name: str, place: Path, *, fill_gaps: bool = False) -> Sequence:
    """Reads one sequence; `fill_gaps` names frames that are missing, too."""
    truth = files.read_xywh(place / "groundtruth.txt")
    if fill_gaps:
        frames = frame_files.fill_gaps(place, len(truth), first=1, digits=8)
    else:
        frames = frame_files.list_frames(place)
    if "_Test_" not in name or len(truth) != 1:
        frame_files.check_lengths(place, frames, truth)
    labels = {
        label: files.read_flags(place / f"{label}.label", count=len(frames))
        for label in ("absence", "cover")
        if (place / f"{label}.label").is_file()
    }
    attributes, size = _meta(place / "meta_info.ini")
    return Sequence(
        name,
        frames,
        xyxy_from_truth(truth, len(frames)),
        truth=truth,
        absent=labels["absence"] > 0 if "absence" in labels else None,
        cover=labels.get("cover"),
        attributes=attributes,
        image_size=size,
    )


def _meta(path):
    """Returns class and motion as attributes, and (width, height)."""
    if not path.is_file():
        return (), None
    pairs = [line.partition(":") for line in files.read_text(path).splitlines()]
    meta = {key.strip(): value.strip() for key, colon, value in pairs if colon}
    kinds = ("object_class", "motion_class")
    attributes = tuple(f"{kind}={meta[kind]}" for kind in kinds if kind in meta)
    if "resolution" not in meta:
        return attributes, None
    match = re.fullmatch(r"\(?\s*(\d+)\s*,\s*(\d+)\s*\)?", meta["resolution"])
    if match is None:
        raise InputError(
            f"{path}: expected resolution: (width, height); "
            f"found {meta['resolution']!r}"
        )
    return attributes, (int(match[1]), int(match[2]))
