"""Tests for jaxtrack.evaluation.submissions."""

import dataclasses
import zipfile

import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.errors import InputError
from jaxtrack.evaluation import archives, results, submissions, vot_files
from tests.datasets import fake_datasets as fake

SECONDS = 0.02
BOXES = "GOT-10k_Test_000001/GOT-10k_Test_000001_001.txt"
TIMES = "GOT-10k_Test_000001/GOT-10k_Test_000001_time.txt"


def load(name, root):
    """Loads what is there as if it were the whole benchmark."""
    benchmark = datasets.load(name, root, allow_missing=True)
    return dataclasses.replace(benchmark, num_expected=len(benchmark.videos))


def track(benchmark, folder):
    """Writes results that start on the given box and move by a third of a pixel."""
    for video in benchmark.videos:
        xyxy = np.tile(video.xyxy[0], (len(video.frames), 1))
        xywh = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)
        xywh[:, 0] += np.arange(len(xywh)) / 3
        xywh[:, :2] += benchmark.origin  # As `run.track_checkpoint` writes them.
        results.write_result(folder, video.name, xywh, np.full(len(xywh), SECONDS))
    return folder


@pytest.fixture
def got10k(tmp_path):
    for number in (1, 2):
        fake.got10k_sequence(tmp_path / "data", "test", number)
    return load("got10k_test", tmp_path / "data")


@pytest.fixture
def ours(tmp_path, got10k):
    return track(got10k, tmp_path / "ours")


def edit(path, name, change):
    """Packs a zip again with one file changed, or left out where that gives None."""
    with zipfile.ZipFile(path) as archive:
        content = {n: archive.read(n).decode() for n in archive.namelist()}
    new = change(content.pop(name, ""))
    content |= {} if new is None else {name: new}
    with zipfile.ZipFile(path, "w") as archive:
        for member, value in content.items():
            archive.writestr(member, value)


def test_got10k(tmp_path, got10k, ours):
    out = submissions.write(got10k, ours, tmp_path / "out/ours.zip")
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == [
            "GOT-10k_Test_000001/GOT-10k_Test_000001_001.txt",
            "GOT-10k_Test_000001/GOT-10k_Test_000001_time.txt",
            "GOT-10k_Test_000002/GOT-10k_Test_000002_001.txt",
            "GOT-10k_Test_000002/GOT-10k_Test_000002_time.txt",
        ]
        boxes, times = (archive.read(n).decode() for n in archive.namelist()[:2])
    assert boxes == (
        "2.000,3.000,4.000,5.000\n2.333,3.000,4.000,5.000\n2.667,3.000,4.000,5.000\n"
    )
    assert times == "0.02000000\n" * 3
    assert archives.files(tmp_path / "out") == {"ours.zip"}


def test_equal_results_make_equal_zips(tmp_path, got10k, ours):
    first = submissions.write(got10k, ours, tmp_path / "a.zip").read_bytes()
    assert submissions.write(got10k, ours, tmp_path / "a.zip").read_bytes() == first


def test_trackingnet(tmp_path):
    fake.trackingnet_video(tmp_path, "-a_0", 2)
    benchmark = load("trackingnet", tmp_path)
    folder = track(benchmark, tmp_path / "ours")
    out = submissions.write(benchmark, folder, tmp_path / "ours.zip")
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == ["-a_0.txt"]
        assert archive.read("-a_0.txt") == b"2.00,3.00,4.00,5.00\n2.33,3.00,4.00,5.00\n"


def test_first_box_is_the_given_one_whatever_its_decimals(tmp_path):
    fake.trackingnet_video(tmp_path, "a_0", 2)
    fake.text(tmp_path / "TEST/anno/a_0.txt", "100.125678,3.005,4.4999,5.0001\n")
    benchmark = load("trackingnet", tmp_path)
    folder = track(benchmark, tmp_path / "ours")
    out = submissions.write(benchmark, folder, tmp_path / "ours.zip")
    with zipfile.ZipFile(out) as archive:
        first = archive.read("a_0.txt").decode().splitlines()[0].split(",")
    np.testing.assert_allclose(
        np.array(first, float), [100.13, 3.005, 4.5, 5.0], atol=0.0051
    )


def test_rounding_of_results_does_not_reach_the_first_box(tmp_path, got10k, ours):
    path = ours / "GOT-10k_Test_000001.txt"
    path.write_text(path.read_text().replace("2.0000,3", "2.0300,3"))
    out = submissions.write(got10k, ours, tmp_path / "a.zip")
    with zipfile.ZipFile(out) as archive:
        assert archive.read(BOXES).startswith(b"2.000,3.000,4.000,5.000\n2.333,")


