"""Words and numbers of single sections of the page, for their templates."""

import re
from typing import Any

import numpy as np

from jaxtrack.datasets import Benchmark
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.evaluation.scoring import TrackerScores
from jaxtrack.metrics.ope import OpeReport, SequenceScore
from jaxtrack.metrics.protocols import OpeProtocol

_TITLES = {
    "got10k_test": "GOT-10k test",
    "got10k_val": "GOT-10k val",
    "lasot": "LaSOT",
    "lasot_extension": "LaSOT extension",
    "nfs30": "NfS30",
    "otb100": "OTB100",
    "otb50": "OTB50",
    "tnl2k": "TNL2K",
    "trackingnet": "TrackingNet",
    "uav123": "UAV123",
    "vot2018": "VOT2018",
    "vot2019": "VOT2019",
}
_FIRST = {
    "replaced": "the first frame counted as right",
    "counted": "the first frame counted",
    "dropped": "the first frame left out",
}


def title_of(benchmark: Benchmark) -> str:
    """What figures call a benchmark; plain folders go by the folder's name."""
    if benchmark.name == "folders":
        return benchmark.root.name
    return _TITLES.get(benchmark.name, benchmark.name)


def rules(protocol: OpeProtocol) -> str:
    """Which AUC a number is: whose rules, how many thresholds, which frames."""
    count = len(protocol.success_thresholds)
    return f"{protocol.name}: {count} thresholds, {_FIRST[protocol.first_frame]}"


def frames(protocol: OpeProtocol) -> str:
    """Whose rules give a number, and what the first frame does there."""
    return f"{protocol.name}: {_FIRST[protocol.first_frame]}"


def lead(found: Evaluation) -> str:
    """How much was scored, by which rules, and who is best.

    Args:
      found: of one pass, or with restarts.
    """
    if found.restarts:
        return (
            f"Trackers: {len(found.restarts)}, sequences: "
            f"{len(found.benchmark.videos)}, each started anew after failures."
        )
    scores, primary = found.scores, found.primary
    best = max(scores, key=lambda s: np.nan_to_num(s.reports[primary].auc, nan=-1))
    lengths = [len(boxes) for boxes in scores[0].predicted.values()]
    return (
        f"{len(scores)} tracker{'s' * (len(scores) > 1)}, {len(lengths)} "
        f"sequence{'s' * (len(lengths) > 1)}, {sum(lengths)} frames, scored by the "
        f"rules of {rules(best.reports[primary].protocol)}. "
        f"{'Best: ' * (len(scores) > 1)}{best.name}, "
        f"AUC {best.reports[primary].auc:.3f}."
    )


def notes(found: Evaluation) -> list[str]:
    """What a reader must see before any number.

    Args:
      found: of one pass, or with restarts.

    Returns:
      Sentences: notes, what was left out, and what VOT's scores cut.
    """
    left_out = [f"Left out for all trackers: {n}: {why}" for n, why in found.skipped]
    cut = [f"{n}: {w}" for n, r in found.restarts.items() for w in r.warnings]
    return [*found.notes, *left_out, *cut]


def warnings(found: Evaluation) -> tuple[list[str], dict[int, list[str]]]:
    """Sorts what the primary protocol found odd by whether it concerns all trackers.

    Args:
      found: of one pass.

    Returns:
      Sentences that concern all trackers; place of a tracker -> those on it alone.
    """
    told = [s.reports[found.primary].warnings for s in found.scores]
    shared = [w for w in told[0] if all(w in others for others in told)]
    own = {
        place: [*s.notes, *(w for w in warned if w not in shared)]
        for place, (s, warned) in enumerate(zip(found.scores, told, strict=True))
    }
    return (shared, {place: said for place, said in own.items() if said})


def unusable(report: OpeReport) -> str:
    """How many frames a protocol cannot use, and where most of them are.

    Args:
      report: by that protocol.

    Returns:
      A sentence; "" where it can use all.
    """
    frames = {n: s.num_unusable for n, s in report.sequences.items()}
    if not any(frames.values()):
        return ""
    most = max(frames, key=frames.get)
    return (
        f"{sum(frames.values())} frames have no ground truth that it accepts; most in "
        f"{most} ({frames[most]})."
    )


def brief(tracker: TrackerScores) -> str:
    """The single facts of how a tracker's results were made, as far as is known.

    Args:
      tracker: perhaps with a manifest.
    """
    made = tracker.manifest or {}
    around, identity = made.get("environment", {}), made.get("identity", {})
    known: dict[str, Any] = {**identity, **around, **around.get("versions", {})}
    text = ", ".join(
        f"{key} {_shortened(str(value))}"
        for key, value in known.items()
        if not isinstance(value, dict | list)
    )
    return text or "result files; how they were made is not recorded"


def _shortened(value: str) -> str:
    """The beginning of a long fact; of a hash, enough to know it by."""
    return value[:12] if re.fullmatch("[0-9a-f]{32,}", value) else value[:80]


def line(one: SequenceScore, num_frames: int, width: float, height: float) -> str:
    """The overlap over the frames of a sequence, as SVG lists the corners of a line.

    Args:
      one: a tracker's scores on it.
      num_frames: of the sequence, from left to right.
      width: of the drawing.
      height: of the drawing; the IoU is 1 at the top.
    """
    frames, iou = one.first_repetition()
    x = frames / max(num_frames - 1, 1) * width
    y = (1 - np.clip(iou, 0, 1)) * height
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
