"""RPN-EffB0: the head of SiamRPN++ on EfficientNet-B0.

Paper: none; it replaces CoSiamRPN (Tan et al., JVCI 80, 103299).
Run: jaxtrack train --config=rpn_effb0 --workdir=runs/rpn_effb0 \
         --config.model.pretrained=efficientnet-b0.safetensors \
         --config.data.root=packed
Cost, score: not trained here.
Differs: neither code nor a description of CoSiamRPN is public, only that it is
    anchor-based with the backbone EfficientNet-B0; do not expect its figures.
Trains: the stem and the first three blocks never, the rest of the backbone from epoch
    10 at 0.1 of the rate.

Weights of the backbone: --config.model.pretrained=efficientnet-b0.safetensors, those of
    lukemelas/EfficientNet-PyTorch, made with
    safetensors.torch.save_file(efficientnet_pytorch.EfficientNet.from_pretrained(
        "efficientnet-b0").state_dict(), "efficientnet-b0.safetensors")
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamrpnpp_r50


def get_config() -> ConfigDict:
    """Returns `siamrpnpp_r50` with the other backbone."""
    c = siamrpnpp_r50.get_config()
    c.model.backbone = "efficientnet_b0"
    return c
