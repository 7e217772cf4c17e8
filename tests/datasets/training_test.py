"""Tests for jaxtrack.datasets.training: every official layout, whole and in parts."""

import json
import pickle

import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.datasets import exclusions
from jaxtrack.errors import InputError
from tests.datasets import fake_datasets as fake
from tests.datasets import miniature

# What the miniatures hold: name of a clip -> frames with a box, of each object.
ALL = [0, 1, 2, 3, 4, 5]
EXPECTED = {
    "coco": {"000000000009": [[0], [0]], "000000000025": [[0]]},
    "imagenet_vid": {
        "ILSVRC2015_train_00000000": [ALL, [2, 3, 4, 5]],
        "ILSVRC2015_train_00139005": [ALL],
    },
    "imagenet_det": {
        "ILSVRC2013_train/n01/n01_1": [[0]],
        "ILSVRC2014_train_0000/ILSVRC2014_train_00000001": [[0], [0]],
        "ILSVRC2014_train_0000/ILSVRC2014_train_00000002": [],
    },
    # Of six seconds, one is absent; of the first segment one frame is missing, too.
    "youtubebb": {"A_-1+0+0": [[0, 1, 2, 3]], "A_-1+0+1": [[0, 1, 2, 3, 4]]},
    "got10k": {
        "GOT-10k_Train_000001": [ALL],
        "GOT-10k_Train_000002": [[0, 3, 4, 5]],
        "GOT-10k_Train_000004": [ALL],
    },
    "lasot": {"airplane-2": [[0, 2, 3, 4, 5]], "bear-3": [[0, 1, 2, 5]]},
    "lasot_extension": {"atv-1": [ALL], "wingsuit-10": [ALL]},
    "trackingnet": {"a_0": [ALL], "b_1": [ALL], "c_0": [ALL]},
    "folders": {
        "2019-crowd": [ALL, ALL],
        "2019-park": [ALL],
        "street": [[0, 3, 4, 5]],
    },
    "boxes": {
        "walk": [ALL, [0, 1, 3, 4, 5]],
        "photos/1.jpg": [[0], [0]],
        "photos/2.jpg": [[0]],
    },
    "voc": {"VOC2007/000005": [[0]], "VOC2007/000007": [[0]]},
    "yolo": {"a": [[0]], "b": [[0]], "c": []},
}
MISSING = {"00000006.jpg", "000003.JPEG"}


def read_all(name, root, **options):
    """Returns name -> clip, read as a process would that got name and place."""
    listing, read = datasets.training(name, root, **options)
    read = pickle.loads(pickle.dumps(read))
    places = pickle.loads(pickle.dumps(list(listing.found.items())))
    return {name: read(name, place) for name, place in places}


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """Name of a training set -> root of its miniature."""
    folder = tmp_path_factory.mktemp("miniature")
    return {name: miniature.make(name, folder) for name in miniature.WRITERS}


@pytest.fixture(scope="module")
def clips(roots):
    """Name of a training set -> name -> clip."""
    split = {"lasot_extension": "all"}
    return {n: read_all(n, root, split=split.get(n)) for n, root in roots.items()}


@pytest.mark.parametrize("name", EXPECTED)
def test_every_training_set(name, clips):
    assert set(EXPECTED) == set(datasets.TRAINING_SETS)
    found = {}
    for clip_name, clip in clips[name].items():
        assert clip.name == clip_name and isinstance(clip.frames, tuple)
        assert clip.xyxy.shape == (len(clip.xyxy), len(clip.frames), 4)
        assert {f.name for f in clip.frames if not f.is_file()} <= MISSING
        has_box = np.isfinite(clip.xyxy).all(axis=2)
        found[clip_name] = [np.flatnonzero(of_object).tolist() for of_object in has_box]
    assert found == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_boxes_are_where_objects_are_drawn(name, clips):
    """Blocks are bright, noise is not: a box is bright inside and dark around it."""
    for clip in clips[name].values():
        for frame, boxes in zip(clip.frames, np.moveaxis(clip.xyxy, 1, 0), strict=True):
            if not frame.is_file():
                continue
            image = datasets.pictures.read_image(frame).max(axis=2)
            for x0, y0, x1, y1 in boxes[np.isfinite(boxes).all(axis=1)]:
                columns, rows = slice(round(x0), round(x1)), slice(round(y0), round(y1))
                assert np.median(image[rows, columns]) > 180
                edge = image[rows, max(round(x0) - 3, 0) : max(round(x0) - 1, 0)]
                assert edge.size == 0 or np.median(edge) < 150


