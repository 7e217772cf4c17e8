"""SiamFC++ on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Xu et al., SiamFC++ (arXiv:1911.06188).
Run: jaxtrack train --config=siamfcpp_lite0 --workdir=runs/siamfcpp_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost, score: not trained here.
Differs: data, schedule and network are those of `siamcar_lite0` with one classification
    logit; labels and loss are SiamFC++'s.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_lite0


def get_config() -> ConfigDict:
    """Returns `siamcar_lite0` with SiamFC++'s labels and loss."""
    c = siamcar_lite0.get_config()
    c.model.name = "siamfcpp"
    c.labels.positive_size = 1.0
    c.labels.positive_min_half = 0.0
    c.labels.ignore_inside = False
    c.labels.negative_pairs = "positives"
    c.loss.weights = (1.0, 3.0, 1.0)
    return c
