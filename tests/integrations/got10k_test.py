"""Tests for GOT-10k's toolkit, which itself runs and scores the tracker."""

import json
import types

import cv2
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import results
from jaxtrack.integrations import got10k
from jaxtrack.metrics import ope

pytest.importorskip("got10k.datasets", reason="pip install 'jaxtrack[got10k]'")
from got10k.experiments import ExperimentGOT10k, ExperimentOTB
from got10k.trackers import Tracker

HW = (90, 120)


def write_frames(folder, name, spots):
    """Writes gray pictures, each with a red square about pixel x, y."""
    folder.mkdir(parents=True)
    for number, (x, y) in enumerate(spots, start=1):
        image = np.full((*HW, 3), 60, np.uint8)
        image[max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5] = (0, 0, 250)  # BGR.
        cv2.imwrite(str(folder / name.format(number)), image)


def make_sequence(rng, length, velocity):
    """Where the red square is, and a truth that the tracker meets only by and by."""
    spots = np.array([30, 40]) + np.arange(length)[:, None] * velocity
    xywh = np.concatenate([spots - [10, 8], np.tile([20, 16], (length, 1))], axis=1)
    return spots, xywh + rng.integers(-6, 7, (length, 4))


def lines(rows, separator=","):
    return "".join(separator.join(f"{v:g}" for v in row) + "\n" for row in rows)


@pytest.fixture
def otb(tmp_path):
    """OTB as it is unpacked; only three of its sequences have frames."""
    root, rng, truth = tmp_path / "OTB", np.random.default_rng(0), {}
    makers = {"Boy": (12, (1, 1)), "Car4": (9, (3, -1)), "Deer": (15, (-1, 2))}
    for name, (length, velocity) in makers.items():
        spots, truth[name] = make_sequence(rng, length, np.array(velocity))
        write_frames(root / name / "img", "{:04d}.jpg", spots)
        separator = "\t" if name == "Deer" else ","  # OTB's files mix them.
        text = lines(truth[name], separator)
        (root / name / "groundtruth_rect.txt").write_text(text)
    # The toolkit downloads what is missing, unless every folder is there.
    for name in ExperimentOTB.__init__.__globals__["OTB"]._OTB__otb13_seqs:
        (root / name).mkdir(exist_ok=True)
    return root, truth


@pytest.fixture
def got10k_val(tmp_path):
    """GOT-10k's validation set in small, with occluded and with cut targets."""
    root, rng, truth, covers = tmp_path / "GOT-10k", np.random.default_rng(1), {}, {}
    for number, velocity in enumerate([(2, 1), (-4, 1), (0, -5)], start=1):
        name = f"GOT-10k_Val_{number:06d}"
        length = 8 + 2 * number
        spots, truth[name] = make_sequence(rng, length, np.array(velocity))
        covers[name] = rng.integers(0, 9, length) * rng.integers(0, 2, length)
        folder = root / "val" / name
        write_frames(folder, "{:08d}.jpg", np.maximum(spots, 0))
        (folder / "groundtruth.txt").write_text(lines(truth[name]))
        width, height = HW[1], HW[0]
        meta = f"[METAINFO]\nurl: none\nresolution: ({width}, {height})\n"
        (folder / "meta_info.ini").write_text(meta)
        for label, values in (
            ("cover", covers[name]),
            ("absence", covers[name] == 0),
            ("cut_by_image", np.zeros(length)),
        ):
            (folder / f"{label}.label").write_text(lines(values[:, None]))
    (root / "val" / "list.txt").write_text("\n".join(truth))
    return root, truth, covers


def test_boxes_are_counted_as_the_files_count(seeking_checkpoint):
    # Files that count from 1 say 11 where the edge is 10 px away.
    for origin in (0.0, 1.0):
        tracker = got10k.GOT10kTracker("runs/lite0", origin=origin)
        image = np.full((*HW, 3), 60, np.uint8)
        image[40, 50, 0] = 255
        tracker.init(image, np.array([10.0, 12.0, 20.0, 16.0]))
        # The red pixel's center, (50.5, 40.5), less half of 21 by 16.
        expected = [40 + origin, 32.5 + origin, 21, 16]
        np.testing.assert_allclose(tracker.update(image), expected)
        assert np.allclose(image[..., 2], 60)


def test_first_box_is_taken_back_to_the_edge(seeking_checkpoint):
    # At 120 the box begins where the picture ends, unless files count from 1.
    image, box = np.full((*HW, 3), 60, np.uint8), np.array([120.0, 12, 20, 16])
    got10k.GOT10kTracker("runs/lite0", origin=1.0).init(image, box)
    with pytest.raises(InputError, match="outside of the picture"):
        got10k.GOT10kTracker("runs/lite0").init(image, box)


