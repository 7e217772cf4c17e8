"""DLA-SiamCAR with a ResNet-50: SiamCAR with dynamic labels.

Run: python train.py --config=configs/dla_siamcar_r50.py \
         --workdir=runs/dla_siamcar_r50 --config.records="('packed/got10k',)" \
         --config.synthetic_weight=0
SiamDLA, section 3.2; what it leaves open is resolved as D1 to D21. The batch is that
of its section 4.7.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_r50


def get_config() -> ConfigDict:
    """Returns `siamcar_r50` with dynamic labels."""
    c = siamcar_r50.get_config()
    c.assigner = "dla"
    c.batch_size = 256
    return c
