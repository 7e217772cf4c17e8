"""Tests for jaxtrack.evaluation.ground_truth: files scored by every toolkit."""

import cv2
import numpy as np
import pytest

from jaxtrack.datasets import files
from jaxtrack.errors import InputError
from jaxtrack.evaluation import compare, ground_truth
from jaxtrack.evaluation.evaluate import evaluate
from jaxtrack.metrics import ope

LENGTHS = {"Jogging-1": 6, "Skating2-2": 5}


@pytest.fixture
def case(tmp_path):
    """Ground truth, flags, and a good and a bad tracker's files."""
    rng = np.random.default_rng(0)
    for kind in ("truth", "absent", "cover", "good", "bad"):
        (tmp_path / kind).mkdir()
    for name, length in LENGTHS.items():
        truth = rng.uniform(5, 20, (length, 4)).round(2)
        np.savetxt(tmp_path / f"truth/{name}.txt", truth, fmt="%.2f", delimiter=",")
        np.savetxt(tmp_path / f"absent/{name}.txt", np.eye(length)[2], fmt="%d")
        np.savetxt(tmp_path / f"cover/{name}.label", 8 - 8 * np.eye(length)[2], "%d")
        np.savetxt(tmp_path / f"good/{name}.txt", truth + 0.5, delimiter="\t")
        shifted = truth + rng.uniform(2, 5, truth.shape)
        np.savetxt(tmp_path / f"bad/{name.lower()}.txt", shifted, delimiter=" ")
    return tmp_path


def loaded(case, **changes):
    given = {"absent": case / "absent", "cover": case / "cover"} | changes
    return ground_truth.load(case / "truth", **given)


def evaluated(case, benchmark=None, **options):
    folders = {"good": case / "good", "bad": case / "bad"}
    benchmark = loaded(case) if benchmark is None else benchmark
    return evaluate(benchmark, case / "out", results_of=folders, **options)


def test_scores_raw_files_by_all_toolkits(case):
    found = evaluated(case)
    truth = {n: np.loadtxt(case / f"truth/{n}.txt", delimiter=",") for n in LENGTHS}
    boxes = {n: np.loadtxt(case / f"bad/{n.lower()}.txt") for n in LENGTHS}
    flags = {n: np.eye(k)[2] for n, k in LENGTHS.items()}
    cover = {n: 8 - 8 * f for n, f in flags.items()}
    for protocol in compare.TOOLKITS:
        alone = ope.score(truth, boxes, protocol=protocol, absent=flags, cover=cover)
        assert found.scores[1].reports[protocol].auc == alone.auc
    assert set(compare.rankings(found.scores)) == set(compare.TOOLKITS)
    assert compare.rankings(found.scores)["otb"] == ["good", "bad"]
    assert not found.notes


def test_annotated_folders_give_image_sizes_too(tmp_path):
    xyxy = np.array([[-5.0, 10, 25, 40], [40, 10, 70, 40], [45, 10, 75, 40]])
    folder = tmp_path / "videos/ball/img"
    folder.mkdir(parents=True)
    for number in (1, 2, 3):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((48, 64, 3), np.uint8))
    files.write_boxes(folder.parent / "groundtruth_rect.txt", xyxy)
    (tmp_path / "r").mkdir()
    files.write_boxes(tmp_path / "r/ball.txt", xyxy + np.array([0, 0, 9, 0]))
    found = evaluate(
        ground_truth.load(tmp_path / "videos"),
        tmp_path / "out",
        results_of={"t": tmp_path / "r"},
        protocol="got10k",
    )
    report = found.scores[0].reports["got10k"]
    # Right of the image (64 px) nothing counts: 24 / 24 and 19 / 19 px.
    assert report.ao == pytest.approx(1.0)
    assert not any("image sizes" in warning for warning in report.warnings)


def test_files_of_no_sequence_are_told(case):
    (case / "good/Jogging-3.txt").write_text("1,2,3,4\n")
    good, bad = evaluated(case).scores
    assert good.notes == ("1 files belong to no sequence: Jogging-3",)
    assert bad.notes == ()
    # Where sequences are chosen, files of the others are expected.
    part = evaluated(case, loaded(case, patterns=["Jogging*"]))
    assert part.scores[0].notes == ()


def test_a_missing_file_is_left_out_by_all_but_trackingnet(case):
    (case / "good/Jogging-1.txt").unlink()
    found = evaluated(case)
    ((name, reason),) = found.skipped
    assert name == "Jogging-1" and "good: " in reason and "no file" in reason
    # Of all trackers alike, so that they can be compared.
    assert [list(s.predicted) for s in found.scores] == [["Skating2-2"]] * 2
    assert found.as_json()["skipped"] == [{"name": name, "reason": reason}]
    with pytest.raises(InputError, match="sequence Jogging-1: good: .*no file"):
        evaluated(case, strict=True)
    good, bad = evaluated(case, protocol="trackingnet").scores
    assert set(good.reports) == {"trackingnet"}
    assert "no results for 1 sequences: ['Jogging-1']" in good.refused["otb"]
    assert not bad.refused


def test_faults(case):
    (case / "empty").mkdir()
    for changes, message in (
        ({"absent": case / "none"}, "no folder"),
        ({"cover": case / "empty"}, "no file is named after a sequence"),
        ({"patterns": ["cat"]}, "no sequence 'cat'"),
    ):
        with pytest.raises(InputError, match=message):
            loaded(case, **changes)
    with pytest.raises(InputError, match="no folder"):
        ground_truth.load(case / "none")
    with pytest.raises(InputError, match="holds no <sequence>.txt, nor a folder with"):
        ground_truth.load(case)
    (case / "bad/jogging-1.txt").write_text("1|2|3|4\n")
    with pytest.raises(InputError, match=r"jogging-1\.txt, line 1"):
        evaluated(case, strict=True)
    (case / "bad/skating2-2.txt").write_text("1,2,3\n")
    with pytest.raises(InputError, match=r"results of bad in .*jogging-1\.txt, line 1"):
        evaluated(case)


def test_there_is_nothing_to_track_in(case):
    from jaxtrack.evaluation import run

    with pytest.raises(InputError, match="Jogging-1: there are no pictures"):
        run.usable_videos(loaded(case).videos)
