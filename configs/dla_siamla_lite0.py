"""DLA-SiamLA on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: none; Nie et al., SiamLA, with the labels of Cai et al., SiamDLA.
Run: jaxtrack train --config=dla_siamla_lite0 --workdir=runs/dla_siamla_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost, score: not trained here.
Differs: from `siamla_lite0` in the dynamic labels of the center.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamla_lite0


def get_config() -> ConfigDict:
    """Returns `siamla_lite0` with dynamic labels."""
    c = siamla_lite0.get_config()
    c.labels.assigner = "dla"
    c.labels.negative_pairs = "window"
    return c
