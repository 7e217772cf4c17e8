"""DLA-SiamCAR with EfficientNet-Lite0: trains in minutes on a CPU.

Run: python train.py --config=configs/dla_siamcar_lite0.py \
         --workdir=runs/dla_siamcar_lite0 --config.records="('packed/davis',)" \
         --config.record_weights="(0.6,)" --config.synthetic_weight=0.4
It differs from `siamcar_lite0` in the labels alone.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_lite0


def get_config() -> ConfigDict:
    """Returns `siamcar_lite0` with dynamic labels."""
    c = siamcar_lite0.get_config()
    c.assigner = "dla"
    c.negative_pairs = "window"
    return c
