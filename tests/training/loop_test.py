"""Tests for jaxtrack.training.loop."""

import dataclasses
import itertools
import json
import logging
import os
import pathlib
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.data import batch as batch_lib
from jaxtrack.errors import InputError
from jaxtrack.training import loop, step
from jaxtrack.training.inference import load_for_inference
from jaxtrack.training.schedule import Schedule

from . import tiny_cract
from .conftest import TINY, MemoryLoader

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def equal(a, b):
    jax.tree.map(np.testing.assert_array_equal, jax.device_get(a), jax.device_get(b))


def test_a_run_from_start_to_end(tiny_config, tmp_path):
    last = loop.train(tiny_config, tmp_path, family=TINY)
    assert int(last.step) == 6
    rows = [
        json.loads(row) for row in (tmp_path / "log.jsonl").read_text().splitlines()
    ]
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert {"loss", "lr", "grad_norm", "pairs_per_second", "data_wait"} <= set(rows[0])
    assert rows[0]["lr_backbone"] == 0 < rows[2]["lr_backbone"]
    assert load_for_inference(tmp_path).step == 6


def test_each_phase_is_compiled_once(tiny_config, tmp_path, caplog, capsys):
    # The backbone joins at step 3 of 6; a second run resumes with restored arrays.
    def is_of_the_step(text):  # Nothing else that is compiled takes pictures.
        return text.startswith("Compiling ") and "uint8[" in text

    for num_epochs, phases in ((2, 2), (3, 1)):
        tiny_config.run.num_epochs = num_epochs
        caplog.clear()
        with jax.log_compiles(), caplog.at_level(logging.WARNING):
            loop.train(tiny_config, tmp_path, family=TINY)
        messages = [record.getMessage() for record in caplog.records]
        assert sum(map(is_of_the_step, messages)) == phases
        # More epochs bend the schedule, which had come to its end.
        told = "run.num_epochs is 3, not 2" in capsys.readouterr().out
        assert told == (num_epochs == 3)


def test_other_rates_and_epochs_compile_nothing_anew(tiny_config):
    # The two steps are the same program, so the compiled one is found in the cache.
    programs = []
    network = TINY.network(tiny_config, axis_name=step.AXIS)
    for rate, epochs in ((0.05, 2), (0.01, 7)):
        tiny_config.optimizer.lr, tiny_config.run.num_epochs = rate, epochs
        state, phases = loop._build(tiny_config, TINY, network, ())
        shapes = batch_lib.shard(MemoryLoader().__next__(), jax.device_count())
        rates = Schedule(tiny_config).rates(5)
        programs.append(phases[True].step.lower(state, shapes, rates).as_text())
    assert programs[0] == programs[1]


def test_a_run_ends_on_the_clock_and_resumes(tiny_config, tmp_path, capsys):
    # A clock that every reading moves by a second; 6 steps would take longer.
    def ticking():
        ticks = itertools.count()
        return lambda: float(next(ticks))

    tiny_config.run.minutes = 0.1
    last = loop.train(tiny_config, tmp_path, family=TINY, now=ticking())
    assert 0 < int(last.step) < 6
    assert "config.run.minutes have passed: step" in capsys.readouterr().out
    rows = (tmp_path / "log.jsonl").read_text().splitlines()
    rates = [json.loads(row)["lr"] for row in rows]
    assert 0.01 < rates[-1] < 0.05  # It falls already.
    again = loop.train(tiny_config, tmp_path, family=TINY, now=ticking())
    assert int(again.step) == int(last.step)
    assert "nothing to do" in capsys.readouterr().out
    # With more time it goes on where the clock stood, and says what that means.
    tiny_config.run.minutes = 60.0
    more = loop.train(tiny_config, tmp_path, family=TINY, now=ticking())
    assert int(more.step) == 6
    assert "config.run.minutes is 60.0, not 0.1" in capsys.readouterr().out


class Interrupting(MemoryLoader):
    """Sends this process a signal when a batch is drawn."""

    def __init__(self, at, number):
        super().__init__()
        self.at, self.number = at, number

    def __next__(self):
        if self.position == self.at:
            os.kill(os.getpid(), self.number)
        return super().__next__()


