"""CRACT on ResNet-18, end to end on the paper's schedule.

Paper: Fan and Ling, CRACT (arXiv:2011.12483), sections 3.4 and 4: SGD, 50 epochs, a
    learning rate of 1e-2 that falls to 1e-4 (C5), 0.6 and 0.3 for anchors and up to 64
    of them an image (C15).
Run: jaxtrack train --config=cract_r18 --workdir=runs/cract_r18 \
         --config.records="('packed/got10k','packed/lasot','packed/trackingnet')" \
         --config.synthetic_weight=0
Cost, score: not trained here.
Differs: batch and pairs an epoch are not told, and are pysot's; the rest of what the
    paper leaves open is in docs/cract.md.
"""

from ml_collections import ConfigDict

from jaxtrack import config


def get_config() -> ConfigDict:
    """Returns the paper's settings; where it is silent, pysot's."""
    c = config.get_config()
    c.model = "cract_r18"
    c.assigner = "iou"
    c.sampled_positives = 16
    c.sampled_negatives = 48
    c.negative_pairs = "window"
    c.negative_ratio = 0.2
    c.regression = "smooth_l1"
    c.loss_weights = (1.0, 1.0, 0.0)

    c.num_epochs = 50
    c.warmup_epochs = 0.0
    c.lr = 1e-2
    c.lr_end = 1e-4
    c.backbone_from_epoch = 0.0
    c.batch_size = 64

    c.selection = "pysot"
    # Neither penalty nor window nor smoothing of the size (C2).
    c.penalty = 0.0
    c.window = 0.0
    c.size_rate = 1.0
    return c
