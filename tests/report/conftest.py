"""Fixtures of the report's tests."""

from tests.evaluation.fixtures import found, root, scores, videos

__all__ = ["found", "root", "scores", "videos"]
