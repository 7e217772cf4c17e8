"""Tests for the TraX server: vot-toolkit runs it, from its own environment."""

import json
import os
import pathlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from jaxtrack import session
from jaxtrack.tracking import video

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
pytest.importorskip("trax", reason="pip install 'jaxtrack[vot]'")
pytestmark = pytest.mark.slow  # The toolkit has an environment of its own.
STACK = """
title: Two short sequences
experiments:
  baseline:
    type: supervised
    repetitions: 2
    skip_initialize: 5
    analyses:
      - type: supervised_average_ar
        sensitivity: 30
        burnin: 2
      - type: supervised_eao_score
        low: 2
        high: 6
"""
VIDEO_HW = (120, 160)
LENGTHS = {"ball": 16, "kite": 12}
LOST_AT = 6  # Where the ball leaps away from any tracker.


def true_xywh(name, frame):
    if name == "ball" and frame >= LOST_AT:
        return 110, 70, 30, 24
    return 20 + 2 * frame, 30 + frame, 30, 24


def write_sequence(root, name):
    """Writes a bright rectangle on noise as VOT lays its sequences out."""
    (root / "color").mkdir(parents=True)
    rng = np.random.default_rng(0)
    background = rng.integers(0, 60, (*VIDEO_HW, 3), dtype=np.uint8)
    lines = []
    for frame in range(LENGTHS[name]):
        x, y, w, h = true_xywh(name, frame)
        image = background.copy()
        image[y : y + h, x : x + w] = (250, 200, 90)
        cv2.imwrite(str(root / "color" / f"{frame + 1:08d}.jpg"), image)
        # The kite's corners are the outermost pixels, the ball's numbers x, y, w, h.
        x1, y1 = x + w - 1, y + h - 1
        corners = (x, y, x1, y, x1, y1, x, y1)
        values = corners if name == "kite" else (x, y, w, h)
        lines.append(",".join(map(str, values)))
    (root / "groundtruth.txt").write_text("\n".join(lines) + "\n")
    height, width = VIDEO_HW
    about = {
        **{"name": name, "fps": 30, "format": "default", "channel.default": "color"},
        **{"channels.color": "color/%08d.jpg", "width": width, "height": height},
        "length": LENGTHS[name],
    }
    text = "".join(f"{key}={value}\n" for key, value in about.items())
    (root / "sequence").write_text(text)


@pytest.fixture
def toolkit(tmp_path):
    """Runs `vot` with arguments; returns all it said."""
    beside = pathlib.Path(sys.prefix) / "vot-toolkit" / "bin" / "vot"
    program = pathlib.Path(os.environ.get("JAXTRACK_VOT", beside))
    if not program.is_file() and "JAXTRACK_VOT" not in os.environ:
        pytest.skip(f"no vot-toolkit at {program}: `make setup` (or JAXTRACK_VOT)")
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "xla"),
        "VOT_RESULTS_BINARY": "0",
        "HTTPS_PROXY": "http://127.0.0.1:9",  # It would look for a newer version.
    }
    environment.pop("TRAX_SOCKET", None)

    def run(*arguments, cwd):
        command = [program, *arguments]
        settings = {"capture_output": True, "text": True, "timeout": 600}
        done = subprocess.run(command, cwd=cwd, env=environment, **settings)
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
        return said

    return run


