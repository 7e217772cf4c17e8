"""RPN-EffB0: SiamRPN++'s head on EfficientNet-B0.

Run: python train.py --config=configs/rpn_effb0.py \
         --workdir=runs/rpn_effb0 --config.records="('packed/got10k',)" \
         --config.synthetic_weight=0
It stands in for CoSiamRPN (Tan et al., JVCI 80, 103299), of which no code and no
description of the network is public: known is that it is anchor-based and that its
backbone is EfficientNet-B0. Its figures are not to be expected here. Weights of the
backbone: --config.pretrained=FILE (lukemelas/EfficientNet-PyTorch's b0).
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamrpnpp_r50


def get_config() -> ConfigDict:
    """Returns `siamrpnpp_r50` with the other backbone."""
    c = siamrpnpp_r50.get_config()
    c.model = "rpn_effb0"
    c.preprocessing.order = "RGB"
    c.preprocessing.mean = (123.675, 116.28, 103.53)
    c.preprocessing.scale = (58.395, 57.12, 57.375)
    return c
