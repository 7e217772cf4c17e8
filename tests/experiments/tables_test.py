"""Tests for experiments.tables."""

from experiments import summary, tables


def test_table():
    assert tables.table(["a", "b"], [["x", "1"], ["y", "2"]]) == (
        "| a | b |\n| --- | ---: |\n| x | 1 |\n| y | 2 |\n"
    )


def test_numbers():
    assert tables.number(0.12345) == "0.123"
    assert tables.number(None) == "-"
    assert tables.with_spread(0.5, 0.01) == "0.500 ± 0.010"
    assert tables.with_spread(0.5, None) == "0.500"
    change = {"difference": -0.1, "interval": [-0.25, 0.05]}
    assert tables.with_interval(change) == "-0.100 (-0.250 to +0.050)"


def of_titles(text, title):
    """The rows of the table whose head has a title, as first cell -> cells."""
    (block,) = [b for b in text.split("\n\n") if f" | {title}" in b.split("\n")[0]]
    lines = [line[2:-2].split(" | ") for line in block.splitlines()[2:]]
    return {first: rest for first, *rest in lines}


def markdown(record, outcomes):
    return tables.markdown(summary.summarize(record, outcomes))


def test_a_comparison(record, outcomes):
    text = markdown(record, outcomes)
    assert text.startswith("# old, new\n")
    assert "- AUC: new is better: the 95% interval of new minus old" in text
    assert "- rank correlation: new is better" in text
    # See summary_test: 0.51 and 0.61, std 0.02 / sqrt(2); held out 0.41 and 0.51.
    auc = of_titles(text, "AUC, all sequences (3)")
    assert auc["old"] == ["0.510 ± 0.014", "-", "0.410 ± 0.014", "-"]
    change = "+0.100 (+0.080 to +0.120)"
    assert auc["new"] == ["0.610 ± 0.014", change, "0.510 ± 0.014", change]
    assert of_titles(text, "AO, all sequences (3)") == auc
    ranks = of_titles(text, "rank correlation, all sequences (3)")
    assert ranks["new"][0] == "0.305 ± 0.007"
    costs = of_titles(text, "runs")
    assert costs["old"] == ["4", "0, 1", "0, 1", "1.0", "1.5", "40.0"]
    sequences = of_titles(text, "AUC old |")
    assert sequences["davis_a"] == ["0.510", "0.610", "0.255", "0.305"]
    assert "| setting | old | new |" in text
    assert "| `loss.quality` | `'centerness'` | `'iou'` |" in text
    assert "| `optimizer.lr` | `0.1` |" in text
    assert "8 of 8 runs are finished" in text and "against old" in text


def test_what_is_missing_says_so(record, outcomes, make_outcome):
    record["configs"]["later"] = "later.py"
    outcomes["new", 1, 0] = make_outcome(outcomes["new", 1, 0].auc)
    text = markdown(record, outcomes)
    assert of_titles(text, "AUC, all")["later"] == ["missing"] * 4
    ranks = of_titles(text, "rank correlation, all")
    assert ranks["old"][:2] == ["0.255 ± 0.007", "-"]
    assert ranks["new"] == ["missing"] * 4
    assert of_titles(text, "AUC old |")["davis_a"][2:] == ["-", "0.255", "-", "-"]
    # Of what was asked of no run there is no table.
    for key, one in outcomes.items():
        outcomes[key] = make_outcome(one.auc)
    assert "| rank correlation" not in markdown(record, outcomes)
    assert of_titles(markdown(record, {}), "AUC, all")["old"] == ["missing", "-"]


def test_rows_that_only_a_part_is_there_of(record, outcomes):
    record["configs"] = {name: f"{name}.py" for name in ("old", "new", "last")}
    record["reference"] = "previous"
    some = {k: one for k, one in outcomes.items() if k[0] == "new"}
    auc = of_titles(markdown(record, some), "AUC, all")
    assert auc["old"][:2] == ["missing", "-"]
    assert auc["new"][:2] == ["0.610 ± 0.014", "missing"]
    assert auc["last"][:2] == ["missing", "missing"]
    assert "against the row above" in markdown(record, some)


def test_sequences_come_worst_first_and_without_a_correlation(record, outcomes):
    outcomes["new", 1, 0].alignment["davis_a"] = None
    outcomes["new", 0, 1].auc["davis_b"] = 0.0
    text = markdown(record, outcomes)
    assert of_titles(text, "AUC old |")["davis_a"][2:] == ["0.255", "-"]
    assert text.index("| davis_b |") < text.index("| davis_a |")


def test_one_seed_comes_with_a_warning(record, outcomes):
    assert "too narrow" not in markdown(record, outcomes)
    some = {k: one for k, one in outcomes.items() if k != ("new", 1, 0)}
    assert "too narrow" in markdown(record, some)


def test_the_same_config_twice_and_nothing_held_out(record, outcomes):
    record["differences"], record["changes"], record["held_out"] = {}, {}, []
    text = markdown(record, outcomes)
    assert "No other setting differs." in text and "Set for all" not in text
    assert "never trained on" not in text
