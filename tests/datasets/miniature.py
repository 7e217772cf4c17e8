"""Writes a miniature of the official layout of every training set, quirks and all.

Pictures have 96 x 64 px; each object is a bright block in its box, on noise. A video
has 6 frames. Boxes are xywh from the picture's edge, in whole px.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from tests.datasets import fake_datasets as fake

WIDTH, HEIGHT = 96, 64
LENGTH = 6
Box = tuple[float, float, float, float]


def track(start: Box = (10, 20, 24, 16), count: int = LENGTH) -> list[Box]:
    """Returns boxes that move four px to the right a frame."""
    x, y, w, h = start
    return [(x + 4 * t, y, w, h) for t in range(count)]


def draw(path: Path, boxes: Iterable[Box] = ()) -> None:
    """Writes a picture of objects, encoded as its suffix says."""
    image = np.random.default_rng(0).integers(60, 120, (HEIGHT, WIDTH, 3), np.uint8)
    for number, (x, y, w, h) in enumerate(boxes):
        color = ((230, 200, 40), (40, 220, 230))[number % 2]
        image[int(y) : int(y + h), int(x) : int(x + w)] = color
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix.lower(), image)[1].tobytes())


def video(
    folder: Path,
    boxes: list[Box],
    *,
    first: int = 1,
    digits: int = 8,
    suffix: str = ".jpg",
) -> None:
    """Writes the numbered frames of a video of one object."""
    for number, box in enumerate(boxes, start=first):
        draw(folder / f"{number:0{digits}d}{suffix}", [box])


def got10k(root: Path) -> None:
    """Three of 9,335 sequences, one in a part that was unpacked by itself.

    Of 2, frame 1 is flagged absent, of frame 2 nothing is visible, frame 5 is missing.
    VOT forbids 4.
    """
    part = "GOT-10k_Train_split_01/"
    for number, inner in ((1, ""), (2, ""), (4, part)):
        folder = root / "train" / f"{inner}GOT-10k_Train_{number:06d}"
        video(folder, track())
        fake.table(folder / "groundtruth.txt", track())
        fake.table(folder / "absence.label", [[0]] * LENGTH)
        fake.table(folder / "cover.label", [[8]] * LENGTH)
        fake.table(folder / "cut_by_image.label", [[0]] * LENGTH)
    folder = root / "train/GOT-10k_Train_000002"
    fake.table(folder / "absence.label", [[0], [1], [0], [0], [0], [0]])
    fake.table(folder / "cover.label", [[8], [8], [0], [3], [8], [8]])
    (folder / "00000006.jpg").unlink()
    (folder / "._00000001.jpg").write_bytes(b"\0\5\26\7")


def lasot(root: Path) -> None:
    """Sequences of the test and the training split, and one of the extension.

    Of airplane-2, frame 1 is out of view. bear-3 has no `out_of_view.txt`; its files
    are spelled as other annotators do, frame 3 is occluded, frame 4 has no box.
    """
    for name in ("airplane-1", "airplane-2", "bear-3", "atv-1"):
        folder = root / name.split("-")[0] / name
        video(folder / "img", track())
        fake.table(folder / "groundtruth.txt", track())
        fake.table(folder / "full_occlusion.txt", [[0] * LENGTH])
        fake.table(folder / "out_of_view.txt", [[0, 1, 0, 0, 0, 0]])
    folder = root / "bear/bear-3"
    (folder / "out_of_view.txt").unlink()
    fake.text(folder / "full_occlusion.txt", "0\r\n0\r\n0\r\n1\r\n0\r\n0\r\n")
    rows = track()
    rows[4] = (0, 0, 0, 0)
    fake.table(folder / "groundtruth.txt", rows, "\t")


def lasot_extension(root: Path) -> None:
    """Two of the 150 sequences."""
    for name in ("atv-1", "wingsuit-10"):
        folder = root / "LaSOT_extension_subset" / name.split("-")[0] / name
        video(folder / "img", track())
        fake.table(folder / "groundtruth.txt", track())
        fake.table(folder / "full_occlusion.txt", [[0] * LENGTH])
        fake.table(folder / "out_of_view.txt", [[0] * LENGTH])


def trackingnet(root: Path) -> None:
    """Two of twelve chunks, one video still zipped, and a video of the test set."""
    for split, name in (("TRAIN_0", "a_0"), ("TRAIN_0", "b_1"), ("TRAIN_3", "c_0")):
        video(root / split / "frames" / name, track(), first=0, digits=1)
        fake.table(root / split / f"anno/{name}.txt", track())
    fake.table(root / "TRAIN_3/anno/d_0.txt", track())
    fake.text(root / "TRAIN_3/zips/d_0.zip", "")
    video(root / "TEST/frames/t_0", track(), first=0, digits=1)
    fake.table(root / "TEST/anno/t_0.txt", track()[:1])


def coco(root: Path) -> None:
    """Pictures 9 (two objects, crowd, speck, line), 25, 30 (none), 34 (missing)."""
    boxes = {
        9: [
            (8, 8, 24, 16),
            (50, 30, 20, 20),
            (0, 0, 90, 60),
            (1, 1, 3, 9),
            (5, 5, 0, 4),
        ],
        25: [(30.5, 10.25, 20.5, 30)],
        34: [(1, 2, 30, 40)],
    }
    for number in (9, 25, 30):
        draw(root / f"train2017/{number:012d}.jpg", boxes.get(number, [])[:2])
    annotations = [
        {
            "segmentation": [[x, y, x + w, y, x + w, y + h]],
            "area": w * h / 2,
            "iscrowd": int(w == 90),
            "image_id": number,
            "bbox": [x, y, w, h],
            "category_id": 18,
            "id": 100 * number + k,
        }
        for number, of_image in boxes.items()
        for k, (x, y, w, h) in enumerate(of_image)
    ]
    annotations[2]["segmentation"] = {"counts": [2, 5], "size": [HEIGHT, WIDTH]}
    content = {
        "info": {"year": 2017},
        "licenses": [{"id": 1, "name": "any", "url": ""}],
        "images": [
            {"id": n, "file_name": f"{n:012d}.jpg", "width": WIDTH, "height": HEIGHT}
            for n in (34, 25, 30, 9)
        ],
        "annotations": annotations[::-1],
        "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}],
    }
    fake.text(root / "annotations/instances_train2017.json", json.dumps(content))


def write_xml(path: Path, objects: Iterable[tuple[str, Box]], origin: int = 0) -> None:
    """Writes annotations: what is in an object besides its box, and the box."""
    entries = "".join(
        f"<object><name>n1</name>{extra}<bndbox>"
        f"<xmax>{x + w - 1 + origin:g}</xmax><xmin>{x + origin:g}</xmin>"
        f"<ymax>{y + h - 1 + origin:g}</ymax><ymin>{y + origin:g}</ymin>"
        "</bndbox></object>"
        for extra, (x, y, w, h) in objects
    )
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    fake.text(path, f"<annotation><folder>f</folder>{size}{entries}</annotation>")


def imagenet_vid(root: Path) -> None:
    """A video of two objects, the second from frame 2 on; one without frame 3."""
    names = {
        "train/ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000": track(),
        "train/ILSVRC2015_VID_train_0001/ILSVRC2015_train_00139005": track(),
        "val/ILSVRC2015_val_00000000": track(),
    }
    for name, boxes in names.items():
        folder = root / "ILSVRC2015/Data/VID" / name
        for t, box in enumerate(boxes):
            objects = [("<trackid>0</trackid><occluded>0</occluded>", box)]
            if name.endswith("0000/ILSVRC2015_train_00000000") and t > 1:
                objects.append(("<trackid>1</trackid>", (60, 40, 20, 20)))
            draw(folder / f"{t:06d}.JPEG", [box for _, box in objects])
            write_xml(root / f"ILSVRC2015/Annotations/VID/{name}/{t:06d}.xml", objects)
    data = root / "ILSVRC2015/Data/VID/train/ILSVRC2015_VID_train_0001"
    (data / "ILSVRC2015_train_00139005/000003.JPEG").unlink()


def imagenet_det(root: Path) -> None:
    """Photographs of both years, one without objects, one of negatives, one of val."""
    boxes = {
        "train/ILSVRC2013_train/n01/n01_1": [(8, 8, 24, 16)],
        "train/ILSVRC2014_train_0000/ILSVRC2014_train_00000001": [
            (8, 8, 24, 16),
            (50, 30, 20, 20),
            (90, 60, 2, 2),
        ],
        "train/ILSVRC2014_train_0000/ILSVRC2014_train_00000002": [],
        "val/ILSVRC2012_val_00000001": [(8, 8, 24, 16)],
    }
    for name, of_image in boxes.items():
        draw(root / f"ILSVRC/Data/DET/{name}.JPEG", of_image)
        objects = [("", box) for box in of_image]
        write_xml(root / f"ILSVRC/Annotations/DET/{name}.xml", objects)
    draw(root / "ILSVRC/Data/DET/train/ILSVRC2013_train_extra0/extra_1.JPEG")


def youtubebb(root: Path) -> None:
    """Two segments of one video, one of a video that is gone; a presence never seen.

    Of segment `A_-1+0+0`, second 3 is absent and the frame of second 4 was not cut out.
    """
    rows = []
    for youtube_id, object_id, start in (
        ("A_-1", 0, (10, 20, 24, 16)),
        ("A_-1", 1, (4, 40, 20, 20)),
        ("gone", 0, (10, 20, 24, 16)),
    ):
        for second, (x, y, w, h) in enumerate(track(start)):
            presence = "present"
            shares = [x / WIDTH, (x + w) / WIDTH, y / HEIGHT, (y + h) / HEIGHT]
            if youtube_id == "A_-1" and second == 3:
                presence, shares = ("absent", "uncertain")[object_id], [-1] * 4
            keys = [youtube_id, 1000 * second, 0, "person", object_id, presence]
            rows.append([*keys, *shares])
            stem = f"{youtube_id}_{1000 * second}_0_{object_id}"
            if youtube_id != "gone" and second != 3 and (object_id or second != 4):
                path = root / f"yt_bb_detection_train/0/{stem}.jpg"
                draw(path, [(x, y, w, h)])
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    table = root / "yt_bb_detection_train.csv.gz"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_bytes(gzip.compress(text.getvalue().encode()))


def folders(root: Path) -> None:
    """Sequences at two depths: polygons, -1, two targets, .tif, .webp, .JPG, ._."""
    rows = track()
    video(root / "street/img", rows, digits=4, suffix=".webp")
    (root / "street/img/._0001.webp").write_bytes(b"\0\5\26\7")
    rows[1] = (-1, -1, -1, -1)
    rows[2] = (np.nan,) * 4
    fake.table(root / "street/groundtruth_rect.txt", rows)
    video(root / "2019/park", track(), digits=1, suffix=".tif")
    corners = [(x, y, x + w, y, x + w, y + h, x, y + h) for x, y, w, h in track()]
    fake.table(root / "2019/park/groundtruth.txt", corners, "; ")
    other = track((4, 40, 20, 20))
    for n, pair in enumerate(zip(track(), other, strict=True), start=9):
        draw(root / f"2019/crowd/img/frame {n}.JPG", pair)
    fake.table(root / "2019/crowd/groundtruth.1.txt", track(), "\t")
    fake.table(root / "2019/crowd/groundtruth.2.txt", other, " ")


def boxes(root: Path) -> None:
    """A table of a video of two objects and of two photographs."""
    lines = ["video;image;frame;object;x;y;w;h"]
    second = track((4, 40, 20, 20))
    for t, (first, other) in enumerate(zip(track(), second, strict=True)):
        name = f"clips/{LENGTH - t}.png"
        draw(root / name, [first, other] if t != 2 else [first])
        for which, box in (("dog", first), ("cat", other)):
            values = ";".join(f"{v:g}" for v in box)
            values = ";;;" if t == 2 and which == "cat" else values
            lines.append(f"walk;{name};{t};{which};{values}")
    draw(root / "photos/1.jpg", [(8, 8, 24, 16), (50, 30, 20, 20)])
    draw(root / "photos/2.jpg", [(8, 8, 24, 16)])
    lines += [";photos/1.jpg;;;8;8;24;16", ";photos/1.jpg;;;50;30;20;20"]
    lines += [";photos/2.jpg;;;8;8;24;16", ";photos/2.jpg;;;5;5;10;0"]
    fake.text(root / "boxes.csv", "\n".join(lines) + "\n")


def voc(root: Path) -> None:
    """Two photographs of trainval, one with a difficult object, and one of test."""
    year = root / "VOC2007"
    for name, suffix in (("000005", ".jpg"), ("000007", ".JPG"), ("000001", ".jpg")):
        draw(year / f"JPEGImages/{name}{suffix}", [(8, 8, 24, 16)])
        objects = [("<difficult>0</difficult>", (8, 8, 24, 16))]
        if name == "000005":
            objects.append(("<difficult>1</difficult>", (50, 30, 20, 20)))
        write_xml(year / f"Annotations/{name}.xml", objects, origin=1)
    fake.text(year / "ImageSets/Main/trainval.txt", "000005\n000007\n")
    fake.text(year / "ImageSets/Main/dog_trainval.txt", "000005  1\n000007 -1\n")
    fake.text(year / "ImageSets/Main/test.txt", "000001\n")


def yolo(root: Path) -> None:
    """A photograph with a box, one with a polygon, one without objects or labels."""
    for name in ("a", "b", "c", "d"):
        draw(root / f"images/train/{name}.jpg", [(24, 16, 48, 32)] * (name in "ab"))
    fake.text(root / "labels/train/a.txt", "0 0.5 0.5 0.5 0.5\n")
    fake.text(root / "labels/train/b.txt", "3 0.25 0.25 0.75 0.25 0.75 0.75\n")
    fake.text(root / "labels/train/c.txt", "")
    fake.text(root / "data.yaml", "train: images/train\nnames: [dog]\n")


WRITERS: dict[str, Callable[[Path], None]] = {
    write.__name__: write
    for write in (
        *(coco, imagenet_vid, imagenet_det, youtubebb, got10k, lasot, lasot_extension),
        *(trackingnet, folders, boxes, voc, yolo),
    )
}


def make(name: str, folder: Path) -> Path:
    """Writes the miniature of a training set and returns its root."""
    root = folder / name
    root.mkdir(parents=True)
    WRITERS[name](root)
    return root
