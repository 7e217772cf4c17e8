"""DLA-SiamFC++ on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Cai et al., SiamDLA.
Run: jaxtrack train --config=dla_siamfcpp_lite0 --workdir=runs/dla_siamfcpp_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost, score: not trained here.
Differs: from `siamfcpp_lite0` only in the labels.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamfcpp_lite0


def get_config() -> ConfigDict:
    """Returns `siamfcpp_lite0` with dynamic labels."""
    c = siamfcpp_lite0.get_config()
    c.labels.assigner = "dla"
    return c
