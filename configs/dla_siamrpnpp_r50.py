"""DLA-SiamRPN++ with a ResNet-50: SiamRPN++ with dynamic labels.

Run: python train.py --config=configs/dla_siamrpnpp_r50.py \
         --workdir=runs/dla_siamrpnpp_r50 --config.records="('packed/got10k',)" \
         --config.synthetic_weight=0
SiamDLA, section 3.1; what it leaves open is resolved as D1 to D21. Frames of pairs
without the target keep pysot's few negatives (D13).
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamrpnpp_r50


def get_config() -> ConfigDict:
    """Returns `siamrpnpp_r50` with dynamic labels."""
    c = siamrpnpp_r50.get_config()
    c.assigner = "dla"
    c.sampled_positives = 0
    c.sampled_negatives = 0
    return c
