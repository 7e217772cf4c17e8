"""One-pass evaluation: overlap and center error of boxes, as curves and numbers.

Plain numpy in float64. Boxes are xywh (x, y of the top-left corner, width, height,
px) as result files hold them. Rules that toolkits disagree about are in `protocols`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.metrics import faults
from jaxtrack.metrics.curves import curves_of, numbers_of
from jaxtrack.metrics.frames import Frames, frame_values, truth_warnings
from jaxtrack.metrics.protocols import OpeProtocol, protocol_named

# Numbers of a report, in the order of its tables.
NUMBERS = ("auc", "precision", "norm_precision", "ao", "sr50", "sr75")


@dataclass(frozen=True)
class SequenceScore:
    """One tracker on one sequence, N' frames of it; all numbers are in [0, 1].

    Attributes:
      auc: mean of the success curve, or the area under it, as the protocol says.
      precision: share of frames whose center error is at most 20 px, or the area.
      norm_precision: share whose normalized center error is at most 0.2, or the mean
        of the curve, or the area.
      ao: mean IoU; a frame of IoU -1 adds 0, or does not count (pytracking).
      sr50: share of frames with IoU > 0.5 (>= where the protocol says so).
      sr75: share of frames with IoU > 0.75.
      success_curve: share of frames above each IoU threshold.
      precision_curve: share of frames within each center error.
      norm_precision_curve: share of frames within each normalized center error.
      frames: indices of the counted frames, `[N']`; those of repetitions follow each
        other.
      iou: `[N']`; -1 never succeeds.
      center_error: `[N']`, px; -1 is always precise, inf never.
      norm_error: `[N']`; the same.
      num_unusable: ground-truth rows that the protocol does not accept.
      num_first: counted frames of the first repetition.
    """

    auc: float
    precision: float
    norm_precision: float
    ao: float
    sr50: float
    sr75: float
    success_curve: np.ndarray
    precision_curve: np.ndarray
    norm_precision_curve: np.ndarray
    frames: np.ndarray
    iou: np.ndarray
    center_error: np.ndarray
    norm_error: np.ndarray
    num_unusable: int
    num_first: int

    def first_repetition(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the counted frames of the first repetition, and their IoU."""
        return self.frames[: self.num_first], self.iou[: self.num_first]


@dataclass(frozen=True)
class OpeReport:
    """One tracker on a set of sequences; numbers are as in `SequenceScore`.

    Attributes:
      protocol: the rules that made the numbers.
      auc: of the success curve.
      precision: of the precision curve.
      norm_precision: of the normalized precision curve.
      ao: average overlap.
      sr50: success rate at 0.5.
      sr75: success rate at 0.75.
      success_curve: over `protocol.success_thresholds`.
      precision_curve: over `protocol.precision_thresholds`.
      norm_precision_curve: over `protocol.norm_thresholds`.
      sequences: the same for each sequence.
      warnings: sentences on what was not as it should be: results repaired or missing,
        ground truth that the rules do not accept, arguments left out.
    """

    protocol: OpeProtocol
    auc: float
    precision: float
    norm_precision: float
    ao: float
    sr50: float
    sr75: float
    success_curve: np.ndarray
    precision_curve: np.ndarray
    norm_precision_curve: np.ndarray
    sequences: dict[str, SequenceScore]
    warnings: tuple[str, ...] = ()


def _score_frames(repetitions: list[Frames], protocol: OpeProtocol) -> SequenceScore:
    """Sums up one sequence; the frames of all repetitions are pooled."""
    pooled = {
        key: np.concatenate([getattr(values, key) for values in repetitions])
        for key in ("frames", "iou", "center_error", "norm_error")
    }
    measured = pooled["iou"], pooled["center_error"], pooled["norm_error"]
    over = sum(values.total for values in repetitions)
    curves = curves_of(*measured, over, protocol)
    if protocol.ao_over == "usable":
        over = max(1, int(np.sum(pooled["iou"] >= 0)))
    return SequenceScore(
        **curves,
        **numbers_of(curves, protocol),
        **pooled,
        ao=float(np.sum(np.maximum(pooled["iou"], 0.0)) / over),
        num_unusable=repetitions[0].num_unusable,
        num_first=len(repetitions[0].frames),
    )


def _average(
    scores: list[SequenceScore], protocol: OpeProtocol, warnings: list[str]
) -> dict:
    """The report's curves and numbers from those of the sequences."""
    if protocol.averaging == "frames":
        pooled = [
            np.concatenate([getattr(score, key) for score in scores])
            for key in ("iou", "center_error", "norm_error")
        ]
        curves = curves_of(*pooled, len(pooled[0]), protocol)
        ao = float(np.mean(np.maximum(pooled[0], 0.0)))
        return curves | numbers_of(curves, protocol) | {"ao": ao}
    curves = {}
    for key in ("success_curve", "precision_curve", "norm_precision_curve"):
        rows = np.array([getattr(score, key) for score in scores])
        if protocol.drops_zero_curves:
            rows = _drop_zeros(rows, key.replace("_", " "), protocol, warnings)
        curves[key] = rows.mean(axis=0)
    ao = float(np.mean([score.ao for score in scores]))
    return curves | numbers_of(curves, protocol) | {"ao": ao}


