"""Curves of success, precision and normalized precision."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from jaxtrack.evaluation.compare import PRIMARY, TrackerScores
from jaxtrack.metrics import curves as curves_lib
from jaxtrack.report import wording
from jaxtrack.report.plots import style


def draw(
    scores: Sequence[TrackerScores], *, primary: str = PRIMARY, benchmark: str = ""
) -> dict[str, Figure]:
    """Draws the three plots of all trackers; legends have the protocol's scores.

    Args:
      scores: of the trackers; their order gives the colors.
      primary: the protocol whose curves are drawn.
      benchmark: its name, for the titles.

    Returns:
      "success", "precision" and "norm_precision" -> figure.
    """
    reports = {s.name: s.reports[primary] for s in scores}
    protocol = scores[0].reports[primary].protocol
    sign = "≥" if protocol.at_least else ">"
    pixels, sizes = curves_lib.PRECISION_AT_PX, curves_lib.NORM_PRECISION_AT
    quoted = _quoted(protocol.norm_precision_is, f"{sizes:g}")
    where = f" on {benchmark}" if benchmark else ""
    at = _quoted(protocol.precision_is, f"{pixels:g} px")
    note = wording.frames(protocol)
    return {
        "success": curve_plot(
            protocol.success_thresholds,
            {n: (r.success_curve, r.auc) for n, r in reports.items()},
            title=f"Success{where} [AUC]",
            note=wording.rules(protocol),
            xlabel="IoU threshold",
            ylabel=f"fraction of frames with IoU {sign} threshold",
        ),
        "precision": curve_plot(
            protocol.precision_thresholds,
            {n: (r.precision_curve, r.precision) for n, r in reports.items()},
            title=f"Precision{where} [{at}]",
            note=note,
            xlabel="center error, px",
            ylabel="fraction of frames",
            mark=pixels if protocol.precision_is == "at" else None,
        ),
        "norm_precision": curve_plot(
            protocol.norm_thresholds,
            {n: (r.norm_precision_curve, r.norm_precision) for n, r in reports.items()},
            title=f"Norm. precision{where} [{quoted}]",
            note=note,
            xlabel="center error, relative to the target's width and height",
            ylabel="fraction of frames",
            mark=sizes if protocol.norm_precision_is == "at" else None,
        ),
    }


def _quoted(kind: str, at: str) -> str:
    """Describes which number of a curve the legend has."""
    return {"at": f"at {at}", "mean": "mean of the curve", "area": "AUC"}[kind]


@style.styled
def curve_plot(
    thresholds: Sequence[float],
    curves: Mapping[str, tuple[np.ndarray, float]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    note: str = "",
    mark: float | None = None,
) -> Figure:
    """Draws one curve per tracker; the legend is sorted by score.

    Args:
      thresholds: `[T]`, the x axis.
      curves: tracker -> (`[T]` fractions in [0, 1], the score in the legend). Its
        order gives the colors. NaN is not drawn, and ranks last.
      title: above the axes.
      xlabel: with its unit.
      ylabel: of the fractions.
      note: below the title.
      mark: threshold at which the score is read; drawn as a thin line.

    Returns:
      The figure; wider if many trackers need a legend beside the axes.
    """
    ranked = sorted(
        enumerate(curves.items()),
        key=lambda item: -np.nan_to_num(item[1][1][1], nan=-1),
    )
    labels = [style.label(name, score) for _, (name, (_, score)) in ranked]
    figure, axes = style.axes_of(title, xlabel, ylabel, note=note)
    if mark is not None:
        axes.axvline(mark, color="0.75", linewidth=1, zorder=1)
    lines = []
    for rank, (place, (_, (curve, _))) in enumerate(ranked):
        lines += axes.plot(
            thresholds,
            curve,
            **style.line_of(place),
            markevery=(2, max(1, len(thresholds) // 6)),
            linewidth=2 if len(curves) <= 12 else 1.6,
            zorder=3 + (1 - rank / len(ranked)),  # Better trackers are on top.
        )
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.set_ylim(0, 1.005)
    style.legend(axes, lines, labels)
    return figure
