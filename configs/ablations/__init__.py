"""The ablations of SiamLA, one row of a table each, on the small network.

Paper: Nie et al., SiamLA, Tables III to VI.
Run: make ablation
Cost, score: the tables were not trained here as a whole; single trainings with the
    labels of `siamla_lite0` are in docs/siamla.md.
Differs: from the paper in the network (Lite0, pixel-wise cosines, a narrow branch), the
    backbone, which never trains, and `siamcar_lite0`'s data, augmentation and schedule.
    Labels, loss and their weights are the paper's: `as_published` puts them in the
    place of `siamla_lite0`'s. `siamla/r50_*` are the rows as the paper trains them.
"""

from ml_collections import ConfigDict


def as_published(c: ConfigDict) -> ConfigDict:
    """Returns settings with the paper's labels and loss instead of the small ones.

    Positives are in SiamCAR's 0.4 w x 0.4 h, and the rest of the box is negative, which
    label smoothing improves; the loss has no term of hardest negatives.

    Args:
      c: settings of a small tracker, which are changed.
    """
    c.labels.positive_size = 0.4
    c.labels.positive_min_half = 0.0
    c.labels.ignore_inside = False
    c.labels.smoothing = 0.2
    c.loss.regression = "iou"
    c.loss.centerness_weighted = True  # Only read by SiamCAR.
    c.loss.quality = "centerness"  # Read if `model.localization` is "centerness".
    c.loss.hard_negatives = 0
    c.loss.cls_weights = (0.5, 0.5, 0.0)
    c.loss.weights = (1.0, 1.0, 1.0)  # Eq. 11.
    return c
