"""SiamCAR with a ResNet-18: the released recipe, a smaller backbone.

Run: python train.py --config=configs/siamcar_r18.py --workdir=runs/siamcar_r18 \
         --config.records="('packed/got10k',)" --config.synthetic_weight=0
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_r50


def get_config() -> ConfigDict:
    """Returns `siamcar_r50` with the smaller backbone."""
    c = siamcar_r50.get_config()
    c.model = "siamcar_r18"
    return c