@pytest.mark.parametrize("name", ["lasot", "tnl2k"])
@pytest.mark.parametrize("out", ["sent", "sent.zip"])
def test_toolkits_of_matlab(tmp_path, name, out):
    if name == "lasot":
        fake.lasot_sequence(tmp_path, "airplane-1")
    else:
        fake.tnl2k_sequence(tmp_path, "airplane-1", ("a.png", "b.png", "c.png"))
    benchmark = load(name, tmp_path)
    out = submissions.write(
        benchmark, track(benchmark, tmp_path / "my"), tmp_path / out
    )
    tree = out
    if out.suffix == ".zip":
        tree = tmp_path / "in"
        archives.unpack(out, tree)
    assert archives.files(tree) == {"my_tracking_result/airplane-1.txt"}
    lines = (tree / "my_tracking_result/airplane-1.txt").read_text().splitlines()
    assert len(lines) == 3 and lines[1] == "2.333,3.000,4.000,5.000"


@pytest.mark.parametrize("has_times", [True, False])
def test_otb_has_its_own_coordinates(tmp_path, has_times):
    fake.otb_sequence(tmp_path / "otb", "Boy")
    benchmark = load("otb100", tmp_path / "otb")
    folder = track(benchmark, tmp_path / "ours")
    # In OTB's files, and so in ours, x counts from 1.
    assert (folder / "Boy.txt").read_text().startswith("2.0000,3.0000,4.0000")
    if not has_times:
        results.time_path(folder, "Boy").unlink()
    out = submissions.write(benchmark, folder, tmp_path / "sent")
    expected = {"Boy.txt"} | ({"times/Boy_time.txt"} if has_times else set())
    assert archives.files(out) == expected
    assert (out / "Boy.txt").read_text().startswith("2.000,3.000,4.000,5.000\n2.333,")


def test_a_part_cannot_be_sent(tmp_path, got10k, ours):
    part = dataclasses.replace(got10k, num_expected=180)
    for call in (submissions.check, lambda b, p: submissions.write(b, ours, p)):
        with pytest.raises(InputError, match="needs all its 180 sequences; 2 are"):
            call(part, tmp_path / "a.zip")


def test_results_at_fault(tmp_path, got10k, ours):
    out, name = tmp_path / "a.zip", "GOT-10k_Test_000002"
    boxes, times = ours / f"{name}.txt", results.time_path(ours, name)
    whole, seconds = boxes.read_text(), times.read_text()
    for path, text, message in (
        (boxes, whole.replace("2.0000,3", "2.1000,3"), "line 1: .* is not the given"),
        (boxes, whole.replace("4.0000,5.0000\n2.3", "nan,5\n2.3"), "not finite"),
        (boxes, whole + "1,2,3,4\n", "has 4 boxes, the sequence 3 frames"),
        (boxes, whole[:-14] + "0.0004,5\n", r"a\.zip/.*_001.txt, line 3: .* no size"),
        (times, "0.1\n0.1\n", "2 times for 3 frames"),
        (times, "0.1\n0\n0.1\n", "_time.txt, line 2: .0.0.: expected times.*positive"),
        (times, "0.1\n0.1\nnan\n", "line 3: .nan.: expected times"),
        (times, "0.1\n0.1,2\n0.1\n", "line 2: expected 1 numbers; found '0.1,2'"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            submissions.write(got10k, ours, out)
        boxes.write_text(whole)
        times.write_text(seconds)
        assert not out.exists()
    times.unlink()
    with pytest.raises(InputError, match="no file of times"):
        submissions.write(got10k, ours, out)
    boxes.unlink()
    with pytest.raises(InputError, match=r"no result file .*000002\.txt"):
        submissions.write(got10k, ours, out)
    # Nothing is left of what failed.
    assert not [p for p in tmp_path.iterdir() if "a.zip" in p.name]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (BOXES, lambda _: None, r"GOT-10k_Test_000001_001\.txt is missing \(1 are\)"),
        (TIMES, lambda _: None, r"_time\.txt is missing"),
        ("notes.txt", lambda _: "x", r"notes\.txt does not belong into it"),
        (BOXES, lambda s: s[:-20], "line 3"),
        (
            BOXES,
            lambda s: "\n".join(s.splitlines()[1:]),
            "line 3: the file has 2 boxes",
        ),
        (BOXES, lambda s: s.replace("2.000", "2.002", 1), "line 1: .* not the given"),
        (BOXES, lambda s: s.replace("4.000", "0.000"), "line 1: .* not the given"),
        (BOXES, lambda s: s.replace("2.333", "inf"), "line 2: .* is not finite"),
        (
            BOXES,
            lambda s: s.replace("667,3.000,4", "667,3.000,0"),
            "line 3: .* no size",
        ),
        (TIMES, lambda s: s.replace("0.02", "-0.02", 1), "line 1: .* positive"),
        (TIMES, lambda s: s + "0.1\n", "4 times for 3 frames"),
    ],
)
def test_finished_file_is_opened_again(tmp_path, got10k, ours, name, change, message):
    out = submissions.write(got10k, ours, tmp_path / "a.zip")
    submissions.check(got10k, out)
    edit(out, name, change)
    with pytest.raises(InputError, match=f"a.zip.*{message}"):
        submissions.check(got10k, out)


