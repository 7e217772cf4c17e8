"""DLA-SiamFC++ with a GoogLeNet: SiamFC++ with dynamic labels.

Run: python train.py --config=configs/dla_siamfcpp_googlenet.py \
         --workdir=runs/dla_siamfcpp_googlenet --config.records="('packed/got10k',)" \
         --config.synthetic_weight=0
SiamDLA, Table 2, which gives no details: labels as in its DLA-SiamCAR (D19).
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamfcpp_googlenet


def get_config() -> ConfigDict:
    """Returns `siamfcpp_googlenet` with dynamic labels."""
    c = siamfcpp_googlenet.get_config()
    c.assigner = "dla"
    return c
