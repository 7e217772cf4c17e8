"""DLA-SiamRPN++ on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Cai et al., SiamDLA.
Run: jaxtrack train --config=dla_siamrpnpp_lite0 --workdir=runs/dla_siamrpnpp_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost: 6.1 CPU minutes for 6,400 pairs.
Score: AUC 0.498 +- 0.023 on 34 sequences in two folds, 6,400 pairs (docs/siamdla.md).
Differs: from `siamrpnpp_lite0` only in the labels.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamrpnpp_lite0


def get_config() -> ConfigDict:
    """Returns `siamrpnpp_lite0` with dynamic labels."""
    c = siamrpnpp_lite0.get_config()
    c.labels.assigner = "dla"
    c.labels.sampled_positives = 0
    c.labels.sampled_negatives = 0
    return c
