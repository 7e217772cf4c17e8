"""The two-terminal examples of docs/distributed.md, run as they stand there."""

import json
import os
import pathlib
import re
import shlex
import socket
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# A training of two steps; all else is the page's.
SMALL = ("run.batch_size=4", "run.pairs_per_epoch=8", "run.num_epochs=1")
SMALL += ("optimizer.warmup_epochs=0.5", "data.num_workers=0")
# Compiling takes most of the time: little of it is optimized.
QUICK = {"XLA_FLAGS": "--xla_backend_optimization_level=0", "JAX_PLATFORMS": "cpu"}


def commands():
    """The commands of the section, without the program."""
    text = (ROOT / "docs/distributed.md").read_text()
    section = text.partition("## Two terminals")[2].partition("\n## ")[0]
    fenced = re.findall(r"```bash\n(.*?)```", section, re.S)
    lines = "".join(fenced).splitlines()
    return [shlex.split(line)[1:] for line in lines]


def run(folder, words_of):
    """Runs commands side by side; returns what each printed."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "jaxtrack", *words],
            cwd=folder,
            env=os.environ | QUICK | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for words in words_of
    ]
    try:
        printed = [process.communicate(timeout=1500)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    for process, text in zip(started, printed, strict=True):
        assert process.returncode == 0, text
    return printed


@pytest.mark.slow
def test_two_terminals(tmp_path):
    first, second, compose, *evaluations = commands()
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    small = [f"--config.{field}" for field in SMALL]
    trainings = [
        [word.replace("12355", str(port)) for word in words] + small
        for words in (first, second)
    ]
    printed = run(tmp_path, trainings)
    assert "2 x cpu, 2 processes" in printed[0]
    assert "training" not in printed[1]
    assert (tmp_path / "runs/two/checkpoints/2").is_dir()
    run(tmp_path, [compose])
    printed = run(tmp_path, evaluations)
    reports = [text for text in printed if "report: runs/eval/report.html" in text]
    assert len(reports) == 1
    assert all(re.search(r"process \d of 2", text) for text in printed)
    report = json.loads((tmp_path / "runs/eval/report.json").read_text())
    assert len(report["trackers"]["two"]["sequences"]) == 4
