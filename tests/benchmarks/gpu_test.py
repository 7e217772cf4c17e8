"""Tests for benchmarks.gpu: what does not need a GPU."""

import json
import os
import time

import pytest
from absl import flags

from benchmarks import attempts, gpu, gpu_summary, gpu_training
from benchmarks.gpu_training import Case


def table_of(rows):
    """Name of a figure -> its other cells."""
    lines = gpu_summary.table(rows, is_tiny=False).splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    return {row[0]: [cell.strip() for cell in row[1:]] for row in cells[1:]}, lines


def test_the_table_compares_with_the_figures_to_beat():
    ours, half = "siamcar_r50, bfloat16, 128 pairs", "siamcar_r50, bfloat16, 64 pairs"
    rows = [
        {"section": "training", "name": ours, "pairs_per_second": 500.0},
        {"section": "training", "name": ours, "pairs_per_second": 1200.0},
        {"section": "training", "name": half, "pairs_per_second": 99.0},
        {"section": "pytorch", "name": f"eager, {ours}", "pairs_per_second": 800.0},
        {"section": "first_step_warm", "name": "first step", "seconds": 15.5},
        {"section": "switch", "error": "took more than 240 s"},
    ]
    found, lines = table_of(rows)
    assert found[ours] == ["1,200 pairs/s", "976 pairs/s", "", "yes"]
    assert found[f"{ours}, over PyTorch eager"] == [
        "1.50 x",
        "1.21 x",
        ">= 1.50 x",
        "yes",
    ]
    assert found["first step, warm"] == ["15.50 s", "", "<= 15.00 s", "NO"]
    assert found["second phase, longest stall"][-1] == "not measured"
    assert found[f"training, {half}"][0] == "99.00 pairs/s"
    assert lines[-1] == "switch: error: took more than 240 s"


def test_half_the_batch_is_measured_where_memory_runs_out():
    def figures(case):
        if case.batch > 32:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory\nmore")
        if case.remat:
            raise KeyError("lost")
        return {"pairs_per_second": case.batch}

    case, done = Case("net", "bfloat16", 128), set()
    names = [f"net, bfloat16, {n} pairs" for n in (128, 64, 32)]
    rows = list(gpu_training._fitting(figures, case, done))
    assert [row["name"] for row in rows] == names
    assert rows[0]["failed"] == "RuntimeError: RESOURCE_EXHAUSTED: Out of memory"
    assert attempts.lacks_memory(rows[0]) and rows[2]["pairs_per_second"] == 32
    # What was measured before is not measured again; other faults end the case.
    assert list(gpu_training._fitting(figures, case, done)) == []
    (row,) = gpu_training._fitting(figures, Case("net", "f", 8, remat=True), done)
    assert row["failed"] == "KeyError: 'lost'"


def test_a_section_ends_in_its_time_with_all_that_it_started(tmp_path, monkeypatch):
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nsleep 60 &\necho $! $$ > $0.pids\nsleep 60\n")
    program.chmod(0o755)
    monkeypatch.setattr(gpu.sys, "executable", str(program))
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    begin = time.monotonic()
    assert gpu._run("switch", 0.5, tmp_path) == "took more than 0 s"
    assert time.monotonic() - begin < 30
    for pid in (tmp_path / "python.pids").read_text().split():
        with pytest.raises(ProcessLookupError):
            for _ in range(100):  # One of init's children now, which may take a moment.
                os.kill(int(pid), 0)
                time.sleep(0.05)
    program.write_text("#!/bin/sh\nexit 3\n")
    assert gpu._run("switch", 30, tmp_path) == "ended with status 3"
    program.write_text("#!/bin/sh\nexit 0\n")
    assert gpu._run("switch", 30, tmp_path) == ""


def test_a_torn_line_does_not_cost_the_others(tmp_path):
    gpu._write(tmp_path, "switch", {"name": "a"})
    with open(tmp_path / "figures.jsonl", "a") as file:
        file.write('{"section": "swi')
    assert gpu._rows(tmp_path) == [{"section": "switch", "name": "a"}]
    assert json.loads((tmp_path / "figures.jsonl").read_text().splitlines()[0])