def _score_sequence(name, rows, boxes, protocol, labels):
    """Scores one sequence; returns its warnings, too."""
    truth = faults.check_boxes(rows, "ground truth")
    repetitions = _repetitions(np.zeros_like(truth) if boxes is None else boxes)
    flags = [
        faults.check_flags(labels[0], name, len(truth), "absent"),
        faults.check_flags(labels[1], name, len(truth), "cover"),
        faults.check_size(labels[2], name),
    ]
    measured, warnings = [], []
    for number, repetition in enumerate(repetitions, start=1):
        predicted = faults.check_boxes(repetition, "results")
        values, texts, fixed_truth = _measure(name, truth, predicted, protocol, flags)
        of = f"repetition {number}: " if len(repetitions) > 1 else ""
        measured.append(values)
        warnings += [of + text for text in texts]
    warnings += truth_warnings(fixed_truth, measured[-1], protocol)
    return _score_frames(measured, protocol), warnings


def _repetitions(boxes) -> list:
    """Returns the repetitions of a sequence as a list."""
    is_several = isinstance(boxes, list | tuple) and boxes and np.ndim(boxes[0]) == 2
    return list(boxes) if is_several else [boxes]


def _measure(name, truth, predicted, protocol, flags):
    """Repairs one repetition and measures its frames; returns warnings and truth."""
    absent, cover, size_wh = flags
    fixed = faults.fix_results(name, truth, predicted, protocol)
    values = frame_values(
        fixed.truth,
        fixed.predicted,
        protocol,
        absent=None if absent is None else absent[fixed.start :],
        cover=None if cover is None else cover[fixed.start :],
        size_wh=size_wh,
    )
    values = replace(values, frames=values.frames + fixed.start)
    return values, fixed.warnings, fixed.truth


def _drop_zeros(rows, what, protocol, warnings) -> np.ndarray:
    """Leaves out the curves that are 0 everywhere."""
    kept = rows[rows.sum(axis=1) > np.finfo(np.float64).eps]
    if not len(kept):
        raise InputError(
            f"the {what} is 0 everywhere: {protocol.name!r} leaves such sequences out, "
            "and none remains: check that results and ground truth belong together"
        )
    if missing := len(rows) - len(kept):
        warnings.append(
            f"{missing} sequences whose {what} is 0 everywhere are left out of its mean"
        )
    return kept


def score(
    ground_truth: Mapping[str, np.ndarray],
    results: Mapping[str, np.ndarray | Sequence[np.ndarray]],
    *,
    protocol: str,
    absent: Mapping[str, np.ndarray] | None = None,
    cover: Mapping[str, np.ndarray] | None = None,
    image_size: Mapping[str, tuple[float, float]] | None = None,
) -> OpeReport:
    """Scores one tracker's boxes the way a toolkit does.

    Wu et al., "Object Tracking Benchmark" (success and precision); Huang et al.,
    GOT-10k (AO, SR); Mueller et al., TrackingNet (normalized precision). Numbers are
    shares in [0, 1], also where a toolkit prints percents, but what they are follows
    the toolkit: `protocols.PROTOCOLS` holds the rules. Results that a toolkit repairs
    are repaired and named in the warnings; what makes it crash or answer NaN is
    refused.

    Args:
      ground_truth: name of a sequence -> `[N, 4]` xywh, px; rows without a target are
        NaN or have no size.
      results: name -> `[N, 4]` xywh, px, of at least the same sequences; or a list of
        them, repetitions, whose frames are pooled, as the GOT-10k toolkit does.
      protocol: key of `protocols.PROTOCOLS`.
      absent: name -> `[N]`, nonzero where the target is absent, which is LaSOT's own
        meaning; pysot's files hold the opposite under that name. Read by "lasot",
        "pysot_lasot" and "pytracking_lasot".
      cover: name -> `[N]`, 0 (hidden) to 8 (visible). Read by "got10k".
      image_size: name -> (width, height), px, to bound boxes by. Read by "got10k".

    Returns:
      The report; means are over sequences or frames as the protocol says.

    Raises:
      InputError: unknown protocol, nothing to score, a sequence without results, flags
        or image size, or boxes that the toolkit cannot score.
    """
    rules = protocol_named(protocol)
    warnings = faults.name_warnings(ground_truth, results, rules)
    warnings += faults.argument_warnings(rules, absent, cover, image_size)
    labels = _labels(rules, absent, cover, image_size)
    sequences = {}
    for name, rows in ground_truth.items():
        try:
            sequences[name], texts = _score_sequence(
                name, rows, results.get(name), rules, labels
            )
        except InputError as fault:
            raise InputError(f"sequence {name}: {fault}") from None
        warnings += [f"sequence {name}: {text}" for text in texts]
    average = _average(list(sequences.values()), rules, warnings)
    return OpeReport(
        protocol=rules, sequences=sequences, warnings=tuple(warnings), **average
    )


def refusals(
    ground_truth: Mapping[str, np.ndarray],
    results: Mapping[str, np.ndarray | Sequence[np.ndarray]],
    *,
    protocol: str,
    absent: Mapping[str, np.ndarray] | None = None,
    cover: Mapping[str, np.ndarray] | None = None,
) -> dict[str, str]:
    """Finds the sequences that a toolkit cannot score.

    Args:
      ground_truth: as `score` takes it.
      results: the same, of all of these sequences.
      protocol: key of `protocols.PROTOCOLS`.
      absent: as `score` takes it.
      cover: the same.

    Returns:
      Name -> why `score` would refuse it.
    """
    rules, reasons = protocol_named(protocol), {}
    labels = _labels(rules, absent, cover, None)
    for name, rows in ground_truth.items():
        try:
            _score_sequence(name, rows, results[name], rules, labels)
        except InputError as fault:
            reasons[name] = str(fault)
    return reasons


def _labels(rules: OpeProtocol, absent, cover, image_size) -> tuple:
    """Returns the flags and sizes that a protocol reads."""
    return (
        absent if rules.absent != "ignored" else None,
        cover if rules.reads_cover else None,
        image_size if rules.bound_to_image else None,
    )
