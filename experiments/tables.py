"""An experiment as a Markdown document."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MEASURES = {"auc": "AUC", "ao": "AO", "alignment": "rank correlation"}
_GROUPS = {"all": "all sequences", "held_out": "never trained on"}
_NOTES = (
    "± is the standard deviation over seeds of the mean over sequences. A change is "
    "against {reference}; behind it is the {confidence:.0%} interval of a paired "
    "bootstrap over sequences and seeds: a resample draws sequences, the same for both "
    "configs, and seeds, for each config by itself and the same for all sequences. A "
    "sequence that several folds test counts once, with the mean over folds. AUC is "
    "over 21 thresholds, and AO the mean IoU, without the first frame; rank "
    "correlation is that of confidence and IoU.\n"
)
_NARROW = (
    "Of one seed the interval leaves out how much two trainings of one config differ: "
    "it is too narrow.\n"
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table; all columns but the first are aligned to the right.

    Args:
      head: titles of the columns.
      rows: cells, as many as titles.
    """
    rule = ["---"] + ["---:"] * (len(head) - 1)
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)]
    return "\n".join(lines) + "\n"


def number(value: float | None, *, form: str = ".3f") -> str:
    """Returns a number, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def with_spread(mean: float | None, std: float | None, *, form: str = ".3f") -> str:
    """Returns `mean ± std`, or the mean alone."""
    return number(mean, form=form) + ("" if std is None else f" ± {std:{form}}")


def with_interval(change: Mapping[str, Any]) -> str:
    """Returns a difference and its interval.

    Args:
      change: has "difference" and "interval".
    """
    low, high = change["interval"]
    return f"{change['difference']:+.3f} ({low:+.3f} to {high:+.3f})"


def markdown(result: Mapping[str, Any]) -> str:
    """Returns a comparison as a Markdown document.

    Args:
      result: see `summary.summarize`.

    Returns:
      Verdicts, a table a measure, cost, sequences, settings.
    """
    experiment, rows = result["experiment"], result["rows"]
    measures = [m for m in MEASURES if m == "auc" or any(row[m] for row in rows)]
    is_first = experiment["reference"] == "first"
    reference = rows[0]["name"] if is_first else "the row above"
    changes = [row["change"] for row in rows[1:] if row["change"]["seeds"]]
    is_narrow = any(len(change["seeds"]) == 1 for change in changes)
    return "\n".join(
        [
            f"# {', '.join(row['name'] for row in rows)}\n",
            *([_verdicts(changes)] if changes else []),
            *(_measure(rows, measure) for measure in measures),
            f"Each network was trained on {experiment['pairs']} pairs in batches of "
            f"{experiment['batch_size']} and tested on sequences it was not trained "
            f"on. {result['num_finished']} of {result['num_runs']} runs are finished. "
            + _NOTES.format(reference=reference, confidence=result["confidence"]),
            *([_NARROW] if is_narrow else []),
            "## Cost\n",
            _cost(rows),
            "Means over the finished runs, with start and compilation; measured while "
            "others shared the machine. Configs that differ in tracking alone share a "
            "training.\n",
            "## Sequences\n",
            _sequences(rows, [measure for measure in measures if measure != "ao"]),
            "## Settings\n",
            *_settings(experiment),
        ]
    )


def _verdicts(changes):
    """Returns a list of verdicts, a line for each measure and change."""
    return "".join(
        f"- {title}: {change[measure]['verdict']}\n"
        for measure, title in MEASURES.items()
        for change in changes
        if change[measure]
    )


def _group(part, measure, group):
    """Returns what a row or a change has of a group, or None."""
    return part and part[measure] and part[measure][group]


def _measure(rows, measure):
    """Returns the table of one measure."""
    groups = [g for g in _GROUPS if any(_group(row, measure, g) for row in rows)]
    head, lines = ["config"], [[row["name"]] for row in rows]
    for group in groups or ["all"]:
        counts = []
        for row, line in zip(rows, lines, strict=True):
            own, change = (_group(p, measure, group) for p in (row, row["change"]))
            line.append(with_spread(own["mean"], own["std"]) if own else "missing")
            nothing = "missing" if row["change"] else "-"
            line.append(with_interval(change) if change else nothing)
            counts.append(own["num_sequences"] if own else 0)
        head += [f"{MEASURES[measure]}, {_GROUPS[group]} ({max(counts)})", "change"]
    return table(head, lines)


def _cost(rows):
    """Returns the table of what trainings and tracking cost, and what is finished."""
    lines = []
    for row in rows:
        usage = row["usage"]
        minutes = [v and v / 60 for v in (usage["cpu_seconds"], usage["wall_seconds"])]
        costs = [number(v, form=".1f") for v in (*minutes, usage["frames_per_second"])]
        used = [", ".join(map(str, row[key])) or "-" for key in ("seeds", "folds")]
        lines.append([row["name"], str(usage["num_runs"]), *used, *costs])
    head = ["config", "runs", "seeds", "folds", "CPU minutes", "wall minutes"]
    return table([*head, "frames/s"], lines)


def _sequences(rows, measures):
    """Returns a table of all sequences; first where the last config loses most."""
    columns = [(measure, row) for measure in measures for row in rows]
    values = {
        (place, name): float(np.mean(value))
        for place, (measure, row) in enumerate(columns)
        for name, value in (row[measure] or {"sequences": {}})["sequences"].items()
    }
    last = len(rows) - 1

    def gain(name):
        return values.get((last, name), 0.0) - values.get((0, name), 0.0)

    lines = [
        [name, *(number(values.get((place, name))) for place in range(len(columns)))]
        for name in sorted({name for _, name in values}, key=lambda n: (gain(n), n))
    ]
    return table(
        ["sequence", *(f"{MEASURES[m]} {r['name']}" for m, r in columns)], lines
    )


def _settings(experiment):
    """Yields what the user set, and what differs."""
    names = list(experiment["configs"])
    if experiment["changes"]:
        cells = [[f"`{n}`", f"`{v}`"] for n, v in experiment["changes"].items()]
        yield "Set for all:\n"
        yield table(["setting", "value"], cells)
    if not experiment["differences"]:
        yield "No other setting differs.\n"
        return
    yield "What differs:\n"
    cells = [
        [f"`{field}`", *(f"`{value!r}`" for value in row)]
        for field, row in experiment["differences"].items()
    ]
    yield table(["setting", *names], cells)