@pytest.fixture
def workspace(toolkit, checkpoint, tmp_path):
    """A workspace of two sequences, in which the small tracker was evaluated."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "short.yaml").write_text(STACK)
    said = toolkit("initialize", str(root / "short.yaml"), "--nodownload", cwd=root)
    assert "Initialized workspace" in said
    for name in LENGTHS:
        write_sequence(root / "sequences" / name, name)
    (root / "sequences" / "list.txt").write_text("\n".join(LENGTHS) + "\n")
    command = [sys.executable, "-m", "jaxtrack", "trax", "--print_ini"]
    command += [f"--checkpoint={checkpoint}", "--name=ours", "--compile_for=160x120"]
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    (root / "trackers.ini").write_bytes(printed.stdout)
    # Its exit code is 0 even where the tracker failed.
    said = toolkit("evaluate", "ours", cwd=root)
    assert "Evaluation concluded successfuly" in said, said
    assert "error" not in said
    return root


def rows_of(workspace, name, repetition=1):
    folder = workspace / "results" / "ours" / "baseline" / name
    lines = (folder / f"{name}_{repetition:03d}.txt").read_text().split()
    return [tuple(float(value) for value in line.split(",")) for line in lines]


def test_the_toolkit_runs_and_measures_the_tracker(toolkit, workspace, checkpoint):
    # One test, since several processes of pytest would each evaluate again.
    check_it_is_found_sound(toolkit, workspace)
    check_its_answers_are_written(workspace, checkpoint)
    check_it_is_measured(toolkit, workspace)


def check_it_is_found_sound(toolkit, workspace):
    sequence = workspace / "sequences" / "kite"
    said = toolkit("test", "ours", "--sequence", str(sequence), cwd=workspace)
    assert "Test concluded successfuly" in said
    assert "confidence=" in said


def check_its_answers_are_written(workspace, checkpoint):
    tracker = session.load(checkpoint)
    for name, length in LENGTHS.items():
        rows = rows_of(workspace, name)
        assert rows == rows_of(workspace, name, 2)
        assert len(rows) == length
        folder = workspace / "sequences" / name / "color"
        for frame, row in enumerate(rows):
            image = video.read_image(folder / f"{frame + 1:08d}.jpg")
            if row == (1,):
                tracker.init(image, true_xywh(name, frame))
            elif row != (0,):
                answer = tracker.update(image).xywh
            if len(row) == 4:
                np.testing.assert_allclose(row, answer, atol=1e-2)
    # The ball leaps away: a failure, four frames left out, and a new start.
    expected = {LOST_AT: (2,), LOST_AT + 5: (1,), 0: (1,)}
    expected |= {frame: (0,) for frame in range(LOST_AT + 1, LOST_AT + 5)}
    ball = rows_of(workspace, "ball")
    assert {k: row for k, row in enumerate(ball) if len(row) == 1} == expected


def check_it_is_measured(toolkit, workspace):
    toolkit("analysis", "--name", "short", "--format", "json", "ours", cwd=workspace)
    found = json.loads((workspace / "analysis" / "short.json").read_text())
    (accuracy, failures, *_), (eao,) = (
        analysis[0] for analysis in found["results"]["baseline"]["results"]
    )
    overlaps = [drawn_overlaps(workspace, name) for name in LENGTHS]
    lengths = np.array(list(LENGTHS.values()))
    # Without two frames from each start on; weighted by the sequences' lengths.
    means = [np.nanmean(overlap) for overlap in overlaps]
    assert accuracy == pytest.approx(np.average(means, weights=lengths), abs=1e-6)
    lost = [rows_of(workspace, name).count((2,)) for name in LENGTHS]
    assert failures == pytest.approx(np.average(lost, weights=lengths))
    assert 0.05 < accuracy < 1
    assert 0 < eao < 1


def drawn_overlaps(workspace, name, burnin=2):
    """Overlaps of boxes of whole pixels, NaN near starts and where there is none."""
    values, started = [], 0
    for frame, row in enumerate(rows_of(workspace, name)):
        started = frame if row == (1,) else started
        if len(row) == 1 or frame < started + burnin:
            values.append(np.nan)
            continue
        a, b = np.round(row).astype(int), true_xywh(name, frame)
        masks = np.zeros((2, *VIDEO_HW), bool)
        for mask, (x, y, w, h) in zip(masks, (a, b), strict=True):
            mask[max(y, 0) : y + h, max(x, 0) : x + w] = True
        values.append(masks.all(axis=0).sum() / masks.any(axis=0).sum())
    return np.array(values)
