"""Tiny copies of public benchmarks: their folders, with frames of 8 x 8 pixels."""

import cv2
import numpy as np

_ENCODED = {
    suffix: cv2.imencode(suffix, np.full((8, 8, 3), 90, np.uint8))[1].tobytes()
    for suffix in (".jpg", ".png")
}


def text(path, content):
    """Writes a text file and the folders above it; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def table(path, rows, separator=","):
    """Writes rows of numbers."""
    lines = [separator.join(f"{v:g}" for v in row) for row in rows]
    text(path, "".join(f"{line}\n" for line in lines))


def images(folder, numbers, digits=4, suffix=".jpg"):
    """Writes numbered images."""
    folder.mkdir(parents=True, exist_ok=True)
    for n in numbers:
        (folder / f"{n:0{digits}d}{suffix}").write_bytes(_ENCODED[suffix])


def boxes(count, start=(2, 3, 4, 5)):
    """Returns `[count, 4]` xywh that move one px a frame to the right."""
    rows = np.tile(np.array(start, np.float64), (count, 1))
    rows[:, 0] += np.arange(count)
    return rows


def otb_sequence(root, name, count=3, *, first=1, digits=4, end=".txt", truth=None):
    """Writes one folder of OTB."""
    images(root / name / "img", range(first, first + count), digits)
    truth = boxes(count) if truth is None else truth
    table(root / name / f"groundtruth_rect{end}", truth)


def uav_sequence(root, folder, numbers, truths):
    """Writes one folder of UAV123 with the truths of its sequences."""
    images(root / "data_seq/UAV123" / folder, numbers, 6)
    for name, truth in truths.items():
        table(root / f"anno/UAV123/{name}.txt", truth)


def lasot_sequence(root, name, count=3, absent=()):
    """Writes one folder of LaSOT; frames in `absent` are out of view."""
    folder = root / name.split("-")[0] / name
    images(folder / "img", range(1, count + 1), 8)
    table(folder / "groundtruth.txt", boxes(count))
    table(folder / "full_occlusion.txt", [np.zeros(count)])
    table(folder / "out_of_view.txt", [[n in absent for n in range(count)]])


def tnl2k_sequence(root, name, files=("a.png", "b.png")):
    """Writes one folder of TNL2K with images of any names."""
    folder = root / "TNL2K_test_subset" / name
    (folder / "imgs").mkdir(parents=True)
    for file in files:
        (folder / "imgs" / file).write_bytes(_ENCODED[f".{file.split('.')[-1]}"])
    table(folder / "groundtruth.txt", boxes(len(files)))


def trackingnet_video(root, name, count=12, split="TEST"):
    """Writes one video of TrackingNet; of the test set the first box alone."""
    images(root / split / "frames" / name, range(count), 1)
    truth = boxes(1 if split == "TEST" else count)
    table(root / split / f"anno/{name}.txt", truth)


def got10k_sequence(root, subset, number, count=3, *, cover=None):
    """Writes one sequence of GOT-10k; of the test set the first box alone."""
    name = f"GOT-10k_{subset.capitalize()}_{number:06d}"
    folder = root / subset / name
    images(folder, range(1, count + 1), 8)
    table(folder / "groundtruth.txt", boxes(1 if subset == "test" else count))
    meta = "[METAINFO]\nobject_class: zebra\nmotion_class: run\nresolution: (16, 9)\n"
    text(folder / "meta_info.ini", meta)
    if cover is not None:
        table(folder / "cover.label", [[c] for c in cover])
        table(folder / "absence.label", [[c == 0] for c in cover])
    return name


def vot_sequence(root, name, region, *, images_in="color", described=""):
    """Writes one sequence of VOT."""
    folder = root / name
    images(folder / images_in, range(1, len(region) + 1), 8)
    table(folder / "groundtruth.txt", region)
    if described:
        text(folder / "sequence", described)
    return folder
