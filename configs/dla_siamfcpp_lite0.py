"""DLA-SiamFC++ with EfficientNet-Lite0: trains in minutes on a CPU.

Run: python train.py --config=configs/dla_siamfcpp_lite0.py \
         --workdir=runs/dla_siamfcpp_lite0 --config.records="('packed/davis',)" \
         --config.record_weights="(0.6,)" --config.synthetic_weight=0.4
It differs from `siamfcpp_lite0` in the labels alone.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamfcpp_lite0


def get_config() -> ConfigDict:
    """Returns `siamfcpp_lite0` with dynamic labels."""
    c = siamfcpp_lite0.get_config()
    c.assigner = "dla"
    return c
