"""Counts of positive labels as Markdown tables."""

from collections.abc import Mapping
from typing import Any

from experiments import tables
from experiments.figures import positives_plot
from experiments.figures.positive_counts import RULES


def markdown(found: Mapping[str, Any]) -> str:
    """Returns the counts of positive labels as Markdown.

    Args:
      found: see `experiments.figures.positives.run`.
    """
    rows = [
        [k, *(_number(row[rule]) for rule in RULES), _share(row)]
        for k, row in found["points"].items()
    ]
    head = ["K", *RULES, "empty without a rule"]
    base = found["baseline"]
    fixed = base and (
        f"The fixed labels of {base['config']} ({base['assigner']}): "
        f"{_number(base['positives'])}, {_share(base)} of the images without any.\n"
    )
    return "\n".join(
        [
            f"# Positives of dynamic labels: {found['config']}\n",
            f"{found['num_pairs']} pairs of seed {found['seed']}, of which "
            f"{found['num_images']} show the target; {found['anchors']}. Mean number "
            "of positives of an image ± its standard error, by K and by the rule for "
            "images in which no anchor reaches the threshold.\n",
            tables.table(head, rows),
            *([fixed] if fixed else []),
            _verdict(found),
            f"## Along the stream, {found['rule']}\n",
            "Labels do not depend on the network, only on the box: training cannot "
            "move P, only the data can. The last column is the spread that chance "
            "alone would give.\n",
            tables.table(
                ["", "smallest part", "largest part", "spread", "by chance"],
                list(_stream_rows(found)),
            ),
        ]
    )


def _number(pair):
    return tables.with_spread(*pair, form=".2f")


def _share(row):
    return f"{row['empty']:.1%}"


def _verdict(found):
    """Says where the config's rule agrees with the paper."""
    low, high = positives_plot.PAPER_POSITIVES
    first, last = positives_plot.PAPER_POINTS
    rows = {int(k): row[found["rule"]] for k, row in found["points"].items()}
    asked = [k for k in rows if first <= k <= last]
    within = [str(k) for k in asked if low <= rows[k][0] <= high]
    words = ", ".join(within) if within else "none of them"
    return (
        f"For DLA-SiamCAR, the paper reports P from {low:g} to {high:g} and calls K "
        f"from {first} to {last} equivalent. With {found['rule']}, P is in that range "
        f"at K = {words} "
        f"(counted there: {', '.join(map(str, asked)) or 'none'}).\n"
    )


def _stream_rows(found):
    """Yields the rows of the second table."""
    lines = {f"K = {k}": one for k, one in found["stream"].items()}
    if found["baseline"]:
        lines[found["baseline"]["config"]] = found["baseline"]
    for name, one in lines.items():
        parts = sorted(one["parts"])
        spread, expected = f"{one['spread']:.3f}", f"{one['expected']:.3f}"
        yield [name, _number(parts[0]), _number(parts[-1]), spread, expected]
