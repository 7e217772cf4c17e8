"""Tests for jaxtrack.training.logging."""

import contextlib
import json
import resource
import struct
import sys
import types

import pytest
from tensorboardX.proto import event_pb2

from jaxtrack.errors import InputError
from jaxtrack.training.logging import ScalarLog


def read(folder, *, whole=True):
    """Reads the log; the last line may be cut if not whole."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines[: None if whole else -1]]


def scalars(path):
    """Reads a file of TensorBoard: of each record its length, checksum, data, checksum.

    The first two records give the version of the format, and where a run starts.
    """
    file, found = path.read_bytes(), []
    while file:
        end = 12 + struct.unpack("<Q", file[:8])[0]
        found.append(event_pb2.Event.FromString(file[12:end]))
        file = file[end + 4 :]
    assert found[0].file_version == "brain.Event:2" and found[1].step == 1
    return [
        (event.step, value.tag, value.simple_value)
        for event in found
        for value in event.summary.value
    ]


def test_writes_lines_and_tensorboard(tmp_path):
    log = ScalarLog(tmp_path / "run")
    log.write(2, {"loss": 0.5})
    log.write(4, {"loss": 0.25})
    log.close()
    assert read(tmp_path / "run") == [
        {"step": 2, "loss": 0.5},
        {"step": 4, "loss": 0.25},
    ]
    (path,) = (tmp_path / "run" / "tensorboard").iterdir()
    assert scalars(path) == [(2, "loss", 0.5), (4, "loss", 0.25)]


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


@pytest.mark.parametrize("loggers", [(), ("tensorboard",)])
def test_a_full_disk_is_an_error_that_names_the_folder(tmp_path, loggers):
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = ScalarLog(tmp_path, loggers=loggers)
    # Room for 10 lines of 25 bytes, 13 of 26 and a part of one; TensorBoard's
    # record of each is larger.
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, most))
    try:
        with pytest.raises(OSError, match="too large") as caught:
            for step in range(100):
                log.write(step, {"loss": 0.5})
        with contextlib.suppress(OSError):  # What was not written yet.
            log.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    assert caught.value.filename == str(tmp_path)
    kept = len(read(tmp_path, whole=False))
    assert 4 < kept < 23 if loggers else kept == 23
    ScalarLog(tmp_path, first_step=3, loggers=()).close()
    assert [row["step"] for row in read(tmp_path)] == [0, 1, 2, 3]


class FakeRun:
    """Stands for a run of Weights & Biases."""

    def __init__(self, **given):
        self.given, self.rows, self.is_finished = given, [], False

    def log(self, scalars, *, step):
        self.rows.append((step, scalars))

    def finish(self):
        self.is_finished = True


@pytest.fixture
def wandb(monkeypatch):
    """A module that stands for wandb; lists the runs it began."""
    runs = []

    def init(**given):
        runs.append(FakeRun(**given))
        return runs[-1]

    module = types.ModuleType("wandb")
    module.init, module.__spec__ = init, types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "wandb", module)
    return module, runs


def test_weights_and_biases_gets_the_same_scalars(tmp_path, wandb):
    _, runs = wandb
    for first in (0, 2):  # Begun, and resumed.
        log = ScalarLog(
            tmp_path / "run",
            first_step=first,
            loggers=("wandb",),
            settings={"run": {"seed": 3}},
        )
        log.write(first + 2, {"loss": 0.5})
        log.close()
    assert not (tmp_path / "run" / "tensorboard").exists()
    assert [row["step"] for row in read(tmp_path / "run")] == [2, 4]
    assert [run.rows for run in runs] == [[(2, {"loss": 0.5})], [(4, {"loss": 0.5})]]
    assert all(run.is_finished for run in runs)
    first, second = (run.given for run in runs)
    assert first == second  # One run there, too.
    assert (first["project"], first["name"], first["resume"]) == (
        *("jaxtrack", "run", "allow"),
    )
    assert first["config"] == {"run": {"seed": 3}}
    assert first["dir"] == str(tmp_path / "run") and len(first["id"]) == 8


def test_what_is_wrong_with_weights_and_biases_is_told(tmp_path, wandb, monkeypatch):
    module, _ = wandb

    def init(**given):
        raise RuntimeError("api_key not configured\n  and more")

    module.init = init
    with pytest.raises(InputError, match=r"\(api_key not configured\): run `wandb log"):
        ScalarLog(tmp_path / "run", loggers=("wandb",))
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(InputError, match=r"pip install 'jaxtrack\[wandb\]'"):
        ScalarLog(tmp_path / "none", loggers=("wandb",))
    assert not (tmp_path / "none").exists()
