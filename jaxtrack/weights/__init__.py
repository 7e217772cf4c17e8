"""Weights from elsewhere: PyTorch's state dicts and ImageNet's networks."""

from jaxtrack.weights.pickles import read_torch
from jaxtrack.weights.pretrained import imagenet_lite0, load_pretrained, read_arrays
from jaxtrack.weights.torch import from_state_dict, to_state_dict, unwrap

__all__ = [
    "from_state_dict",
    "imagenet_lite0",
    "load_pretrained",
    "read_arrays",
    "read_torch",
    "to_state_dict",
    "unwrap",
]
