"""Tests for experiments.large_batches: what is trained, and how it is summarized."""

import argparse
import json

import numpy as np
import pytest

from experiments import large_batches as lib
from jaxtrack import configs, trackers
from jaxtrack.errors import InputError
from jaxtrack.training.schedule import Schedule


def test_every_rule_at_every_batch_and_the_rate_itself_at_the_reference():
    planned = list(lib.cases(["adamw", "lars"], [32, 128, 512], num_seeds=2))
    found = {(c.kind, c.batch, c.rule): c.factor for c in planned if c.factor >= 1}
    # sqrt(128 / 32) = 2, 128 / 32 = 4; sqrt(512 / 32) = 4, 512 / 32 = 16.
    rules = {128: {"none": 1, "sqrt": 2, "linear": 4}}
    rules[512] = {"none": 1, "sqrt": 4, "linear": 16}
    rules[32] = {"none": 1, "x": 4}
    for batch, factors in rules.items():
        for rule, factor in factors.items():
            assert found[("adamw", batch, rule)] == factor
            assert (("lars", batch, rule) in found) == (batch != 128)
    assert len(planned) == len(set(planned)) == 2 * (9 + 6)


def test_all_see_as_many_pairs_at_the_rates_of_the_table():
    base = trackers.with_preprocessing(configs.load("siamcar_lite0"))
    for case in lib.cases(["sgd"], [32, 512], num_seeds=1):
        plan = Schedule(lib.settings_of(base, case, pairs=4096))
        assert plan.total * case.batch == 4096
        peak = 6 * base.optimizer.lr * case.factor
        np.testing.assert_allclose(plan.peak, peak, rtol=1e-6)
        np.testing.assert_allclose(plan.end, peak / 50, rtol=1e-6)


def test_means_and_spreads_over_seeds():
    case = lib.Case("sgd", 512, "sqrt", 4.0, 0)
    measured = {"loss": 2.0, "test_loss": 3.0, "iou": 0.5, "seconds": 1.0}
    rows = [case._asdict() | measured | {"cpu_seconds": 2.0}]
    rows.append(rows[0] | {"seed": 1, "iou": 0.7, "cpu_seconds": 4.0})
    (row,) = lib.summarize(rows)
    assert row["seeds"] == 2 and row["loss"] == (2.0, 0.0)
    # The mean of 0.5 and 0.7, and sqrt(0.1^2 + 0.1^2).
    np.testing.assert_allclose(row["iou"], (0.6, 0.141421), rtol=1e-5)
    line = lib.markdown([row]).splitlines()[-1]
    told = ["sgd", "512", "sqrt", "4", "2.000 ± 0.000", "3.000 ± 0.000"]
    assert line[2:-2].split(" | ") == [*told, "0.600 ± 0.141", "1.0, 3.0"]


def test_resumes_with_the_same_settings_alone(tmp_path):
    log = tmp_path / "log.jsonl"
    lib.check(log, {"pairs": 64})
    case = lib.Case("sgd", 32, "none", 1.0, 0)
    with open(log, "a") as file:
        file.write(json.dumps(case._asdict() | {"iou": 0.5}) + "\n")
        file.write('{"kind": "sg')  # The process was killed here.
    lib.check(log, {"pairs": 64})
    assert [lib.key_of(row) for row in lib.read(log)] == [case]
    with pytest.raises(InputError, match=r"made with .*'pairs': 64.*another --out"):
        lib.check(log, {"pairs": 128})


def test_options_that_cannot_be_trained_are_refused_at_once(tmp_path):
    parser = argparse.ArgumentParser()
    lib.add_arguments(parser)
    for words, message in (
        (["--kinds=adamw,adam"], "--kinds: no adam; there are adamw, sgd, lars, lamb"),
        (["--batches=32,100"], "--pairs=8192 is no multiple of 100"),
        (["--test=200"], "--test=200 is no multiple of 128"),
    ):
        args = parser.parse_args([*words, f"--out={tmp_path / 'out'}"])
        with pytest.raises(InputError, match=message):
            lib.run(args)
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit):
        parser.parse_args(["--batches=32,many"])
