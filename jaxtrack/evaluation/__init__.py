"""Scores of trackers: metrics, result files, runs over sequences, plots, a report."""

from jaxtrack.evaluation.dialects import DIALECTS, Dialect
from jaxtrack.evaluation.ope import OpeReport, SequenceScore, score

__all__ = ["DIALECTS", "Dialect", "OpeReport", "SequenceScore", "score"]
