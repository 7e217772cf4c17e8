"""Tests for jaxtrack.evaluation.submissions."""

import dataclasses
import zipfile

import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.errors import InputError
from jaxtrack.evaluation import results, submissions, vot_files
from tests.datasets import fake_datasets as fake

SECONDS = 0.02


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


def sent(benchmark, folder, out):
    """Name of a file in the submission -> its text, in the zip's order."""
    with zipfile.ZipFile(submissions.write(benchmark, folder, out)) as archive:
        assert {info.date_time[0] for info in archive.infolist()} == {1980}
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture
def got10k(tmp_path):
    for number in (1, 2):
        fake.got10k_sequence(tmp_path / "data", "test", number)
    return load("got10k_test", tmp_path / "data")


@pytest.fixture
def ours(tmp_path, got10k):
    return track(got10k, tmp_path / "ours")


def test_got10k(tmp_path, got10k, ours):
    # Rounding of results does not reach the first box, which is given.
    path = ours / "GOT-10k_Test_000001.txt"
    path.write_text(path.read_text().replace("2.0000,3", "2.0300,3", 1))
    found = sent(got10k, ours, tmp_path / "out/ours.zip")
    assert list(found) == [
        "GOT-10k_Test_000001/GOT-10k_Test_000001_001.txt",
        "GOT-10k_Test_000001/GOT-10k_Test_000001_time.txt",
        "GOT-10k_Test_000002/GOT-10k_Test_000002_001.txt",
        "GOT-10k_Test_000002/GOT-10k_Test_000002_time.txt",
    ]
    boxes, times, *_ = found.values()
    assert boxes == (
        "2.000,3.000,4.000,5.000\n2.333,3.000,4.000,5.000\n2.667,3.000,4.000,5.000\n"
    )
    assert times == "0.02000000\n" * 3
    # Equal results make equal zips, whatever lies there.
    out = tmp_path / "out/ours.zip"
    first = out.read_bytes()
    assert submissions.write(got10k, ours, out).read_bytes() == first
    assert [p.name for p in out.parent.iterdir()] == ["ours.zip"]


def test_trackingnet(tmp_path):
    fake.trackingnet_video(tmp_path, "-a_0", 2)
    fake.text(tmp_path / "TEST/anno/-a_0.txt", "100.125678,3.005,4.4999,5.0001\n")
    benchmark = load("trackingnet", tmp_path)
    found = sent(benchmark, track(benchmark, tmp_path / "ours"), tmp_path / "a.zip")
    assert list(found) == ["-a_0.txt"]
    # The first box is the given one whatever its decimals.
    rows = np.array([line.split(",") for line in found["-a_0.txt"].split()], float)
    expected = [[100.13, 3.005, 4.5, 5.0], [100.46, 3.005, 4.5, 5.0]]
    np.testing.assert_allclose(rows, expected, atol=0.0051)


def test_toolkits_of_matlab(tmp_path):
    fake.lasot_sequence(tmp_path / "lasot", "airplane-1")
    fake.tnl2k_sequence(tmp_path / "tnl2k", "airplane-1", ("a.png", "b.png", "c.png"))
    for name in ("lasot", "tnl2k"):
        benchmark = load(name, tmp_path / name)
        folder = track(benchmark, tmp_path / name / "my")
        ((place, text),) = sent(benchmark, folder, tmp_path / f"{name}.zip").items()
        assert place == "my_tracking_result/airplane-1.txt"
        lines = text.splitlines()
        assert len(lines) == 3 and lines[1] == "2.333,3.000,4.000,5.000"


def test_not_every_dataset_has_a_server(tmp_path, got10k):
    fake.otb_sequence(tmp_path / "otb", "Boy")
    assert submissions.is_taken(got10k)
    assert not submissions.is_taken(load("otb100", tmp_path / "otb"))


def test_a_part_cannot_be_sent(tmp_path, got10k, ours):
    part = dataclasses.replace(got10k, num_expected=180)
    with pytest.raises(InputError, match="needs all its 180 sequences; 2 are"):
        submissions.write(part, ours, tmp_path / "a.zip")


def test_results_at_fault(tmp_path, got10k, ours):
    out, name = tmp_path / "a.zip", "GOT-10k_Test_000002"
    boxes, times = ours / f"{name}.txt", results.time_path(ours, name)
    whole, seconds = boxes.read_text(), times.read_text()
    for path, text, message in (
        (boxes, whole.replace("2.0000,3", "2.1000,3"), "line 1: .* is not the given"),
        (boxes, whole.replace("4.0000,5.0000\n2.3", "nan,5\n2.3"), "not finite"),
        (boxes, whole + "1,2,3,4\n", "has 4 boxes, the sequence 3 frames"),
        (boxes, whole[:-14] + "0.0004,5\n", r"000002\.txt, line 3: .* no size at 3"),
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
    times.unlink()
    with pytest.raises(InputError, match="no file of times"):
        submissions.write(got10k, ours, out)
    boxes.unlink()
    with pytest.raises(InputError, match=r"no result file .*000002\.txt"):
        submissions.write(got10k, ours, out)
    # Nothing is left of what failed.
    assert not [p for p in tmp_path.iterdir() if "a.zip" in p.name]


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
    found = sent(vot, tmp_path / "ours", tmp_path / "ours.zip")
    assert list(found) == [
        "baseline/ants1/ants1_001.txt",
        "baseline/ants1/ants1_001_time.value",
        "baseline/ants1/ants1_002.txt",
        "baseline/ants1/ants1_002_time.value",
        "baseline/ants1/ants1_time.txt",
    ]
    first, value, *_, times = found.values()
    box = "1.5000,1.0000,4.0000,4.2500"
    assert first.splitlines() == ["1", box, "2", *"0000", "1", box]
    assert value.splitlines()[2:4] == ["0.020000", "0.000000"]
    assert times.splitlines()[2:4] == ["0.020000,0.020000", "0.000000,0.000000"]


def test_vot_runs_at_fault(tmp_path, vot):
    for rows, message in (
        (runs(*[BOX] * 9), "begins with a region"),
        (FIRST[:8], "run 1: 8 rows"),
        (runs(1, BOX, 2, 0, 0, 1, BOX, BOX, BOX), "frame 5"),
        (runs(1, (1, 2, 0, 4), *[BOX] * 7), r"_001\.txt, line 2: .* has no size"),
    ):
        times = np.full((9, 1), SECONDS)
        vot_files.write_runs(tmp_path / "ours", "ants1", [rows], times)
        with pytest.raises(InputError, match=f"ours/baseline/ants1.*{message}"):
            submissions.write(vot, tmp_path / "ours", tmp_path / "a.zip")
    vot_files.write_runs(tmp_path / "ours", "ants1", [SECOND], times)
    fake.text(tmp_path / "ours/baseline/ants1/ants1_time.txt", "-1\n" * 9)
    with pytest.raises(InputError, match="line 1: .-1.0.: .* not negative"):
        submissions.write(vot, tmp_path / "ours", tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
