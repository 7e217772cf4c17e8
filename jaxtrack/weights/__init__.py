"""Weights in files: trackers that ship, PyTorch's state dicts, ImageNet's networks."""

from jaxtrack.weights.files import WeightFile, read
from jaxtrack.weights.foreign import (
    from_state_dict,
    import_state_dict,
    import_tracker,
    to_state_dict,
)
from jaxtrack.weights.pretrained import (
    check_backbone,
    imagenet_lite0,
    load_pretrained,
)
from jaxtrack.weights.state_dict import unwrap

__all__ = [
    "WeightFile",
    "check_backbone",
    "from_state_dict",
    "imagenet_lite0",
    "import_state_dict",
    "import_tracker",
    "load_pretrained",
    "read",
    "to_state_dict",
    "unwrap",
]
