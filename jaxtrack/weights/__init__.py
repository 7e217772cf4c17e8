"""Weights in files: trackers that ship, PyTorch's state dicts, ImageNet's networks."""

from jaxtrack.weights.files import WeightFile, read
from jaxtrack.weights.pretrained import (
    check_backbone,
    from_state_dict,
    imagenet_lite0,
    import_state_dict,
    load_pretrained,
    to_state_dict,
)
from jaxtrack.weights.state_dict import unwrap

__all__ = [
    "WeightFile",
    "check_backbone",
    "from_state_dict",
    "imagenet_lite0",
    "import_state_dict",
    "load_pretrained",
    "read",
    "to_state_dict",
    "unwrap",
]
