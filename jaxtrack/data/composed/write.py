"""Writes composed videos as folders that can be evaluated."""

import os
import pathlib
import shutil
import tempfile

import cv2
from tqdm import tqdm

from jaxtrack.data.composed.source import ComposedSource
from jaxtrack.datasets.files import write_boxes
from jaxtrack.errors import InputError


def write_sequences(
    source: ComposedSource, folder: str | os.PathLike, *, prefix: str = "composed"
) -> list[pathlib.Path]:
    """Writes each track as `<prefix>_0000/img/0001.jpg` and so on.

    `groundtruth_rect.txt` has lines x,y,w,h in continuous pixels from the frame's
    top-left edge. A sequence appears as a whole or not at all, and existing ones are
    kept, so an interrupted run can be repeated.

    Args:
      source: of the videos.
      folder: the output folder; created if missing.
      prefix: of the sequences' names.

    Returns:
      The sequences' folders.

    Raises:
      InputError: if `folder` is a file or a frame cannot be written.
    """
    folder = pathlib.Path(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder for the sequences")
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / f"{prefix}_{i:04d}" for i in range(source.num_tracks)]
    for i, sequence in enumerate(tqdm(written, "sequences")):
        if not sequence.exists():
            _write_sequence(source, i, sequence)
    return written


def _write_sequence(source, i, sequence):
    """Writes track `i` under a temporary name, then renames it."""
    partial = pathlib.Path(tempfile.mkdtemp(prefix=".partial_", dir=sequence.parent))
    try:
        partial.chmod(0o755)  # mkdtemp makes private folders.
        (partial / "img").mkdir()
        for t in range(source.length):
            image = source.frame(i, t).image
            path = partial / "img" / f"{t + 1:04d}.jpg"
            bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
            if not cv2.imwrite(os.fspath(path), bgr):  # With quality 95.
                raise InputError(f"cannot write {path}: is the disk full?")
        write_boxes(partial / "groundtruth_rect.txt", source.track_boxes(i))
        partial.rename(sequence)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
