"""DLA-RPN-EffB0: RPN-EffB0 with dynamic labels.

Run: python train.py --config=configs/dla_rpn_effb0.py \
         --workdir=runs/dla_rpn_effb0 --config.records="('packed/got10k',)" \
         --config.synthetic_weight=0
SiamDLA, Table 2, of whose DLA-CoSiamRPN nothing else is public.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import rpn_effb0


def get_config() -> ConfigDict:
    """Returns `rpn_effb0` with dynamic labels."""
    c = rpn_effb0.get_config()
    c.assigner = "dla"
    c.sampled_positives = 0
    c.sampled_negatives = 0
    return c
