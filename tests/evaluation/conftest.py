"""Fixtures of evaluation's tests."""

from tests.evaluation.fixtures import checkpoints, root, scores, videos

__all__ = ["checkpoints", "root", "scores", "videos"]