def test_what_is_left_out_is_said_by_reason(clips):
    lines = clips["coco"]["000000000009"].skipped
    assert [line.split(".jpg: ")[1] for line in lines] == [
        "object 2: a crowd",
        "object 0: a box of no size",
        "object 1: a side below 4 px",
    ]
    (line,) = clips["voc"]["VOC2007/000005"].skipped
    assert line.endswith("000005.jpg: object 1: flagged difficult")
    (line,) = clips["boxes"]["photos/2.jpg"].skipped
    assert line.endswith("2.jpg: object 1: a box of no size")
    (line,) = clips["youtubebb"]["A_-1+0+0"].skipped
    assert line.endswith("A_-1_4000_0_0.jpg: no such frame")


def test_coordinates(clips):
    def first(name, clip):
        return clips[name][clip].xyxy[0, 0].tolist()

    # x 30.5, y 10.25, w 20.5, h 30 of COCO are ours.
    assert first("coco", "000000000025") == [30.5, 10.25, 51, 40.25]
    # Indices 8 to 31 and 8 to 23 of ImageNet, and those plus 1 of VOC, are 24 x 16 px.
    assert first("imagenet_det", "ILSVRC2013_train/n01/n01_1") == [8, 8, 32, 24]
    assert first("voc", "VOC2007/000007") == [8, 8, 32, 24]
    # A quarter to three quarters of 96 x 64 px.
    assert first("yolo", "a") == first("yolo", "b") == [24, 16, 72, 48]
    np.testing.assert_allclose(first("youtubebb", "A_-1+0+0"), [10, 20, 34, 36], 1e-6)
    assert first("folders", "2019-park") == [10, 20, 34, 36]
    # The files' names count down, their column `frame` counts up.
    assert [f.name for f in clips["boxes"]["walk"].frames[:2]] == ["6.png", "5.png"]


def test_official_splits(roots):
    for name, split, expected in (
        ("imagenet_vid", "val", ["ILSVRC2015_val_00000000"]),
        ("imagenet_det", "val", ["ILSVRC2012_val_00000001"]),
        ("trackingnet", "TRAIN_3", ["c_0"]),
    ):
        assert list(read_all(name, roots[name], split=split)) == expected
    listing, _ = datasets.training("trackingnet", roots["trackingnet"])
    assert listing.num_expected == 30132 and "d_0" in listing.names
    assert listing.notes[0].startswith("Without TRAIN_1, TRAIN_2, TRAIN_4")
    for name, splits in (
        ("lasot", ("test", "all")),
        ("lasot_extension", ("test",)),
        ("got10k", ("test",)),
        ("trackingnet", ("TEST",)),
        ("voc", ("test",)),
    ):
        for split in splits:
            with pytest.raises(InputError, match=f"'{split}' holds sequences of the t"):
                datasets.training(name, roots[name], split=split)
    with pytest.raises(InputError, match="published to evaluate on.*--split=all"):
        datasets.training("lasot_extension", roots["lasot_extension"])
    with pytest.raises(InputError, match="'valid' is not known: train on train or val"):
        datasets.training("got10k", roots["got10k"], split="valid")
    with pytest.raises(InputError, match="--dataset=otb100: no such training set: "):
        datasets.training("otb100", roots["got10k"])


def test_parts_are_chosen_and_excluded(roots, tmp_path):
    root = roots["got10k"]
    listing, _ = datasets.training("got10k", root, exclude=["vot2018"])
    assert list(listing.found) == ["GOT-10k_Train_000001", "GOT-10k_Train_000002"]
    assert len(listing.names) == 8335
    notes = ("1 sequences excluded by vot2018.", "3 of 9335 are there.")
    assert listing.notes == notes
    listing, _ = datasets.training("got10k", root, exclude=["*2", "*_00933*"])
    assert "GOT-10k_Train_000004" in listing.found and len(listing.found) == 2
    assert list(read_all("got10k", root, patterns=["*4"])) == ["GOT-10k_Train_000004"]
    with pytest.raises(InputError, match="exclude one of vot2018.*no sequence 'vot17'"):
        datasets.training("got10k", root, exclude=["vot17"])
    names = fake.text(tmp_path / "names.txt", "GOT-10k_Train_000001\n")
    listing, _ = datasets.training("got10k", root, exclude=[str(names)])
    assert len(listing.found) == 2 and len(listing.names) == 9334


def test_benchmarks_in_folders_are_noticed_and_excluded(tmp_path):
    for name in ("Biker", "Boy", "Coke", "mine"):
        fake.otb_sequence(tmp_path, name)
    listing, _ = datasets.training("folders", tmp_path)
    (note,) = listing.notes
    assert note.startswith("3 sequences have names of otb100's: do not report scores")
    listing, _ = datasets.training("folders", tmp_path, exclude=["otb100"])
    assert list(listing.found) == ["mine"]


def test_the_list_of_the_vot_challenges():
    numbers = [int(name[-6:]) for name in exclusions.GOT10K_VOT]
    assert numbers == sorted(set(numbers)) and len(numbers) == 1000
    assert {len(names) for names in exclusions.GOT10K.values()} == {1000, 4}
    # Ends of the published list.
    assert numbers[0] == 4 and numbers[-1] == 9334


