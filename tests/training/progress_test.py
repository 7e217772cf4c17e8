"""Tests for what a training shows: progress, compilations, what it is about."""

import io
import json
import pathlib
import time

import jax
import jax.numpy as jnp
import pytest

from jaxtrack import config as config_lib
from jaxtrack.training import overview, report
from jaxtrack.training.compile_times import CompileTimes, Expected
from jaxtrack.training.progress import Progress, duration


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass when the test says so."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_elsewhere_than_on_a_terminal_a_line_comes_every_half_minute(clock):
    out = io.StringIO()
    shown = Progress(first=100, total=1100, batch_size=8, stream=out)
    for _ in range(100):  # Ten minutes of steps of six seconds, a reading each.
        shown.advance()
        clock[0] += 6
        shown.show(0.5, 8 / 6)
    lines = out.getvalue().splitlines()
    assert len(lines) == 20
    # 999 steps of 6 s are left: 5994 s, 1 h 39 min 54 s.
    assert lines[0] == "step 101 of 1100: loss 0.500, 1.3 pairs/s, 1 h 39 min left"
    assert lines[1].startswith("step 106 of 1100: ")


def test_on_a_terminal_a_bar_says_the_same(clock):
    out = Terminal()
    shown = Progress(first=0, total=4, batch_size=8, stream=out)
    shown.advance()
    shown.show(0.25, 16.0)
    shown.say("compiled in 3 s")
    shown.close()
    told = out.getvalue()
    assert "compiled in 3 s\n" in told
    # Three steps of 8 pairs are left, 16 pairs a second: 1.5 s.
    assert "1/4 steps, loss 0.250, 16 pairs/s, 2 s left" in told
    assert "step 1 of 4" not in told


def test_of_several_processes_one_tells():
    out = Terminal()
    shown = Progress(first=0, total=4, batch_size=8, is_shown=False, stream=out)
    shown.say("hello")
    shown.advance()
    shown.show(0.25, 0.0)
    assert out.getvalue() == ""


def test_times_are_told_by_their_largest_units():
    told = {8.4: "8 s", 200: "3 min 20 s", 7500: "2 h 5 min", 187200: "2 d 4 h"}
    assert {seconds: duration(seconds) for seconds in told} == told


def test_how_long_it_compiles_is_learnt_from_the_last_time(tmp_path):
    config = config_lib.get_config()
    times = CompileTimes(config, tmp_path / "new")
    assert times.expect("step") == Expected()
    assert times.expect("step").text() == "a minute or more the first time"
    times.learn("step", 38.2)
    times.learn("step", 4.6)  # It was kept.
    assert (
        CompileTimes(config, tmp_path / "new").expect("step").text()
        == "it took 5 s last time"
    )
    # Another rate or length is the same program, another decay a new one; of another
    # network nothing is known.
    config.optimizer.lr, config.run.num_epochs = 0.1, 99
    assert CompileTimes(config, tmp_path / "new").expect("step").last == 4.6
    config.optimizer.weight_decay = 0.1
    assert CompileTimes(config, tmp_path / "new").expect("step").text() == "about 38 s"
    assert times.expect("other") == Expected()
    config.model.backbone = "resnet18"
    assert CompileTimes(config, tmp_path / "new").expect("step") == Expected()


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}', "\0"])
def test_what_cannot_be_read_or_written_is_no_fault(tmp_path, text):
    times = CompileTimes(config_lib.get_config(), tmp_path)
    (tmp_path / "compile_seconds.json").write_text(text)
    assert times.expect("step") == Expected()
    times.learn("step", 2.0)
    assert times.expect("step") == Expected(2.0, 2.0)
    (tmp_path / "compile_seconds.json").unlink()
    (tmp_path / "compile_seconds.json").mkdir()
    times.learn("step", 2.0)
    assert times.expect("step") == Expected()


def test_few_configs_of_a_network_are_kept(tmp_path):
    config = config_lib.get_config()
    for number in range(22):
        config.run.seed = number
        CompileTimes(config, tmp_path).learn("step", float(number))
    (row,) = json.loads((tmp_path / "compile_seconds.json").read_text()).values()
    assert [*row["last"].values()] == [*range(2, 22)]
    assert row["longest"] == 21


def test_what_is_trained_is_told_before_it_starts():
    config = config_lib.get_config()
    config.run.num_epochs, config.run.pairs_per_epoch = 2, 24_000
    config.run.batch_size = 8 * jax.device_count()
    params = {
        "backbone": {"conv1": jnp.zeros(20_000), "layer2": jnp.zeros(30_000)},
        "head": jnp.zeros((5, 3)),
    }
    about = {"contents": ["a  60 tracks", "b   6 tracks"], "first": 300}
    told = overview.lines(config, params, workdir=pathlib.Path("runs/a"), **about)
    assert len({line[:11].rstrip() for line in told if line[:11].strip()}) == 9
    assert {len(line) - len(line[11:].lstrip()) for line in told} == {11}
    text = "\n".join(line[11:] for line in told)
    count = jax.device_count()
    steps = 24_000 // (8 * count)
    for part in (
        f"{count} x cpu, 1 process",
        "float32, parameters float32, matmul precision highest",
        "siamcar (resnet50, released)",
        "a  60 tracks\nb   6 tracks",
        f"{8 * count} pairs a step, 8 on each device",
        "learning rate 0.005 after warm-up",
        f"2 epochs of {steps:,} steps: {2 * steps:,} steps",
        "runs/a (resumes after step 300)",
        "log.jsonl, TensorBoard",
    ):
        assert part in text, text


def test_parameters_are_counted_by_when_they_are_trained():
    config = config_lib.get_config()
    params = {
        "backbone": {"conv1": jnp.zeros(20_000), "layer2": jnp.zeros(30_000)},
        "head": jnp.zeros(15),
    }
    for epoch, told in (
        (10.0, "15 trained, 0.02 M frozen; 0.03 M of the backbone from epoch 10"),
        (0.0, "0.03 M trained, 0.02 M frozen"),
        (99.0, "15 trained, 0.05 M frozen"),
    ):
        config.optimizer.backbone_from_epoch = epoch
        assert overview.parameters(config, params) == f"parameters: {told}"


def test_the_memory_used_is_told_where_it_is_known():
    stats = {"peak_bytes_in_use": 12_340_000_000, "bytes_limit": 79_000_000_000}
    told = "memory used at most: 12.3 GB of 79.0 GB a device"
    assert report.memory(stats) == told
    assert report.memory({"peak_bytes_in_use": 2_000_000_000}).endswith(
        "2.0 GB a device"
    )
    assert report.memory(None) == report.memory({}) == ""


def test_the_rate_is_told_as_it_is_scaled():
    config = config_lib.get_config()
    config.run.batch_size, config.run.minutes = 160 * jax.device_count(), 90.0
    config.optimizer.lr_scaling, config.optimizer.reference_batch = "linear", 80
    params = {"head": jnp.zeros(1_000_000)}
    about = {"contents": ["a"], "first": 0, "workdir": pathlib.Path("runs/a")}
    text = "\n".join(overview.lines(config, params, **about))
    rate = 0.005 * 2 * jax.device_count()
    assert f"learning rate {rate:.3g} (0.005 at 80 pairs, linear) after" in text
    assert "steps, or 90 minutes if they are shorter" in text
    # SGD: parameters, gradients and one moment of four bytes each.
    assert "12 MB a device for parameters" in text
