"""What the analyses found, as sections of the report."""

from collections.abc import Mapping, Sequence

import numpy as np

from jaxtrack.evaluation import plots
from jaxtrack.evaluation.compare import PRIMARY
from jaxtrack.evaluation.sections import Column, Picture, Section, Table
from jaxtrack.evaluation.sweep import Sweep

_ALIGNED = {
    "correlation": Column("Rank corr.", "of the 100 most confident overlapping boxes"),
    "all_correlation": Column(
        "All overlapping", "the same over all boxes with IoU > 0"
    ),
    "regret": Column("Regret", "best IoU less that of the most confident box"),
    "best_iou": Column("Best IoU", "of any box of the frame"),
    "chosen_iou": Column("IoU chosen", "of the most confident box"),
    "num_frames": Column("Frames", "looked at", digits=0),
    "num_left_out": Column("Left out", "too few boxes to rank", digits=0),
}
_ALIGNMENT_NOTE = (
    "Each tracker looks around the true box of the frame before, so all see the same "
    "pictures. Rank correlation: Spearman's, of confidence and IoU, over the 100 most "
    "confident of a frame's boxes that overlap the target; the mean over frames, then "
    "over sequences. Regret: the IoU lost by choosing the most confident box instead "
    "of the best."
)
_SWEPT = (
    Column("Spread", "largest AUC less the smallest"),
    Column("AUC at 0", "without a window"),
    Column("Best AUC"),
    Column("at", "the share with the best AUC", digits=2),
    Column("Configured", "the share that the checkpoint names", digits=2),
)
_SWEEP_NOTE = (
    "The same checkpoint with another share of the cosine window in the ranking of "
    "cells, all else as configured. A tracker that finds the target by itself has "
    "little spread and keeps its AUC at 0."
)
_HEATMAPS_NOTE = (
    "The search region around the true box of the frame before. White: the true box; "
    "in the tracker's colour: that of its most confident cell. The maps share a scale "
    "from 0 to 1. Confidence is classification and location quality combined, before "
    "penalty and window."
)


def alignment_section(found: Mapping[str, Mapping]) -> Section:
    """Rank correlations, the regret and a scatter plot of each tracker.

    Args:
      found: tracker -> "overall" and "sequences", as `alignment.read` returns them; the
        same sequences for all trackers.

    Returns:
      The section.
    """
    rows, pictures, lines = [], [], []
    for place, (name, one) in enumerate(found.items()):
        overall = one["overall"]
        rows.append(((place, name), [overall[key] for key in _ALIGNED]))
        points = [np.reshape(s["points"], (-1, 2)) for s in one["sequences"].values()]
        content = plots.alignment_plot(
            np.concatenate(points),
            color=plots.color_of(place),
            title=f"{name} [{_shown(overall['correlation'])}]",
        )
        pictures.append(Picture(f"alignment_{name}.png", content))
        lines.append(
            f"alignment of {name}: rank correlation {_shown(overall['correlation'])}, "
            f"regret {_shown(overall['regret'])} IoU, {overall['num_left_out']} of "
            f"{overall['num_frames']} frames left out"
        )
    return Section(
        key="alignment",
        title="Confidence against IoU",
        note=_ALIGNMENT_NOTE,
        numbers={name: _without_points(one) for name, one in found.items()},
        lines=lines,
        tables=[
            Table("Tracker", list(_ALIGNED.values()), rows),
            _aligned_sequences(found),
        ],
        pictures=pictures,
    )


def _aligned_sequences(found: Mapping[str, Mapping]) -> Table:
    """One row a sequence: rank correlation and regret of each tracker."""
    columns = [
        Column(f"{name}: {head}") for name in found for head in ("rank corr.", "regret")
    ]
    rows = [
        (
            sequence,
            [
                one["sequences"][sequence][key]
                for one in found.values()
                for key in ("correlation", "regret")
            ],
        )
        for sequence in next(iter(found.values()))["sequences"]
    ]
    return Table("Sequence", columns, rows, title="by sequence")


def _without_points(found: Mapping) -> dict:
    """What `report.json` holds of a tracker's alignment."""
    sequences = {
        name: {k: v for k, v in one.items() if k not in ("points", "hash")}
        for name, one in found["sequences"].items()
    }
    return {"overall": found["overall"], "sequences": sequences}


def sweep_section(swept: Mapping[str, Sweep]) -> Section:
    """AUC against the share of the window.

    Args:
      swept: tracker -> its sweep; the same shares for all.

    Returns:
      The section.
    """
    rows, lines = [], []
    for place, (name, one) in enumerate(swept.items()):
        auc = one.auc[PRIMARY]
        best = int(np.argmax(auc))
        values = (one.spread(), one.at_zero(), auc[best], one.windows[best])
        rows.append(((place, name), (*values, one.own_window)))
        lines.append(
            f"window sweep of {name}: AUC spread {one.spread():.3f}, at 0 "
            f"{_shown(one.at_zero())}, best {auc[best]:.3f} at {one.windows[best]:g}"
        )
    by_share = [
        (f"{window:g}", [one.auc[PRIMARY][i] for one in swept.values()])
        for i, window in enumerate(next(iter(swept.values())).windows)
    ]
    numbers = {
        name: {
            **one._asdict(),
            "spread": one.spread(),
            "at_zero": one.at_zero(),
        }
        for name, one in swept.items()
    }
    plot = plots.sweep_plot(
        {name: (one.windows, one.auc[PRIMARY]) for name, one in swept.items()},
        title="Success against the window",
        xlabel="share of the window",
        ylabel="AUC",
    )
    columns = [Column(name) for name in swept]
    return Section(
        key="window_sweep",
        title="Success against the share of the window",
        note=_SWEEP_NOTE,
        numbers=numbers,
        lines=lines,
        tables=[
            Table("Tracker", _SWEPT, rows),
            Table("Share", columns, by_share, title="by share"),
        ],
        pictures=[Picture("window_sweep.png", plot)],
    )


def heatmaps_section(
    drawn: Mapping[str, bytes], frames: Mapping[str, Sequence[int]]
) -> Section:
    """Pictures of maps.

    Args:
      drawn: sequence -> JPEG.
      frames: sequence -> the frames chosen of it; empty where there was none to draw.

    Returns:
      The section.
    """
    lines = [
        f"heat maps of {name}: "
        + (f"frames {', '.join(map(str, f))}" if f else "no later frame has a true box")
        for name, f in frames.items()
    ]
    pictures = [Picture(f"heatmaps/{n}.jpg", jpeg, n) for n, jpeg in drawn.items()]
    return Section(
        key="heatmaps",
        title="What the networks see",
        note=_HEATMAPS_NOTE,
        numbers={name: list(f) for name, f in frames.items()},
        lines=lines,
        pictures=pictures,
        is_wide=True,
    )


def _shown(value: float | None) -> str:
    """A number of the printed lines."""
    return "none" if value is None else f"{value:.3f}"
