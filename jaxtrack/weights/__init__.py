"""Weight files: shipped trackers, PyTorch state dicts, ImageNet backbones.

The public names are imported on first use, so that digests work without jax.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "WeightFile": "files",
    "check_backbone": "pretrained",
    "from_state_dict": "foreign",
    "imagenet_lite0": "pretrained",
    "import_state_dict": "foreign",
    "import_tracker": "foreign",
    "load_pretrained": "pretrained",
    "read": "files",
    "to_state_dict": "foreign",
    "unwrap": "state_dict",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
