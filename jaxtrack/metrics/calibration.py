"""Calibration of a tracker's score: ROC, reliability, and a threshold for alarms."""

from typing import NamedTuple

import numpy as np

from jaxtrack.metrics.statistics import average_ranks


class Reliability(NamedTuple):
    """Frames in B groups of like score, the least confident first.

    Attributes:
      score: `[B]` mean score of a group.
      value: `[B]` mean of what the score is compared with.
      count: `[B]` frames of a group.
    """

    score: np.ndarray
    value: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: mean |score - value| over frames.

        Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning
        (AAAI 2015).
        """
        gaps = np.abs(self.score - self.value)
        return float(np.sum(gaps * self.count) / np.sum(self.count))


class Alarm(NamedTuple):
    """What a threshold on the score does.

    Attributes:
      recall: share of the frames to be found whose score is below it.
      false_alarms: share of the others whose score is below it.
      precision: share of the frames below it that were to be found; NaN of none.
    """

    recall: float
    false_alarms: float
    precision: float


def roc_auc(score: np.ndarray, is_positive: np.ndarray) -> float:
    """Area under the ROC curve of "the score is low" as a sign of a positive.

    The probability that a positive's score is below a negative's, ties counting half:
    Mann-Whitney's U of the ranks (Hanley and McNeil, Radiology 1982).

        auc = (P (P + 1) / 2 + P N - sum of the positives' ranks) / (P N)

    Args:
      score: `[T]`.
      is_positive: `[T]` bool, P of them, such as "the box misses the target".

    Returns:
      In [0, 1]; 0.5 of a score that tells nothing; NaN where all frames are alike.

    Raises:
      ValueError: shapes disagree, or a score is not finite.
    """
    score, is_positive = _checked(score, is_positive)
    is_positive = is_positive.astype(bool)
    positives = int(is_positive.sum())
    pairs = positives * (len(score) - positives)
    if not pairs:
        return float("nan")
    ranks = float(average_ranks(score)[is_positive].sum())
    return (positives * (positives + 1) / 2 + pairs - ranks) / pairs


def reliability(
    score: np.ndarray, value: np.ndarray, *, num_groups: int = 10
) -> Reliability:
    """Compares scores with measured values, in groups of equal size.

    Args:
      score: `[T]`, T >= 1.
      value: `[T]`, such as the IoU, or 1 where the box is right.
      num_groups: B, at most T; equal scores may lie in two groups.

    Raises:
      ValueError: shapes disagree, there is no frame, or a score is not finite.
    """
    score, value = _checked(score, value)
    if not len(score):
        raise ValueError("no frame to compare")
    order = np.argsort(score, kind="stable")
    groups = np.array_split(order, min(num_groups, len(order)))
    return Reliability(
        score=np.array([score[group].mean() for group in groups]),
        value=np.array([value[group].mean() for group in groups]),
        count=np.array([len(group) for group in groups]),
    )


def alarm(score: np.ndarray, is_positive: np.ndarray, threshold: float) -> Alarm:
    """Measures an alarm for every score below a threshold.

    Args:
      score: `[T]`.
      is_positive: `[T]` bool, what is to be found.
      threshold: on the score.

    Returns:
      The shares; NaN of no frames.

    Raises:
      ValueError: shapes disagree, or a score is not finite.
    """
    score, is_positive = _checked(score, is_positive)
    is_positive, is_below = is_positive.astype(bool), score < threshold
    return Alarm(
        recall=_mean(is_below[is_positive]),
        false_alarms=_mean(is_below[~is_positive]),
        precision=_mean(is_positive[is_below]),
    )


def fit_logistic(score: np.ndarray, value: np.ndarray) -> tuple[float, float]:
    """Fits value = sigmoid(slope (score - middle)) by maximum likelihood.

    Platt's scaling (Advances in Large Margin Classifiers, 1999) of the score itself,
    with targets in [0, 1]: cross-entropy, by Newton's method.

    Args:
      score: `[T]`.
      value: `[T]` in [0, 1], such as the IoU.

    Returns:
      Slope and middle.

    Raises:
      ValueError: shapes disagree, a score is not finite, or the fit has no maximum:
        all scores are alike, or a threshold parts 0 from 1.
    """
    score, value = _checked(score, value)
    design = np.stack([score, np.ones_like(score)], axis=1)
    weights = np.zeros(2)
    for _ in range(100):
        expected = 1 / (1 + np.exp(-np.clip(design @ weights, -500, 500)))
        spread = expected * (1 - expected)
        curvature = (design * spread[:, None]).T @ design
        if np.linalg.cond(curvature) > 1e14:
            break
        change = np.linalg.solve(curvature, design.T @ (value - expected))
        weights = weights + change
        if np.abs(change).max() < 1e-9:
            slope, offset = map(float, weights)
            return slope, -offset / slope
    raise ValueError("no such curve: all scores are alike, or they part 0 from 1")


def _checked(score, value):
    """Returns both as vectors of one length."""
    score, value = np.asarray(score, np.float64), np.asarray(value, np.float64)
    if score.ndim != 1 or score.shape != value.shape:
        raise ValueError(f"scores {score.shape}, values {value.shape}: expected [T]")
    if not np.isfinite(score).all() or not np.isfinite(value).all():
        raise ValueError("a number is not finite: leave its frame out")
    return score, value


def _mean(values):
    """Mean; NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")