def test_out_must_be_possible(tmp_path, got10k, ours):
    with pytest.raises(InputError, match=r"server takes a zip: name it \.zip"):
        submissions.write(got10k, ours, tmp_path / "sent")
    fake.lasot_sequence(tmp_path / "lasot", "airplane-1")
    benchmark = load("lasot", tmp_path / "lasot")
    folder = track(benchmark, tmp_path / "my")
    with pytest.raises(InputError, match="my exists"):
        submissions.write(benchmark, folder, tmp_path / "my")


@pytest.fixture
def vot(tmp_path):
    square = [2, 1, 6, 1, 6, 5, 2, 5]
    fake.vot_sequence(tmp_path / "vot", "ants1", [square] * 9)
    return load("vot2018", tmp_path / "vot")


def runs(*rows):
    """Makes rows of codes and boxes."""
    return [np.atleast_1d(np.asarray(row, np.float64)) for row in rows]


BOX = (1.5, 1, 4, 4.25)
FIRST = runs(1, BOX, 2, 0, 0, 0, 0, 1, BOX)
SECOND = runs(1, *[BOX] * 8)


def test_vot(tmp_path, vot):
    seconds = np.full((9, 2), SECONDS)
    seconds[3:7] = 0
    vot_files.write_runs(tmp_path / "ours", "ants1", [FIRST, SECOND], seconds)
    out = submissions.write(vot, tmp_path / "ours", tmp_path / "ours.zip")
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == [
            "baseline/ants1/ants1_001.txt",
            "baseline/ants1/ants1_001_time.value",
            "baseline/ants1/ants1_002.txt",
            "baseline/ants1/ants1_002_time.value",
            "baseline/ants1/ants1_time.txt",
        ]
        first, value, *_, times = (archive.read(n).decode() for n in archive.namelist())
    box = "1.5000,1.0000,4.0000,4.2500"
    assert first.splitlines() == ["1", box, "2", *"0000", "1", box]
    assert value.splitlines()[2:4] == ["0.020000", "0.000000"]
    assert times.splitlines()[2:4] == ["0.020000,0.020000", "0.000000,0.000000"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (runs(*[BOX] * 9), "begins with a region"),
        (FIRST[:8], "run 1: 8 rows"),
        (runs(1, BOX, 2, 0, 0, 1, BOX, BOX, BOX), "frame 5"),
        (runs(1, (1, 2, 0, 4), *[BOX] * 7), r"_001\.txt, line 2: .* has no size"),
    ],
)
def test_vot_runs_at_fault(tmp_path, vot, rows, message):
    vot_files.write_runs(tmp_path / "ours", "ants1", [rows], np.full((9, 1), SECONDS))
    with pytest.raises(InputError, match=f"sent/baseline/ants1.*{message}"):
        submissions.write(vot, tmp_path / "ours", tmp_path / "sent")
    assert not (tmp_path / "sent").exists()


def test_vot_files_at_fault(tmp_path, vot):
    vot_files.write_runs(tmp_path / "ours", "ants1", [SECOND], np.full((9, 1), SECONDS))
    out = submissions.write(vot, tmp_path / "ours", tmp_path / "sent")
    fake.text(out / "baseline/ants1/notes.txt", "x")
    with pytest.raises(InputError, match=r"notes\.txt does not belong"):
        submissions.check(vot, out)
    (out / "baseline/ants1/ants1_001_time.value").unlink()
    with pytest.raises(InputError, match="no file of times .*sent/baseline/ants1"):
        submissions.check(vot, out)
    fake.text(tmp_path / "ours/baseline/ants1/ants1_time.txt", "-1\n" * 9)
    with pytest.raises(InputError, match="line 1: .-1.0.: .* not negative"):
        submissions.write(vot, tmp_path / "ours", tmp_path / "a.zip")
