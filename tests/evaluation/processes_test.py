"""`jaxtrack eval` and `tune` in several real processes, to their end."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def start(folder, *words):
    """Starts a command; its output is one text."""
    return subprocess.Popen(
        [sys.executable, "-m", "jaxtrack", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process):
    """Waits for a command; returns its status and what it printed."""
    try:
        printed = process.communicate(timeout=900)[0]
    finally:
        process.kill()
    return process.returncode, printed


def together(folder, count, *words):
    """Runs a command in several processes; returns statuses and outputs."""
    flags = [(f"--num_processes={count}", f"--process_id={k}") for k in range(count)]
    return zip(*map(ended, [start(folder, *words, *two) for two in flags]), strict=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with four videos of 20 frames, one of which breaks off."""
    folder = tmp_path_factory.mktemp("processes")
    made = ended(start(folder, "compose", "--num=4", "--length=20", "--out=videos"))
    assert made[0] == 0, made[1]
    broken = sorted((folder / "videos").glob("*/img/*"))[30]
    broken.write_bytes(broken.read_bytes()[:100])
    return folder, broken.parents[1].name


@pytest.mark.slow
def test_eval_in_three_processes_with_a_broken_sequence(place):
    folder, broken = place
    words = ("eval", "--checkpoint=lite-fast", "--sequences=videos", "--out=shared")
    statuses, printed = together(folder, 3, *words)
    reports = [text for text in printed if "report: shared/report.html" in text]
    assert len(reports) == 1, printed
    assert broken in reports[0] and statuses[printed.index(reports[0])] == 3
    assert set(statuses) <= {0, 3}, printed
    report = json.loads((folder / "shared/report.json").read_text())
    assert [one["name"] for one in report["skipped"]] == [broken]
    assert len(report["trackers"]["lite-fast"]["sequences"]) == 3


@pytest.mark.slow
def test_tune_in_two_processes_with_a_broken_sequence(place):
    folder, broken = place
    words = ("tune", "--checkpoint=lite-fast", "--sequences=videos", "--trials=4")
    words += ("--batch=2", "--settings=window")
    statuses, printed = together(folder, 2, *words, "--out=tuned")
    assert statuses == (3, 3), printed
    assert all(f"skipped {broken}" in text for text in printed), printed
    tuned = json.loads((folder / "tuned/tuned.json").read_text())["tuned_on"]
    assert tuned["trials"] == 4 and broken not in tuned["sequences"]
    assert len(tuned["sequences"]) == 3
