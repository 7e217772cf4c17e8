"""Success and precision plots of trackers, in the words of a protocol."""

from collections.abc import Sequence

from jaxtrack.evaluation import plots
from jaxtrack.evaluation.compare import PRIMARY, TrackerScores
from jaxtrack.metrics import ope


def draw(
    scores: Sequence[TrackerScores], *, primary: str = PRIMARY
) -> dict[str, bytes]:
    """Draws the three curves of all trackers; legends hold what the protocol quotes.

    Args:
      scores: of the trackers; their order gives the colours.
      primary: the protocol whose curves are drawn.

    Returns:
      "success", "precision" and "norm_precision" -> PNG.
    """
    reports = {s.name: s.reports[primary] for s in scores}
    protocol = scores[0].reports[primary].protocol
    sign = "≥" if protocol.at_least else ">"
    pixels, sizes = ope.PRECISION_AT_PX, ope.NORM_PRECISION_AT
    norm_quoted = _quoted(protocol.norm_precision_is, f"{sizes:g}")
    return {
        "success": plots.curve_plot(
            protocol.success_thresholds,
            {n: (r.success_curve, r.auc) for n, r in reports.items()},
            title="Success [AUC]",
            xlabel="IoU threshold",
            ylabel=f"share of frames with IoU {sign} threshold",
        ),
        "precision": plots.curve_plot(
            protocol.precision_thresholds,
            {n: (r.precision_curve, r.precision) for n, r in reports.items()},
            title=f"Precision [{_quoted(protocol.precision_is, f'{pixels:g} px')}]",
            xlabel="centre error, px",
            ylabel="share of frames",
            mark=pixels if protocol.precision_is == "at" else None,
        ),
        "norm_precision": plots.curve_plot(
            protocol.norm_thresholds,
            {n: (r.norm_precision_curve, r.norm_precision) for n, r in reports.items()},
            title=f"Norm. precision [{norm_quoted}]",
            xlabel="centre error in widths and heights of the target",
            ylabel="share of frames",
            mark=sizes if protocol.norm_precision_is == "at" else None,
        ),
    }


def _quoted(kind: str, at: str) -> str:
    """Which number of a curve the legend holds."""
    return {"at": f"at {at}", "mean": "mean of the curve", "area": "AUC"}[kind]