@pytest.mark.parametrize("name", EXPECTED)
def test_another_layout_is_said(name, tmp_path):
    fake.text(tmp_path / "readme.md", "")
    with pytest.raises(InputError, match=r"found readme\.md|none of its folders"):
        datasets.training(name, tmp_path, split={"lasot_extension": "all"}.get(name))
    with pytest.raises(InputError, match="no such folder"):
        split = {"lasot_extension": "all"}.get(name)
        datasets.training(name, tmp_path / "absent", split=split)


def test_pictures_that_are_missing_are_not_found(roots):
    listing, _ = datasets.training("coco", roots["coco"])
    assert "000000000034" in listing.names and "000000000034" not in listing.found
    listing, _ = datasets.training("youtubebb", roots["youtubebb"])
    assert "gone+0+0" in listing.names and "gone+0+0" not in listing.found


def test_malformed_annotations_are_named(tmp_path):
    path = fake.text(tmp_path / "annotations/instances_train2017.json", '{"images": [')
    (tmp_path / "train2017").mkdir()
    with pytest.raises(InputError, match=r"train2017\.json: no JSON"):
        datasets.training("coco", tmp_path)
    path.write_text('{"annotations": [{"bbox": [1, 2, 3, 4]}]}')
    with pytest.raises(InputError, match="images and annotations; found none"):
        datasets.training("coco", tmp_path)
    path.write_text("[]")
    with pytest.raises(InputError, match="expected COCO's images and annotations"):
        datasets.training("coco", tmp_path)
    (tmp_path / "yt_bb_detection_train").mkdir()
    for line in ("a,0,0,x,0,present,0,1,0", f"a,{1 << 40},0,x,0,present,0,1,0,1"):
        fake.text(tmp_path / "yt_bb_detection_train.csv", line)
        with pytest.raises(
            InputError, match=r"train\.csv, line 1: expected 10 columns fro"
        ):
            datasets.training("youtubebb", tmp_path)
    root = miniature.make("imagenet_det", tmp_path)
    xml = "ILSVRC/Annotations/DET/train/ILSVRC2013_train/n01/n01_1.xml"
    for content in ("<annotation>", "<a><object><bndbox/></object></a>"):
        (root / xml).write_text(content)
        with pytest.raises(InputError, match=r"n01_1\.xml: annotations cannot be read"):
            read_all("imagenet_det", root)
    fake.text(tmp_path / "yolo/labels/a.txt", "0 48 36 20 20\n")
    miniature.draw(tmp_path / "yolo/images/a.png")
    with pytest.raises(InputError, match="a.txt, line 1: expected shares"):
        read_all("yolo", tmp_path / "yolo")


def test_frames_beyond_the_truth_are_refused(tmp_path):
    root = miniature.make("trackingnet", tmp_path)
    miniature.draw(root / "TRAIN_0/frames/a_0/6.jpg")
    with pytest.raises(InputError, match=r"expected images 0 to 5.*; found 6\.jpg"):
        read_all("trackingnet", root, split="TRAIN_0")


def test_own_boxes_of_every_kind(tmp_path):
    miniature.draw(tmp_path / "a.png")
    for name, content in (
        ("b.csv", "image,x1,y1,x2,y2\na.png,1,2,11,22\n"),
        ("b.tsv", "polygon\timage\n1 2 11 2 11 22\ta.png\n"),
        ("c_boxes.tsv", "a.png\t1\t2\t10\t20\n"),
        (
            "b.json",
            '[{"name": "a.png", "frames": ["a.png"], "objects": [{"boxes":'
            ' [[1, 2, 10, 20]]}, {"boxes": [null]}]}]',
        ),
        (
            "coco.json",
            json.dumps(
                {
                    "images": [{"id": 1, "file_name": "a.png"}],
                    "annotations": [{"image_id": 1, "bbox": [1, 2, 10, 20]}],
                }
            ),
        ),
    ):
        path = fake.text(tmp_path / name, content)
        ((found, clip),) = read_all("boxes", path).items()
        assert found.startswith("a") and clip.frames == (tmp_path / "a.png",)
        np.testing.assert_array_equal(clip.xyxy, [[[1, 2, 11, 22]]])