# The backbone joins at step 3: the run is cut before and after.
@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    tiny_config, tmp_path, monkeypatch, number
):
    straight = loop.train(tiny_config, tmp_path / "straight", family=TINY)
    monkeypatch.setattr(loop, "open_loader", lambda *_: Interrupting(3, number))
    cut = loop.train(tiny_config, tmp_path / "cut", family=TINY)
    assert 0 < int(cut.step) < 6
    monkeypatch.setattr(loop, "open_loader", lambda *_: MemoryLoader())
    resumed = loop.train(tiny_config, tmp_path / "cut", family=TINY)
    assert int(resumed.step) == 6
    equal(straight, resumed)


@pytest.mark.slow
def test_an_interrupted_cract_ends_like_an_uninterrupted_one(
    tiny_config, tmp_path, monkeypatch
):
    # Its proposals are drawn again at every step, from what the network has learned.
    config = tiny_cract.set_cract(tiny_config)
    config.optimizer.backbone_from_epoch = 0.0
    straight = loop.train(config, tmp_path / "straight", family=tiny_cract.FAMILY)
    rows = (tmp_path / "straight" / "log.jsonl").read_text().splitlines()
    last = json.loads(rows[-1])
    assert last["refined_positives"] > 0
    assert {"refine", "identity", "refined_iou", "identified"} <= last.keys()
    monkeypatch.setattr(loop, "open_loader", lambda *_: Interrupting(3, signal.SIGTERM))
    cut = loop.train(config, tmp_path / "cut", family=tiny_cract.FAMILY)
    assert 0 < int(cut.step) < 6
    monkeypatch.setattr(loop, "open_loader", lambda *_: MemoryLoader())
    resumed = loop.train(config, tmp_path / "cut", family=tiny_cract.FAMILY)
    assert int(resumed.step) == 6
    equal(straight, resumed)


def test_a_finished_run_is_left_alone(tiny_config, tmp_path, capsys):
    first = loop.train(tiny_config, tmp_path, family=TINY)
    assert "finished: step 6 of 6 is saved in" in capsys.readouterr().out
    again = loop.train(tiny_config, tmp_path, family=TINY)
    equal(first, again)
    assert "nothing to do" in capsys.readouterr().out


def test_a_loss_that_is_not_finite_stops_the_run(tiny_config, tmp_path, monkeypatch):
    class Black(MemoryLoader):
        def __next__(self):
            batch = super().__next__()
            if self.position == 4:
                batch["z_image"][:] = 0
            return batch

    def make_loss(config, network):
        inner = TINY.loss(config, network)

        def loss(outputs, batch, *, axis_name=None):
            value, metrics = inner(outputs, batch, axis_name=axis_name)
            value = jnp.where(jnp.max(batch["z_image"]) > 0, value, jnp.nan)
            return value, metrics | {"loss": value}

        return loss

    monkeypatch.setattr(loop, "open_loader", lambda *_: Black())
    family = dataclasses.replace(TINY, loss=make_loss)
    with pytest.raises(
        InputError, match=r"not finite at step 4 .*checkpoint is .*checkpoints/2;"
    ):
        loop.train(tiny_config, tmp_path, family=family)
    assert load_for_inference(tmp_path).step == 2


def test_a_fault_of_the_data_keeps_what_was_saved(tiny_config, tmp_path, monkeypatch):
    class Damaged(MemoryLoader):
        def __next__(self):
            if self.position == 3:
                raise InputError("0004.jpg is damaged")
            return super().__next__()

    monkeypatch.setattr(loop, "open_loader", lambda *_: Damaged())
    with pytest.raises(InputError, match=r"0004\.jpg"):
        loop.train(tiny_config, tmp_path, family=TINY)
    assert load_for_inference(tmp_path).step == 2


def test_a_batch_that_devices_cannot_share_is_refused_first(tiny_config, tmp_path):
    tiny_config.run.batch_size = 12
    with pytest.raises(InputError, match="batch_size is 12: make it a multiple of 8"):
        loop.train(tiny_config, tmp_path / "run", family=TINY)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_sigterm_saves_and_exits_with_0(tmp_path):
    command = [
        *(sys.executable, "train.py", "--config=configs/demo.py"),
        *(
            f"--workdir={tmp_path}",
            "--config.run.batch_size=2",
            "--config.data.num_workers=1",
        ),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 240
    while not (tmp_path / "log.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.5)
    while not (tmp_path / "log.jsonl").read_text() and time.monotonic() < deadline:
        time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert "stopped by a signal" in output
    assert load_for_inference(tmp_path).step >= 20
