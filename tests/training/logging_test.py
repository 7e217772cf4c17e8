"""Tests for jaxtrack.training.logging."""

import json

from jaxtrack.training.logging import ScalarLog


def read(folder):
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_writes_lines_and_tensorboard(tmp_path):
    log = ScalarLog(tmp_path / "run")
    log.write(2, {"loss": 0.5})
    log.write(4, {"loss": 0.25})
    log.close()
    assert read(tmp_path / "run") == [
        {"step": 2, "loss": 0.5},
        {"step": 4, "loss": 0.25},
    ]
    assert list((tmp_path / "run" / "tensorboard").iterdir())


def test_resuming_drops_what_will_be_written_again(tmp_path):
    log = ScalarLog(tmp_path)
    for step in (2, 4, 6):
        log.write(step, {"loss": float(step)})
    log.close()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 8, "lo')  # Cut short by a crash.
    log = ScalarLog(tmp_path, first_step=4)
    log.write(6, {"loss": 0.0})
    log.close()
    assert [(row["step"], row["loss"]) for row in read(tmp_path)] == [
        (2, 2.0),
        (4, 4.0),
        (6, 0.0),
    ]
