"""SiamRPN++ on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Li et al., SiamRPN++ (arXiv:1812.11703).
Run: jaxtrack train --config=siamrpnpp_lite0 --workdir=runs/siamrpnpp_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost: 6.3 CPU minutes for 6,400 pairs.
Score: AUC 0.493 +- 0.027 on 34 sequences in two folds, 6,400 pairs (docs/siamdla.md).
Differs: data, schedule and response are those of `siamcar_lite0`; head, labels and loss
    are SiamRPN++'s.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_lite0


def get_config() -> ConfigDict:
    """Returns `siamcar_lite0` with anchors."""
    c = siamcar_lite0.get_config()
    c.model.name = "siamrpnpp"
    c.labels.assigner = "iou"
    c.labels.sampled_positives = 16
    c.labels.sampled_negatives = 48
    c.labels.negative_pairs = "window"
    c.loss.hard_negatives = 0
    c.loss.cls_weights = (0.5, 0.5, 0.0)
    c.loss.weights = (1.0, 1.2, 0.0)
    return c
