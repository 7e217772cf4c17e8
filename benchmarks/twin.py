"""The same networks in plain PyTorch: what jaxtrack's speed is measured against.

Weights come from jaxtrack's variables, so that both can be given one input and must
answer the same. Images are `[B, 3, H, W]` float32, preprocessed; outputs have the names
of jaxtrack's and channels second. Batch normalizations of the backbone are folded into
its convolutions where it stays frozen, as jaxtrack does.
"""

import torch
from ml_collections import ConfigDict

from benchmarks.twin_frame import Twin, fold
from benchmarks.twin_lite0 import lite0
from benchmarks.twin_resnet import released
from jaxtrack import trackers
from jaxtrack.weights.torch import state_dict_of


def build(config: ConfigDict, variables, *, frozen: bool = True) -> Twin:
    """Builds the twin of a network with the same weights, in evaluation mode.

    Args:
      config: of SiamCAR on ResNet-50, ResNet-18 or, small and with pixel-wise
        correlation, on EfficientNet-Lite0.
      variables: of jaxtrack's model.
      frozen: the backbone is never trained: its normalizations are folded, and no
        gradient enters it.

    Returns:
      A module; see `Twin`.
    """
    networks = {
        "efficientnet_lite0": lite0,
        "resnet18": lambda: released(False, (2, 2, 2, 2)),
        "resnet50": lambda: released(True, (3, 4, 6, 3)),
    }
    twin = networks[config.model.backbone]().eval()
    family = trackers.family_of(config)
    arrays = state_dict_of(family.names(config), variables)
    state = {k: torch.tensor(v) for k, v in arrays.items()}
    missing, unexpected = twin.load_state_dict(state, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"twin: missing {missing}, unexpected {unexpected}")
    if config.model.backbone == "efficientnet_lite0":
        twin.backbone.measure()
    if frozen:
        twin.backbone.requires_grad_(False)
        fold(twin.backbone)
    return twin.to(memory_format=torch.channels_last)
