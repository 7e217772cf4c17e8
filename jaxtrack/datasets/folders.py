"""Plain folders at any depth: `<name>/img/*.jpg`, or images beside their boxes.

Boxes are in `groundtruth_rect.txt` or `groundtruth.txt`, a line x, y, w, h a frame; the
corners of a polygon stand for the box around it. Several targets have a file each,
`groundtruth_rect.1.txt` and so on. Numbers count from 0; a row of NaN, of no size, or
of width and height -1 says that the object is absent, and so does a flag in
`full_occlusion.txt`, `out_of_view.txt`, `absence.label` or `absent.txt`, or a 0 in
`cover.label`.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxtrack.datasets import exclusions, files, frame_files, layout
from jaxtrack.datasets.sequence import Clip, Listing, Sequence, xyxy_from_truth
from jaxtrack.errors import InputError

BOX_FILES = ("groundtruth_rect.txt", "groundtruth.txt")
_ALIKE = 3  # Names that a folder shares with a benchmark, from which on it is said.
_ABSENT_FILES = ("full_occlusion.txt", "out_of_view.txt", "absence.label", "absent.txt")
_NUMBERED = re.compile(r"groundtruth(?:_rect)?\.(\d+)\.txt")


def survey(root: Path, split: str) -> Listing:
    """Lists the targets of all sequences.

    Args:
      root: folder of the sequences, or a sequence.
      split: there is one.

    Returns:
      A place is the folder and the file of boxes; targets are `name-1`, `name-2`.

    Raises:
      InputError: there is none, or two have the same name.
    """
    found, notes = {}, []
    for name, folder in _named_folders(root):
        targets = box_files(folder)
        own = {f"{name}-{t}" if t else name: (folder, p) for t, p in targets.items()}
        found |= own
        if len(own) > 1:
            notes.append(f"{name} has {len(own)} targets: {', '.join(own)}.")
    return Listing(tuple(found), found, len(found), tuple(notes))


def read(name: str, place: tuple[Path, Path]) -> Sequence:
    """Reads one target."""
    folder, path = place
    return _read(name, folder, path, allow_absent=True)


def survey_clips(root: Path, split: str) -> Listing:
    """Lists the sequences to train on; places are their folders.

    Args:
      root: folder of the sequences, or a sequence.
      split: there is one.

    Raises:
      InputError: there is none, or two have the same name.
    """
    found = dict(_named_folders(root))
    notes = []
    for benchmark, names in exclusions.BENCHMARKS.items():
        count = len(found.keys() & set(names))
        if count >= _ALIKE:
            notes.append(
                f"{count} sequences have names of {benchmark}'s: do not report scores "
                f"on it, or pack again with --exclude={benchmark}."
            )
    return Listing(tuple(found), found, len(found), tuple(notes))


def read_clip(name: str, place: Path) -> Clip:
    """Reads one sequence with all its targets."""
    paths = box_files(place).values()
    videos = [_read(name, place, path, allow_absent=True) for path in paths]
    xyxy = np.stack([video.xyxy for video in videos])
    return Clip(name, tuple(videos[0].frames), xyxy)


def _named_folders(root: Path) -> list[tuple[str, Path]]:
    """Returns names and folders of the sequences, which lie at any depth."""
    named = {}
    for folder in list_sequences(root):
        parts = folder.relative_to(root).parts or (folder.resolve().name,)
        name = "-".join(parts)
        if name in named:
            raise InputError(
                f"{root}: {named[name]} and {folder} would both be named {name}: "
                "rename one of them"
            )
        named[name] = folder
    return list(named.items())


def list_sequences(root: str | Path) -> list[Path]:
    """Lists the folders that hold a box file, at any depth, by name.

    Args:
      root: the folder of sequences, or a sequence.

    Raises:
      InputError: if the folder is absent or holds no sequence.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: no such folder")
    found = list(_walk(root))
    if not found:
        raise InputError(f"{root}: none of its folders holds {BOX_FILES[0]}")
    return sorted(
        found, key=lambda p: list(map(frame_files.natural_order, _parents(p)))
    )


def _walk(folder: Path) -> Iterator[Path]:
    """Yields the sequences in a folder; below a sequence there is none."""
    if box_files(folder):
        yield folder
        return
    for inner in layout.subfolders(folder).values():
        leads_back = inner.is_symlink() and folder.resolve().is_relative_to(
            inner.resolve()
        )
        if not leads_back:
            yield from _walk(inner)


def _parents(path: Path) -> list[Path]:
    """Returns the folders that a path lies in, from the top, and itself."""
    return [*reversed(path.parents), path]


def read_sequence(folder: str | Path, *, allow_absent: bool = False) -> Sequence:
    """Reads the boxes of a sequence of one target and lists its frames.

    Args:
      folder: holds `groundtruth_rect.txt` or `groundtruth.txt`, and the frames where
        `frame_files.image_folder` finds them.
      allow_absent: whether a box may be NaN or of no size; see `files.check_sizes`.

    Returns:
      The sequence.

    Raises:
      InputError: if frames or boxes are absent, malformed or not equally many.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    path = box_file(folder)
    if path is None:
        raise InputError(f"{folder}: has no {' or '.join(BOX_FILES)}")
    return _read(folder.name, folder, path, allow_absent=allow_absent)


def _read(name: str, folder: Path, path: Path, *, allow_absent: bool) -> Sequence:
    """Reads the target whose boxes are in a file."""
    frames = frame_files.list_frames(frame_files.image_folder(folder))
    truth = files.read_xywh(path)
    files.check_sizes(path, truth, allow_absent=allow_absent)
    frame_files.check_lengths(folder, frames, truth)
    truth, absent = without_absent(folder, truth)
    xyxy = xyxy_from_truth(truth, len(frames))
    return Sequence(name, frames, xyxy, truth=truth, absent=absent)


def without_absent(
    folder: Path, truth: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns boxes without those that a folder's flags call absent.

    Args:
      folder: of the sequence.
      truth: `[N, 4]` xywh, px.

    Returns:
      Boxes, NaN where a flag says so, and the flags, `[N]` bool; None without a file.

    Raises:
      InputError: a file has other than N flags.
    """
    paths = [path for name in _ABSENT_FILES if (path := folder / name).is_file()]
    flags = [files.read_flags(path, count=len(truth)) > 0 for path in paths]
    if (cover := folder / "cover.label").is_file():
        flags.append(files.read_flags(cover, count=len(truth)) == 0)
    if not flags:
        return truth, None
    absent = np.any(flags, axis=0)
    return np.where(absent[:, None], np.nan, truth), absent


def box_file(folder: Path) -> Path | None:
    """Returns the box file of a sequence's first target, or None.

    Args:
      folder: of the sequence.
    """
    return next(iter(box_files(folder).values()), None)


def box_files(folder: Path) -> dict[str, Path]:
    """Returns the box files of a sequence: its target's number -> file.

    Args:
      folder: of the sequence; it may be none.

    Returns:
      The number is "" of the one target that has a file without a number.
    """
    if not folder.is_dir():
        return {}
    numbered = {
        match[1]: folder / name
        for name in os.listdir(folder)
        if (match := _NUMBERED.fullmatch(name))
    }
    ordered = {key: numbered[key] for key in sorted(numbered, key=int)}
    for path in (folder / name for name in BOX_FILES):
        # OTB's Human4 has an empty one beside that of its second target.
        if path.is_file() and (not numbered or path.stat().st_size > 0):
            return {"": path, **ordered}
    return ordered
