"""Sections of the page for the analyses of checkpoints."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxtrack.evaluation.analysis.outcome import Analyses, Heatmaps, Sweep
from jaxtrack.evaluation.scoring import PRIMARY
from jaxtrack.report.plots import analysis as plots
from jaxtrack.report.plots import style
from jaxtrack.report.sections import Picture, Section, drawing
from jaxtrack.report.tables import Column, Row, Table

_ALIGNED = {
    "correlation": Column("Rank corr.", "of the 100 most confident overlapping boxes"),
    "all_correlation": Column(
        "All overlapping", "the same over all boxes with IoU > 0"
    ),
    "regret": Column("Regret", "best IoU minus IoU of the most confident box"),
    "best_iou": Column("Best IoU", "of any box of the frame"),
    "chosen_iou": Column("IoU chosen", "of the most confident box"),
    "num_frames": Column("Frames", "analyzed", digits=0),
    "num_left_out": Column("Left out", "too few boxes to rank", digits=0),
}
_ALIGNMENT_NOTE = (
    "Each tracker searches around the ground truth of the previous frame, so all see "
    "the same crops. Rank correlation: Spearman's, of confidence and IoU, over the 100 "
    "most confident boxes of a frame that overlap the target; mean over frames, then "
    "over sequences. Regret: the IoU lost by choosing the most confident box instead "
    "of the best."
)
_SWEPT = (
    Column("Spread", "largest minus smallest AUC"),
    Column("AUC at 0", "without a window"),
    Column("Best AUC"),
    Column("at", "the weight with the best AUC", digits=2),
    Column("Configured", "the weight in the checkpoint's settings", digits=2),
)
_SWEEP_NOTE = (
    "The same checkpoint with other weights of the cosine window, all else as "
    "configured. A tracker that does not depend on the window has little spread and "
    "keeps its AUC at 0."
)
_HEATMAPS_NOTE = (
    "The search region around the ground truth of the previous frame. White: ground "
    "truth; in the tracker's color: the box of its most confident cell. All maps have "
    "a scale from 0 to 1. Confidence is classification and location quality combined, "
    "before penalty and window."
)


def analyses(results: Analyses) -> list[Section]:
    """Returns a section for each analysis that was run.

    Args:
      results: by the analyses.

    Returns:
      The sections.
    """
    sections = []
    if results.alignment is not None:
        sections.append(alignment_section(results.alignment))
    if results.heatmaps is not None:
        sections.append(heatmaps_section(results.heatmaps))
    if results.window_sweep is not None:
        sections.append(sweep_section(results.window_sweep))
    return sections


def alignment_section(alignment: Mapping[str, Mapping[str, Any]]) -> Section:
    """Shows rank correlations, the regret and a scatter plot of each tracker.

    Args:
      alignment: tracker -> result of `alignment.measure`; the same sequences for all.

    Returns:
      The section.
    """
    rows, pictures = [], []
    for place, (name, one) in enumerate(alignment.items()):
        overall = one["overall"]
        rows.append(Row(name, [overall[key] for key in _ALIGNED], place))
        points = [np.reshape(s["points"], (-1, 2)) for s in one["sequences"].values()]
        figure = plots.alignment_plot(
            np.concatenate(points),
            color=style.color_of(place),
            title=f"{name} [{shown(overall['correlation'])}]",
        )
        pictures.append(drawing(f"alignment_{name}", figure))
    overall = Table("Tracker", list(_ALIGNED.values()), rows)
    return Section(
        key="alignment",
        title="Confidence against IoU",
        note=_ALIGNMENT_NOTE,
        tables=[overall, _aligned_sequences(alignment)],
        pictures=pictures,
    )


def _aligned_sequences(alignment: Mapping[str, Mapping[str, Any]]) -> Table:
    """Tabulates rank correlation and regret of each tracker, one row per sequence."""
    columns = [
        Column(f"{name}: {head}")
        for name in alignment
        for head in ("rank corr.", "regret")
    ]
    by_tracker = [one["sequences"] for one in alignment.values()]
    rows = [
        Row(name, [by[name][k] for by in by_tracker for k in ("correlation", "regret")])
        for name in by_tracker[0]
    ]
    return Table("Sequence", columns, rows, title="by sequence")


def sweep_section(swept: Mapping[str, Sweep]) -> Section:
    """Shows AUC against the weight of the window.

    Args:
      swept: tracker -> its sweep; the same weights for all.

    Returns:
      The section.
    """
    rows = []
    for place, (name, one) in enumerate(swept.items()):
        auc = one.auc[PRIMARY]
        best = int(np.argmax(auc))
        values = (one.spread(), one.at_zero(), auc[best], one.windows[best])
        rows.append(Row(name, (*values, one.own_window), place))
    by_share = [
        Row(f"{window:g}", [one.auc[PRIMARY][k] for one in swept.values()])
        for k, window in enumerate(next(iter(swept.values())).windows)
    ]
    curves = {name: (one.windows, one.auc[PRIMARY]) for name, one in swept.items()}
    columns = [Column(name) for name in swept]
    return Section(
        key="window_sweep",
        title="AUC against the weight of the window",
        note=_SWEEP_NOTE,
        tables=[
            Table("Tracker", _SWEPT, rows),
            Table("Weight", columns, by_share, title="by weight"),
        ],
        pictures=[drawing("window_sweep", plots.sweep_plot(curves))],
    )


def heatmaps_section(heatmaps: Heatmaps) -> Section:
    """Shows the maps as pictures.

    Args:
      heatmaps: maps on sequences.

    Returns:
      The section.
    """
    pictures = [
        Picture(f"heatmaps/{name}.jpg", plots.heatmaps(views), name)
        for name, views in heatmaps.views.items()
    ]
    return Section(
        key="heatmaps",
        title="Heat maps",
        note=_HEATMAPS_NOTE,
        pictures=pictures,
        is_wide=True,
    )


def shown(value: float | None) -> str:
    """Formats a number for a sentence."""
    return "none" if value is None else f"{value:.3f}"