def test_is_a_tracker_of_the_toolkit(seeking_checkpoint):
    tracker = got10k.GOT10kTracker("runs/lite0")
    assert isinstance(tracker, Tracker)
    assert (tracker.name, tracker.is_deterministic) == ("lite0", True)
    assert got10k.GOT10kTracker("runs/lite0", name="ours").name == "ours"


def test_compiles_before_the_clock_starts(seeking_checkpoint, traced, otb, monkeypatch):
    known = []
    clock = types.SimpleNamespace(time=lambda: known.append(len(traced)) or 0.0)
    monkeypatch.setattr("got10k.trackers.time", clock)
    files = sorted((otb[0] / "Boy" / "img").iterdir())
    got10k.GOT10kTracker("runs/lite0").track([str(f) for f in files], otb[1]["Boy"][0])
    assert known == [2] * 2 * len(files)


def test_otb(seeking_checkpoint, otb, tmp_path):
    root, truth = otb
    folders = {"result_dir": str(tmp_path / "r"), "report_dir": str(tmp_path / "p")}
    experiment = ExperimentOTB(str(root), version=2013, **folders)
    tracker = got10k.GOT10kTracker("runs/lite0", origin=1.0)
    experiment.run(tracker)
    theirs = experiment.report([tracker.name])["lite0"]
    written = (tmp_path / "p" / "OTB2013" / "lite0" / "performance.json").read_text()
    assert theirs == json.loads(written)["lite0"]

    found = results.read_results(
        tmp_path / "r" / "OTB2013" / "lite0", {k: len(v) for k, v in truth.items()}
    )
    ours = ope.score(truth, found, protocol="got10k_otb")
    overall = theirs["overall"]
    assert ours.auc == pytest.approx(overall["success_score"], abs=1e-6)
    assert ours.precision == pytest.approx(overall["precision_score"], abs=1e-6)
    np.testing.assert_allclose(ours.success_curve, overall["success_curve"], atol=1e-6)
    np.testing.assert_allclose(
        ours.precision_curve, overall["precision_curve"], atol=1e-6
    )
    for name, one in ours.sequences.items():
        other = theirs["seq_wise"][name]
        assert one.auc == pytest.approx(other["success_score"], abs=1e-6)
        assert one.precision == pytest.approx(other["precision_score"], abs=1e-6)
    # A comparison of zeros would hold too.
    assert 0.2 < ours.auc < 0.9


def test_got10k(seeking_checkpoint, got10k_val, tmp_path):
    root, truth, covers = got10k_val
    folders = {"result_dir": str(tmp_path / "r"), "report_dir": str(tmp_path / "p")}
    experiment = ExperimentGOT10k(str(root), subset="val", **folders)
    tracker = got10k.GOT10kTracker("runs/lite0")
    experiment.run(tracker)
    theirs = experiment.report([tracker.name])["lite0"]

    place = tmp_path / "r" / "GOT-10k" / "lite0"
    # A deterministic tracker runs once.
    runs = sorted(path.name for path in place.rglob("*_[0-9][0-9][0-9].txt"))
    assert runs == [f"{name}_001.txt" for name in truth]
    found = {
        name: results.read_boxes_xywh(place / name / f"{name}_001.txt", len(rows))
        for name, rows in truth.items()
    }
    sizes = {name: (HW[1], HW[0]) for name in truth}
    ours = ope.score(truth, found, protocol="got10k", cover=covers, image_size=sizes)
    overall = theirs["overall"]
    assert ours.ao == pytest.approx(overall["ao"], abs=1e-6)
    assert ours.sr50 == pytest.approx(overall["sr"], abs=1e-6)
    assert ours.sr75 == pytest.approx(overall["succ_curve"][75], abs=1e-6)
    np.testing.assert_allclose(ours.success_curve, overall["succ_curve"], atol=1e-6)
    for name, one in ours.sequences.items():
        assert one.ao == pytest.approx(theirs["seq_wise"][name]["ao"], abs=1e-6)
    assert 0.2 < ours.ao < 0.9


def test_says_what_to_install(monkeypatch):
    monkeypatch.setattr(got10k, "_Base", None)
    with pytest.raises(InputError, match=r"pip install 'jaxtrack\[got10k\]'"):
        got10k.GOT10kTracker("runs/lite0")


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match=str(tmp_path)):
        got10k.GOT10kTracker(tmp_path)