def test_one_bad_line_or_box_is_left_out_and_named(tmp_path):
    miniature.draw(tmp_path / "a.png")
    lines = "image,x,y,w,h\na.png,1,2,10,20\na.png,1,2,x,4\na.png,1,2\na.png,1,2,9,0\n"
    path = fake.text(tmp_path / "b.csv", lines)
    listing, read = datasets.training("boxes", path)
    assert listing.notes == (f"{path}, line 4: expected 5 columns; found 3: left out",)
    clip = read("a.png", listing.found["a.png"])
    np.testing.assert_array_equal(clip.xyxy, [[[1, 2, 11, 22]]])
    assert "line 3: expected numbers of a box; found '1 2 x 4'" in clip.skipped[0]
    assert "a box of no size" in clip.skipped[1]
    boxes = ([1, 2, 10, 20], [1, 2, 10], None, [1, 2, 10, 0], [1, 2, "x", 4])
    content = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "bbox": box} for box in boxes],
    }
    path = fake.text(tmp_path / "coco.json", json.dumps(content))
    (clip,) = read_all("boxes", path).values()
    np.testing.assert_array_equal(clip.xyxy, [[[1, 2, 11, 22]]])
    assert len(clip.skipped) == 4


def test_one_bad_entry_does_not_stop_the_others(tmp_path):
    for name in ("a.png", "a.jpg", "in/c.png"):
        (tmp_path / "train2017" / name).parent.mkdir(parents=True, exist_ok=True)
        miniature.draw(tmp_path / "train2017" / name)
    box = {"bbox": [1, 2, 10, 20]}
    content = {
        "images": [
            {"id": n, "file_name": name}
            for n, name in enumerate(("a.png", "a.jpg", "in/c.png", 7, ""))
        ],
        "annotations": [
            box,
            *({"image_id": n, "iscrowd": None} | box for n in range(5)),
        ],
    }
    fake.text(tmp_path / "annotations/instances_train2017.json", json.dumps(content))
    found = read_all("coco", tmp_path)
    assert list(found) == ["a.png", "a.jpg", "in/c.png"]
    whole = {"name": "v", "frames": ["a.png"], "objects": [{"boxes": [[1, 2, 10, 20]]}]}
    path = fake.text(
        tmp_path / "train2017" / "b.json", json.dumps([{"name": "w"}, whole])
    )
    listing, _ = datasets.training("boxes", path)
    assert listing.names == ("v",) and "video 1: expected name" in listing.notes[0]
    # The first picture is gone; a semicolon leaves the comma to decimals.
    path = fake.text(
        tmp_path / "train2017" / "b.csv",
        "image;x;y;w;h\ngone.png;1;2;3;4\na.png;1,5;2;10;20,0\n",
    )
    clip = read_all("boxes", path)["a.png"]
    np.testing.assert_array_equal(clip.xyxy, [[[1.5, 2, 11.5, 22]]])


def test_faults_of_own_boxes_are_named(tmp_path):
    miniature.draw(tmp_path / "a.png")
    for content, message in (
        ("", "line 1: expected names of columns, image and x, y, w, h"),
        ("image,x,y,w\n", "line 1: expected names of columns.*found 'image, x, y, w'"),
        ("image,x,y,w,h\n", "the table is empty"),
        ("image,x,y,w,h\na.png,1,2,3\n", "line 2: expected 5 columns; found 4"),
        ("image,x,y,w,h\na.png,1,2,3,x\n", "line 2: expected numbers of a box; found"),
        ("image,x,y,w,h\nb.png,1,2,3,4\n", r"no such image: .*b\.png"),
        ("image,polygon\na.png,1 2 3 4\n", "line 2: expected numbers of a box"),
        (
            "video,image,x,y,w,h\nv,a.png,1,2,9,9\nv,a.png,1,2,9,9\n",
            "line 3: a second box of object '' in a.png",
        ),
        ("frame,image,x,y,w,h\nx,a.png,1,2,9,9\n", "line 2: expected a frame's number"),
    ):
        path = fake.text(tmp_path / "b.csv", content)
        with pytest.raises(InputError, match=message):
            datasets.training("boxes", path)
    for content, message in (
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "b.json: expected a list of videos with name"),
        ('[{"name": "a"}]', "b.json, video 1: expected name, frames and objects, each"),
        (
            '[{"name": "a", "frames": ["a.png"], "objects": [{"boxes": []}]}]',
            "b.json, video 1: 1 frames, but 0 boxes of an object",
        ),
        ('[{"name": "a", "frames": "b", "objects": []}]', "b: no such folder"),
    ):
        path = fake.text(tmp_path / "b.json", content)
        with pytest.raises(InputError, match=message):
            datasets.training("boxes", path)


def test_pictures_with_xml_beside_them(tmp_path):
    miniature.draw(tmp_path / "deep/er/a.png", [(8, 8, 24, 16)])
    miniature.write_xml(tmp_path / "deep/er/a.xml", [("", (8, 8, 24, 16))], origin=1)
    ((name, clip),) = read_all("voc", tmp_path).items()
    assert name == "deep/er/a" and clip.xyxy[0, 0].tolist() == [8, 8, 32, 24]
    with pytest.raises(InputError, match="no lists of splits: only trainval"):
        datasets.training("voc", tmp_path, split="val")
