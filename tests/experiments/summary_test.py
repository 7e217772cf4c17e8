"""Tests for experiments.summary."""

import math

import numpy as np
import pytest

from experiments import plan, summary
from jaxtrack.errors import InputError


def test_reads_only_finished_runs(study, outcomes, tmp_path, write_run):
    for (name, seed, fold), one in outcomes.items():
        if (name, seed, fold) != ("new", 1, 1):
            write_run(plan.run_folder(tmp_path, name, seed, fold), one)
    found = summary.read_outcomes(tmp_path, study)
    del outcomes["new", 1, 1]
    assert found == outcomes


def test_uses_whole_seeds_and_before_that_whole_folds(study, outcomes):
    assert summary.usable(study, outcomes) == ([0, 1], [0, 1])
    del outcomes["old", 1, 0]
    assert summary.usable(study, outcomes) == ([0], [0, 1])
    del outcomes["new", 0, 1]
    assert summary.usable(study, outcomes) == ([0], [0])
    del outcomes["old", 0, 0]
    assert summary.usable(study, outcomes) == ([1], [1])
    assert summary.usable(study, {}) == ([], [])


def test_sequences_of_several_folds_are_averaged(study, outcomes):
    rows = summary.values(study, outcomes, "auc", [0, 1], [0, 1])
    assert list(rows) == ["davis_a", "otb_c", "davis_b"]
    np.testing.assert_allclose(rows["davis_a"], [[0.5, 0.52], [0.6, 0.62]])
    # (0.3 + 0.5) / 2 over the folds.
    np.testing.assert_allclose(rows["otb_c"], [[0.4, 0.42], [0.5, 0.52]])


def test_undefined_correlations_leave_a_sequence_out_for_both(study, outcomes):
    outcomes["new", 1, 0].alignment["davis_a"] = None
    rows = summary.values(study, outcomes, "alignment", [0, 1], [0, 1])
    assert list(rows) == ["otb_c", "davis_b"]


def test_a_run_without_alignment_makes_it_missing(study, outcomes, make_outcome):
    outcomes["new", 1, 0] = make_outcome(outcomes["new", 1, 0].auc)
    found = summary.summarise(study, outcomes)
    assert found["alignment"] is None and found["auc"] is not None


def test_group_by_hand(study, outcomes):
    found = summary.summarise(study, outcomes)["auc"]
    group = found["all"]
    # Seed 0: (0.5 + 0.6 + 0.4) / 3 = 0.5, seed 1 is 0.02 more; std 0.02 / sqrt(2).
    assert group["num_sequences"] == 3
    assert group["a"] == pytest.approx(0.51) and group["b"] == pytest.approx(0.61)
    assert group["a_std"] == pytest.approx(0.02 / math.sqrt(2))
    assert group["difference"] == pytest.approx(0.1)
    # Two seeds drawn of two: means differ by -0.02, ..., 0.02 around 0.1.
    assert group["interval"] == pytest.approx([0.08, 0.12], abs=1e-9)
    assert group["share_above"] == 1.0
    low, high = group["interval_runs_apart"]
    assert 0.08 < low < 0.1 < high < 0.12
    assert found["always_held_out"]["a"] == pytest.approx(0.41)
    assert found["verdict"].startswith("new is better: the 95% interval")


def test_one_seed_has_no_deviation(study, outcomes):
    found = {key: one for key, one in outcomes.items() if key[1] == 0}
    group = summary.summarise(study, found)["auc"]["all"]
    assert group["a_std"] is None and group["b_std"] is None


def test_cost_is_the_mean_of_what_is_known(outcomes, make_outcome):
    outcomes["new", 0, 0] = make_outcome({}, cpu_seconds=120.0, wall_seconds=None)
    outcomes["new", 0, 1] = make_outcome({}, cpu_seconds=None)
    used = summary.usage_of("new", outcomes)
    # 120, 60, 60 s; the fourth is unknown.
    assert used["cpu_seconds"] == pytest.approx(80)
    assert used["num_trainings"] == 4


def test_verdicts(study):
    def said(low, high, std=0.01):
        return summary.verdict(study, {"interval": [low, high], "a_std": std})

    assert said(0.01, 0.2) == (
        "new is better: the 95% interval of new minus old is +0.010 to +0.200."
    )
    assert said(-0.2, -0.01).startswith("old is better")
    assert said(-0.2, 0.01).endswith("which holds zero.")
    assert said(0.0, 0.0).endswith("which holds zero.")
    assert said(0.01, 0.2, std=None).startswith("new is better in its one training")
    assert "not defined" in summary.verdict(study, None)


def test_nothing_to_compare_yet(study):
    with pytest.raises(InputError, match="nothing to compare yet"):
        summary.summarise(study, {})
