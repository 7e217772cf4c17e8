"""Composed videos with exact boxes, for training and for held-out evaluation."""

from jaxtrack.data.synthetic.compose import SceneSettings
from jaxtrack.data.synthetic.source import SyntheticSource
from jaxtrack.data.synthetic.write import write_sequences

__all__ = ["SceneSettings", "SyntheticSource", "write_sequences"]
