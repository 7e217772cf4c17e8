"""Tests for experiments.tables."""

import pytest

from experiments import summary, tables


def cells(markdown, first):
    """The cells of the row that begins with `first`."""
    (line,) = [x for x in markdown.splitlines() if x.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_table():
    assert tables.table(["a", "b"], [["x", "1"], ["y", "2"]]) == (
        "| a | b |\n| --- | ---: |\n| x | 1 |\n| y | 2 |\n"
    )


def test_numbers():
    assert tables.number(0.12345) == "0.123"
    assert tables.number(None) == "-"
    assert tables.with_spread(0.5, 0.01) == "0.500 ± 0.010"
    assert tables.with_spread(0.5, None) == "0.500"
    assert tables.minutes(90) == "1.5" and tables.minutes(None) == "-"


def test_a_comparison(study, outcomes):
    text = tables.compare_markdown(summary.summarise(study, outcomes))
    assert text.startswith("# old and new\n")
    assert "Success AUC: new is better" in text
    row = cells(text, "Success AUC, all sequences (3)")
    # See summary_test: 0.51 and 0.61, std 0.02 / sqrt(2).
    assert row == ["0.510 ± 0.014", "0.610 ± 0.014", "+0.100", "+0.080 to +0.120"]
    assert cells(text, "davis_a") == ["0.510", "0.610", "+0.100", "0.255", "0.305"]
    assert cells(text, "old") == ["4", "1.0", "1.5", "40.0"]
    assert cells(text, "`loss`") == ["`'siamcar'`", "`'siamla'`"]
    assert cells(text, "`lr`") == ["`0.1`"]
    assert "8 of 8 trainings are finished" in text


def test_what_is_missing_says_so(study, outcomes, make_outcome):
    outcomes["new", 1, 0] = make_outcome(outcomes["new", 1, 0].auc)
    text = tables.compare_markdown(summary.summarise(study, outcomes))
    assert "Rank correlation of confidence and IoU: missing." in text
    assert cells(text, "Rank correlation, all sequences") == ["missing"] * 4
    assert cells(text, "davis_a")[-2:] == ["missing"] * 2


def test_an_undefined_correlation_is_a_dash(study, outcomes):
    outcomes["new", 1, 0].alignment["davis_a"] = None
    text = tables.compare_markdown(summary.summarise(study, outcomes))
    assert cells(text, "davis_a")[-2:] == ["-", "-"]


def test_sequences_come_worst_first(study, outcomes):
    outcomes["new", 0, 1].auc["davis_b"] = 0.0
    text = tables.compare_markdown(summary.summarise(study, outcomes))
    assert text.index("| davis_b |") < text.index("| davis_a |")


def test_one_seed_comes_with_a_warning(study, outcomes):
    assert "too narrow" not in tables.compare_markdown(
        summary.summarise(study, outcomes)
    )
    found = {key: one for key, one in outcomes.items() if key[1] == 0}
    assert "too narrow" in tables.compare_markdown(summary.summarise(study, found))


def test_the_same_config_twice(study, outcomes):
    study["differences"], study["overrides"] = {}, {}
    text = tables.compare_markdown(summary.summarise(study, outcomes))
    assert "The two configs are the same." in text and "Set for both" not in text


@pytest.mark.parametrize("num_seeds", [1, 2])
def test_an_ablation(num_seeds):
    row = {"auc": 0.5, "ao": 0.4, "alignment": None, "cpu_seconds": 150.0}
    row |= {f"{key}_std": 0.01 if num_seeds > 1 else None for key in row}
    row |= {"frames_per_second": 31.25, "num_trainings": num_seeds}
    numbers = {"pairs": 64, "num_seeds": num_seeds, "num_scenes": 8, "overrides": {}}
    rows = {"full": row, "later": {"num_trainings": 0}}
    text = tables.ablation_markdown({"study": numbers, "rows": rows})
    spread = " ± 0.010" if num_seeds > 1 else ""
    ranked = [f"0.500{spread}", f"0.400{spread}", "missing", "2.5", "31.2"]
    assert cells(text, "full") == ranked
    assert cells(text, "later") == ["missing"] * 5
    assert f"64 pairs a training, {num_seeds} seed" in text


def test_the_caveat_is_of_one_seed_alone():
    assert len(tables.caveat([3])) == 1
    assert tables.caveat([]) == tables.caveat([0, 1]) == []
