"""Training data on the host, from files to batches of pairs; never imports jax.

datasets, encoding ─► packing, build ─► sources ─► mixture, order ─► pairs
─► transforms ─► pipeline
"""

from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.data.sources import RecordSource, TrackSource

__all__ = ["Augmentation", "PairSettings", "RecordSource", "TrackSource"]
