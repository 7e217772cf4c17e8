"""Tests for experiments.summary."""

import math

import numpy as np
import pytest

from experiments import runs, summary


def test_reads_only_finished_runs(record, outcomes, tmp_path, write_run):
    for (name, seed, fold), one in outcomes.items():
        if (name, seed, fold) != ("new", 1, 1):
            write_run(runs.run_folder(tmp_path, name, seed, fold), one)
    found = summary.read_outcomes(tmp_path, record)
    del outcomes["new", 1, 1]
    assert found == outcomes


def test_uses_whole_seeds_and_before_that_whole_folds(record, outcomes):
    def usable(*names):
        return summary.usable(record, outcomes, names or ("old", "new"))

    assert usable() == ([0, 1], [0, 1])
    del outcomes["old", 1, 0]
    assert usable() == ([0], [0, 1])
    del outcomes["new", 0, 1]
    assert usable() == ([0], [0])
    assert usable("old") == ([0], [0, 1]) and usable("new") == ([1], [0, 1])
    del outcomes["old", 0, 0]
    assert usable() == ([1], [1])
    outcomes.clear()
    assert usable() == ([], [])


def test_sequences_of_several_folds_are_averaged(record, outcomes):
    rows = summary.values(record, outcomes, "auc", ["old", "new"])
    assert list(rows) == ["davis_a", "otb_c", "davis_b"]
    np.testing.assert_allclose(rows["davis_a"], [[0.5, 0.52], [0.6, 0.62]])
    # (0.3 + 0.5) / 2 over the folds.
    np.testing.assert_allclose(rows["otb_c"], [[0.4, 0.42], [0.5, 0.52]])


def test_undefined_correlations_leave_a_sequence_out_for_both(record, outcomes):
    outcomes["new", 1, 0].alignment["davis_a"] = None
    rows = summary.values(record, outcomes, "alignment", ["old", "new"])
    assert list(rows) == ["otb_c", "davis_b"]
    assert "davis_a" in summary.values(record, outcomes, "alignment", ["old"])


def test_a_run_without_alignment_makes_it_missing(record, outcomes, make_outcome):
    outcomes["new", 1, 0] = make_outcome(outcomes["new", 1, 0].auc)
    old, new = summary.summarize(record, outcomes)["rows"]
    assert old["alignment"] is not None and new["alignment"] is None
    assert new["change"]["alignment"] is None and new["change"]["auc"] is not None


def test_groups_by_hand(record, outcomes):
    old, new = summary.summarize(record, outcomes)["rows"]
    # Seed 0: (0.5 + 0.6 + 0.4) / 3 = 0.5, seed 1 is 0.02 more; std 0.02 / sqrt(2).
    assert old["auc"]["all"]["num_sequences"] == 3
    assert old["auc"]["all"]["mean"] == pytest.approx(0.51)
    assert new["auc"]["all"]["mean"] == pytest.approx(0.61)
    assert old["auc"]["all"]["std"] == pytest.approx(0.02 / math.sqrt(2))
    assert old["auc"]["held_out"]["mean"] == pytest.approx(0.41)
    change = new["change"]["auc"]
    assert change["all"]["difference"] == pytest.approx(0.1)
    # Two seeds drawn of two: means differ by -0.02, ..., 0.02 around 0.1.
    assert change["all"]["interval"] == pytest.approx([0.08, 0.12], abs=1e-9)
    assert change["all"]["share_above"] == 1.0
    low, high = change["all"]["interval_runs_apart"]
    assert 0.08 < low < 0.1 < high < 0.12
    assert change["verdict"].startswith("new is better: the 95% interval")
    assert old["change"] is None and new["change"]["reference"] == "old"
    # One seed has no deviation.
    first = {key: one for key, one in outcomes.items() if key[1] == 0}
    for row in summary.summarize(record, first)["rows"]:
        assert row["auc"]["all"]["std"] is None


def test_references(record, outcomes):
    for seed in (0, 1):
        for fold in (0, 1):
            outcomes["last", seed, fold] = outcomes["old", seed, fold]
    record["configs"]["last"] = "last.py"
    for reference, name, difference in (("first", "old", 0), ("previous", "new", -0.1)):
        record["reference"] = reference
        *_, row = summary.summarize(record, outcomes)["rows"]
        assert row["change"]["reference"] == name
        found = row["change"]["auc"]["all"]["difference"]
        assert found == pytest.approx(difference)


def test_cost_is_the_mean_of_what_is_known(outcomes, make_outcome):
    outcomes["new", 0, 0] = make_outcome({}, cpu_seconds=120.0, wall_seconds=None)
    outcomes["new", 0, 1] = make_outcome({}, cpu_seconds=None)
    used = summary.usage_of("new", outcomes)
    # 120, 60, 60 s; the fourth is unknown.
    assert used["cpu_seconds"] == pytest.approx(80)
    assert used["num_runs"] == 4


def test_verdicts():
    def said(low, high, seeds=(0, 1)):
        return summary.verdict(["old", "new"], {"interval": [low, high]}, seeds)

    better = "new is better: the 95% interval of new minus old is +0.010 to +0.200."
    assert said(0.01, 0.2) == better
    assert said(-0.2, -0.01).startswith("old is better")
    assert said(-0.2, 0.01).endswith("which holds zero.")
    assert said(0.0, 0.0).endswith("which holds zero.")
    assert said(0.01, 0.2, [1]).startswith("new is better in its one training")
    assert "not defined" in summary.verdict(["old", "new"], None, [0])


def test_nothing_is_finished_yet(record):
    found = summary.summarize(record, {})
    assert (found["num_finished"], found["num_runs"]) == (0, 8)
    for row in found["rows"]:
        assert (row["seeds"], row["auc"]) == ([], None)
    assert found["rows"][1]["change"]["auc"] is None
