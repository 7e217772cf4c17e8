"""The same networks in plain PyTorch: what jaxtrack's speed is measured against.

Weights come from jaxtrack's variables, so that both can be given one input and must
answer the same. Images are `[B, 3, H, W]` float32, preprocessed; outputs have the names
of jaxtrack's and channels second. Batch normalisations of the backbone are folded into
its convolutions where it stays frozen, as jaxtrack does.
"""

import torch

from benchmarks.twin_frame import Twin, fold
from benchmarks.twin_lite0 import lite0
from benchmarks.twin_resnet import released
from jaxtrack.weights import to_state_dict


def build(name: str, variables, *, frozen: bool = True) -> Twin:
    """Builds the twin of a network with the same weights, in evaluation mode.

    Args:
      name: "siamcar_r50", "siamcar_r18" or "siamcar_lite0" (pixel-wise correlation).
      variables: of jaxtrack's model.
      frozen: the backbone is never trained: its normalisations are folded, and no
        gradient enters it.

    Returns:
      A module; see `Twin`.
    """
    networks = {
        "siamcar_lite0": lite0,
        "siamcar_r18": lambda: released(False, (2, 2, 2, 2)),
        "siamcar_r50": lambda: released(True, (3, 4, 6, 3)),
    }
    twin = networks[name]().eval()
    state = {k: torch.tensor(v) for k, v in to_state_dict(name, variables).items()}
    missing, unexpected = twin.load_state_dict(state, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    if missing or unexpected:
        raise ValueError(f"{name}: missing {missing}, unexpected {unexpected}")
    if name == "siamcar_lite0":
        twin.backbone.measure()
    if frozen:
        twin.backbone.requires_grad_(False)
        fold(twin.backbone)
    return twin.to(memory_format=torch.channels_last)
