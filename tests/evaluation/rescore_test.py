"""Tests for jaxtrack.evaluation.rescore."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from jaxtrack.datasets import files
from jaxtrack.errors import InputError
from jaxtrack.evaluation import rescore
from jaxtrack.evaluation.spread import TOOLKITS
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


def run(case, **options):
    defaults = {
        "results_of": [f"good={case}/good", f"bad={case}/bad"],
        "out_dir": str(case / "out"),
        "ground_truth": str(case / "truth"),
        "absent": str(case / "absent"),
        "cover": str(case / "cover"),
    }
    return rescore.rescore(**defaults | options)


def test_scores_raw_files_by_all_toolkits(case, capsys):
    found = run(case)
    printed = capsys.readouterr().out
    told = json.loads((case / "out/spread.json").read_text())
    truth = {n: np.loadtxt(case / f"truth/{n}.txt", delimiter=",") for n in LENGTHS}
    boxes = {n: np.loadtxt(case / f"bad/{n.lower()}.txt") for n in LENGTHS}
    flags = {n: np.eye(k)[2] for n, k in LENGTHS.items()}
    for protocol in TOOLKITS:
        cover = {n: 8 - 8 * f for n, f in flags.items()}
        alone = ope.score(truth, boxes, protocol=protocol, absent=flags, cover=cover)
        assert told["trackers"]["bad"]["protocols"][protocol]["auc"] == alone.auc
        assert f"{protocol} " in printed
    assert found.rankings["otb"] == ["good", "bad"]
    assert "same by all protocols: good > bad" in printed
    assert "## good" in (case / "out/spread.md").read_text()


def test_one_protocol(case):
    assert run(case, protocols=["trackingnet"]).protocols == ["trackingnet"]


def test_annotated_folders_give_image_sizes_too(tmp_path):
    xyxy = np.array([[-5.0, 10, 25, 40], [40, 10, 70, 40], [45, 10, 75, 40]])
    folder = tmp_path / "videos/ball/img"
    folder.mkdir(parents=True)
    for number in (1, 2, 3):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((48, 64, 3), np.uint8))
    files.write_boxes(folder.parent / "groundtruth_rect.txt", xyxy)
    (tmp_path / "r").mkdir()
    files.write_boxes(tmp_path / "r/ball.txt", xyxy + np.array([0, 0, 9, 0]))
    found = rescore.rescore(
        results_of=[f"t={tmp_path}/r"],
        out_dir=str(tmp_path / "out"),
        sequences=str(tmp_path / "videos"),
        protocols=["got10k"],
    )
    report = found.reports["t"]["got10k"]
    # Right of the image (64 px) nothing counts: 24 / 24 and 19 / 19 px.
    assert report.ao == pytest.approx(1.0)
    assert not any("image sizes" in note for note in report.warnings)


def test_files_of_no_sequence_are_told(case, capsys):
    (case / "good/Jogging-3.txt").write_text("1,2,3,4\n")
    run(case)
    assert "note: 1 files belong to no sequence: Jogging-3" in capsys.readouterr().out


def test_a_missing_file_is_refused_by_all_but_trackingnet(case):
    (case / "good/Jogging-1.txt").unlink()
    reports = run(case).reports["good"]
    scored = [d for d, report in reports.items() if not isinstance(report, str)]
    assert scored == ["trackingnet"]
    assert "no results for 1 sequences: ['Jogging-1']" in reports["otb"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ground_truth": ""}, "one of --sequences"),
        ({"sequences": "x"}, "one of --sequences"),
        ({"ground_truth": "none"}, "no folder none"),
        ({"results_of": []}, "nothing to score"),
        ({"results_of": ["good"]}, "expected NAME=DIR"),
        ({"results_of": ["good=none"]}, "no folder none"),
        ({"absent": "none"}, "no folder none"),
        ({"protocols": ["x"]}, "unknown scoring protocol"),
    ],
)
def test_bad_flags(case, options, message):
    with pytest.raises(InputError, match=message):
        run(case, **options)


def test_bad_files(case):
    (case / "empty").mkdir()
    with pytest.raises(InputError, match=r"cover=.*no file for Jogging-1"):
        run(case, cover=str(case / "empty"))
    with pytest.raises(InputError, match="no file is named after a sequence"):
        run(case, results_of=[f"good={case}/empty"])
    (case / "bad/jogging-1.txt").write_text("1;2;3;4\n")
    with pytest.raises(InputError, match=r"jogging-1\.txt, line 1"):
        run(case)


def test_the_command(case):
    command = [sys.executable, "-m", "jaxtrack.evaluation.rescore"]
    command += [f"--ground_truth={case}/truth", f"--out={case}/out"]
    good = [f"--results=good={case}/good", "--protocols=otb,pysot"]
    done = subprocess.run([*command, *good], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "otb" in done.stdout and (case / "out/spread.md").is_file()
    wrong = subprocess.run([*command], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("error: nothing to score")
