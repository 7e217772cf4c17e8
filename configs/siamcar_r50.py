"""SiamCAR with a ResNet-50, as released (ohhhyeahhh/SiamCAR; arXiv:1911.07241).

Run: python train.py --config=configs/siamcar_r50.py --workdir=runs/siamcar_r50 \
         --config.records="('packed/got10k',)" --config.synthetic_weight=0
The weights of the backbone: --config.pretrained=FILE (pysot's resnet50.model).
The schedule, losses and augmentation are the defaults.
"""

from ml_collections import ConfigDict

from jaxtrack import config


def get_config() -> ConfigDict:
    """Returns the settings of the released code."""
    c = config.get_config()
    c.model = "siamcar_r50"
    c.batch_size = 80
    return c
