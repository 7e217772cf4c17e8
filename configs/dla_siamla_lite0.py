"""DLA-SiamLA with EfficientNet-Lite0: trains in minutes on a CPU.

Run: python train.py --config=configs/dla_siamla_lite0.py \
         --workdir=runs/dla_siamla_lite0 --config.records="('packed/davis',)" \
         --config.record_weights="(0.6,)" --config.synthetic_weight=0.4
The centre of SiamLA's labels is dynamic; nothing else differs from `siamla_lite0`.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamla_lite0


def get_config() -> ConfigDict:
    """Returns `siamla_lite0` with dynamic labels."""
    c = siamla_lite0.get_config()
    c.assigner = "dla"
    c.negative_pairs = "window"
    return c
