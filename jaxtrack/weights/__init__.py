"""Weights in files: trackers that ship, PyTorch's state dicts, ImageNet's networks."""

from jaxtrack.weights.pickles import read_torch
from jaxtrack.weights.pretrained import (
    check_backbone,
    from_state_dict,
    imagenet_lite0,
    import_state_dict,
    load_pretrained,
    read_arrays,
    to_state_dict,
)
from jaxtrack.weights.torch import unwrap

__all__ = [
    "check_backbone",
    "from_state_dict",
    "imagenet_lite0",
    "import_state_dict",
    "load_pretrained",
    "read_arrays",
    "read_torch",
    "to_state_dict",
    "unwrap",
]
