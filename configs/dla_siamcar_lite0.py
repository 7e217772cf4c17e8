"""DLA-SiamCAR on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Cai et al., SiamDLA.
Run: jaxtrack train --config=dla_siamcar_lite0 --workdir=runs/dla_siamcar_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost: 6.2 CPU minutes for 6,400 pairs.
Score: AUC 0.503 +- 0.009 on 34 sequences in two folds, 6,400 pairs (docs/siamdla.md).
Differs: from `siamcar_lite0` only in the labels.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_lite0


def get_config() -> ConfigDict:
    """Returns `siamcar_lite0` with dynamic labels."""
    c = siamcar_lite0.get_config()
    c.labels.assigner = "dla"
    c.labels.negative_pairs = "window"
    return c
