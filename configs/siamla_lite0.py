"""SiamLA on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Nie et al., SiamLA.
Run: jaxtrack train --config=siamla_lite0 --workdir=runs/siamla_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost: 8.4 CPU minutes for 6,400 pairs.
Score: AUC 0.541 +- 0.009 on 34 sequences in two folds, 6,400 pairs (docs/siamla.md).
Differs: data, schedule, regression and hard negatives are those of `siamcar_lite0`, so
    that the two differ only in SiamLA's parts, without label smoothing. Unlike in the
    paper, positives are in 0.5 w x 0.5 h and the rest of the box is ignored, which
    the paper trains as negative or smoothed; the GIoU loss has weight 2; and there is a
    term of the 20 hardest negatives. `ablations` have the paper's.
"""

from ml_collections import ConfigDict

from jaxtrack.configs import siamcar_lite0


def get_config() -> ConfigDict:
    """Returns `siamcar_lite0` with SiamLA's labels, branch and selection."""
    c = siamcar_lite0.get_config()
    c.model.name = "siamla"
    c.labels.smoothing = 0.0  # LALS needs longer training: docs/siamla.md.
    c.loss.quality = "centerness"  # If `model.localization` is "centerness".
    c.loss.weights = (1.0, 2.0, 1.0)
    c.tracking.num_boxes = 3
    c.tracking.rate_by_quality = False
    c.tracking.quality_power = 1.0
    return c
