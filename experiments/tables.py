"""Comparisons and ablations as Markdown tables."""

from collections.abc import Mapping, Sequence
from typing import Any

_MEASURES = {"auc": "Success AUC", "alignment": "Rank correlation"}
_GROUPS = {"all": "all sequences", "always_held_out": "never trained on"}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table; all columns but the first are aligned to the right.

    Args:
      head: titles of the columns.
      rows: cells, as many as titles.
    """
    rule = ["---", *("---:" for _ in head[1:])]
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)]
    return "\n".join(lines) + "\n"


def number(value: float | None, form: str = ".3f") -> str:
    """Returns a number, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def with_spread(mean: float | None, std: float | None, form: str = ".3f") -> str:
    """Returns `mean ± std`, or the mean alone."""
    return number(mean, form) + ("" if std is None else f" ± {std:{form}}")


def minutes(seconds: float | None) -> str:
    """Returns seconds as minutes with one decimal."""
    return number(None if seconds is None else seconds / 60, ".1f")


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _overall(found: Mapping[str, Any], a: str, b: str) -> str:
    rows = []
    for measure, title in _MEASURES.items():
        for group, words in _GROUPS.items():
            one = found[measure] and found[measure][group]
            if one is None:
                rows.append([f"{title}, {words}", *["missing"] * 4])
                continue
            low, high = one["interval"]
            rows.append(
                [
                    f"{title}, {words} ({one['num_sequences']})",
                    with_spread(one["a"], one["a_std"]),
                    with_spread(one["b"], one["b_std"]),
                    number(one["difference"], "+.3f"),
                    f"{low:+.3f} to {high:+.3f}",
                ]
            )
    head = ["", a, b, "difference", f"{found['confidence']:.0%} interval"]
    return table(head, rows)


def _sequences(found: Mapping[str, Any], a: str, b: str) -> str:
    auc = found["auc"]["sequences"]
    alignment = found["alignment"] and found["alignment"]["sequences"]
    rows = []
    for name in sorted(auc, key=lambda n: _mean(auc[n][1]) - _mean(auc[n][0])):
        mine, other = (_mean(v) for v in auc[name])
        if alignment is None:
            ranks = ["missing"] * 2
        else:
            pair = alignment.get(name, (None, None))
            ranks = [number(v and _mean(v)) for v in pair]
        cells = [number(mine), number(other), number(other - mine, "+.3f"), *ranks]
        rows.append([name, *cells])
    head = ["sequence", f"AUC {a}", f"AUC {b}", "difference"]
    return table([*head, f"rank corr. {a}", f"rank corr. {b}"], rows)


def _usage(found: Mapping[str, Any]) -> str:
    rows = []
    for key in "ab":
        one = found["usage"][key]
        cells = [minutes(one["cpu_seconds"]), minutes(one["wall_seconds"])]
        count, speed = one["num_trainings"], one["frames_per_second"]
        rows.append([found["study"][key], str(count), *cells, number(speed, ".1f")])
    head = ["training", "runs", "CPU minutes", "wall minutes", "frames/s tracking"]
    return table(head, rows)


def _differing(study: Mapping[str, Any]) -> str:
    fields = study["differences"]
    if not fields:
        return "The two configs are the same.\n"
    rows = [[f"`{n}`", f"`{old!r}`", f"`{new!r}`"] for n, (old, new) in fields.items()]
    return table(["setting", study["a"], study["b"]], rows)


def caveat(seeds: Sequence[int]) -> list[str]:
    """Returns what a reader must know of an interval of one seed.

    Args:
      seeds: that the numbers are of.

    Returns:
      A paragraph, or nothing where there is no need of it.
    """
    if len(seeds) != 1:
        return []
    return [
        "Of one seed the interval leaves out how much two trainings of one tracker "
        "differ: it is too narrow.\n"
    ]


def compare_markdown(found: Mapping[str, Any]) -> str:
    """Words a comparison.

    Args:
      found: see `summary.summarise`.

    Returns:
      A Markdown document.
    """
    study = found["study"]
    a, b = study["a"], study["b"]
    seeds = ", ".join(map(str, found["seeds"]))
    folds = ", ".join(map(str, found["folds"]))
    done = f"{found['num_finished']} of {found['num_runs']} trainings"
    parts = [
        f"# {a} and {b}\n",
        f"Success AUC: {found['auc']['verdict']}\n",
    ]
    if found["alignment"]:
        verdict = found["alignment"]["verdict"]
        parts.append(f"Rank correlation of confidence and IoU: {verdict}\n")
    else:
        parts.append("Rank correlation of confidence and IoU: missing.\n")
    parts += [
        _overall(found, a, b),
        f"Each network was trained on {study['pairs']} pairs in batches of "
        f"{study['batch_size']} and tested on sequences it was not trained on. "
        f"{done} are finished; the numbers are of seeds {seeds} and folds {folds}. "
        "A sequence that several folds test counts once, with the mean over folds. "
        "± is the standard deviation over seeds of the mean over sequences. The "
        "interval is a paired bootstrap over sequences and seeds: a resample draws "
        "sequences, the same for both, and seeds, for each tracker by itself and the "
        "same for all sequences. AUC is over 21 thresholds without the first frame.\n",
        *caveat(found["seeds"]),
        "## Cost\n",
        _usage(found),
        "Means over the finished trainings, with start and compilation; measured while "
        "other runs shared the machine.\n",
        "## Sequences\n",
        _sequences(found, a, b),
        "## What differs\n",
        _differing(study),
    ]
    return "\n".join([*parts, *_overrides(study, "both")])


def ablation_markdown(found: Mapping[str, Any]) -> str:
    """Words an ablation.

    Args:
      found: see `ablation.summarise`.

    Returns:
      A Markdown document.
    """
    study, rows = found["study"], []
    for name, one in found["rows"].items():
        if not one["num_trainings"]:
            rows.append([name, *["missing"] * 5])
            continue
        rows.append(
            [
                name,
                *(
                    with_spread(one[key], one[f"{key}_std"])
                    if one[key] is not None
                    else "missing"
                    for key in ("auc", "ao", "alignment")
                ),
                minutes(one["cpu_seconds"]),
                number(one["frames_per_second"], ".1f"),
            ]
        )
    head = ["config", "AUC", "AO", "rank correlation", "CPU minutes", "frames/s"]
    seeds = "1 seed" if study["num_seeds"] == 1 else f"{study['num_seeds']} seeds"
    parts = [
        "# Ablation on composed scenes\n",
        table(head, rows),
        f"{study['pairs']} pairs a training, {seeds}; tested on "
        f"{study['num_scenes']} scenes of photographs that training never sees, "
        "without the first frame. ± is the standard deviation over seeds. Rank "
        "correlation is that of confidence and IoU. CPU minutes are of one training, "
        "with start and compilation; frames/s were measured while other runs shared "
        "the machine.\n",
    ]
    return "\n".join([*parts, *_overrides(study, "all")])


def _overrides(study: Mapping[str, Any], whom: str) -> list[str]:
    """Returns what the user set, or nothing."""
    if not study["overrides"]:
        return []
    rows = [[f"`{n}`", f"`{v!r}`"] for n, v in study["overrides"].items()]
    return [f"Set for {whom}:\n", table(["setting", "value"], rows)]
