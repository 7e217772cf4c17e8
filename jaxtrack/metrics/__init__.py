"""Scores of boxes: one-pass evaluation and VOT; imports numpy alone."""

from jaxtrack.metrics import ope, vot

__all__ = ["ope", "vot"]
