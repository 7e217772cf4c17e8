"""Composed videos with exact boxes, for training and for held-out evaluation."""

from jaxtrack.data.composed.compose import SceneSettings
from jaxtrack.data.composed.source import ComposedSource
from jaxtrack.data.composed.write import write_sequences

__all__ = ["ComposedSource", "SceneSettings", "write_sequences"]
