"""Writes a miniature of the official layout of every training set, quirks and all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.datasets import fake_datasets as fake


def got10k(root: Path) -> None:
    """Three of 9,335 sequences; 2 is half hidden and absent, 4 overlaps with VOT's."""
    for number in (1, 2, 4):
        cover = (8, 8, 0, 3, 8) if number == 2 else None
        fake.got10k_sequence(root, "train", number, 5, cover=cover)
    absence = root / "train/GOT-10k_Train_000002/absence.label"
    fake.table(absence, [[0], [1], [0], [0], [0]])


def lasot(root: Path) -> None:
    """Three sequences, one of them of the test split; frames 1 and 3 are absent."""
    for name in ("airplane-1", "airplane-2", "bear-3"):
        fake.lasot_sequence(root, name, 5, absent=(1,))
    fake.table(root / "bear/bear-3/full_occlusion.txt", [[0, 0, 0, 1, 0]])


def trackingnet(root: Path) -> None:
    """Two chunks, and of a third the annotations without frames; a video for tests."""
    for split, name in (("TRAIN_0", "a_0"), ("TRAIN_0", "b_1"), ("TRAIN_3", "c_0")):
        fake.trackingnet_video(root, name, 12, split)
    fake.table(root / "TRAIN_3/anno/d_0.txt", fake.boxes(3))
    fake.trackingnet_video(root, "t_0", 4)


def folders(root: Path) -> None:
    """Two sequences: images in `img/`, and beside the boxes."""
    truth = fake.boxes(4)
    truth[1] = np.nan
    fake.otb_sequence(root, "street", 4, truth=truth)
    fake.images(root / "park", range(3))
    fake.table(root / "park/groundtruth.txt", fake.boxes(3))


WRITERS: dict[str, Callable[[Path], None]] = {
    write.__name__: write for write in (got10k, lasot, trackingnet, folders)
}


def make(name: str, folder: Path) -> Path:
    """Writes the miniature of a training set and returns its root."""
    root = folder / name
    root.mkdir(parents=True)
    WRITERS[name](root)
    return root
