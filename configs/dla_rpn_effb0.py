"""DLA-RPN-EffB0: RPN-EffB0 with dynamic labels.

Paper: Cai et al., SiamDLA, Table 2.
Run: jaxtrack train --config=dla_rpn_effb0 --workdir=runs/dla_rpn_effb0 \
         --config.model.pretrained=efficientnet-b0.safetensors \
         --config.data.root=packed
Cost, score: not trained here.
Differs: nothing else is public about the paper's DLA-CoSiamRPN; see `rpn_effb0`.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import rpn_effb0


def get_config() -> ConfigDict:
    """Returns `rpn_effb0` with dynamic labels."""
    c = rpn_effb0.get_config()
    c.labels.assigner = "dla"
    c.labels.sampled_positives = 0
    c.labels.sampled_negatives = 0
    return c
