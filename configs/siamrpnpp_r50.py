"""SiamRPN++ on ResNet-50, as pysot trains it.

Paper: Li et al., SiamRPN++ (arXiv:1812.11703); STVIR/pysot, siamrpn_r50_l234_dwxcorr.
Run: jaxtrack train --config=siamrpnpp_r50 --workdir=runs/siamrpnpp_r50 \
         --config.model.pretrained=resnet50.model \
         --config.data.root=packed
Cost, score: not trained here.
Differs: the batch is SiamDLA's (its section 4.7); pysot's is 8 times 28.
Trains: stem and first stage never, stages 2 to 4 from epoch 10 at 0.1 of the rate.

Weights of the backbone: --config.model.pretrained=FILE, pysot's resnet50.model, or
    torchvision's (docs/siamla.md, "Where trainings start").
"""

from ml_collections import ConfigDict

from jaxtrack import config
from jaxtrack.configs import _mixtures


def get_config() -> ConfigDict:
    """Returns pysot's settings of siamrpn_r50_l234_dwxcorr."""
    c = config.get_config()
    c.model.name = "siamrpnpp"
    c.model.backbone = "resnet50"
    c.labels.assigner = "iou"
    c.labels.sampled_positives = 16
    c.labels.sampled_negatives = 48
    c.data.negative_ratio = 0.2
    c.labels.negative_pairs = "window"
    c.loss.weights = (1.0, 1.2, 0.0)
    c.run.batch_size = 120
    c.optimizer.reference_batch = 120

    c.tracking.selection = "pysot"
    c.tracking.penalty = 0.05
    c.tracking.window = 0.42
    c.tracking.size_rate = 0.38
    _mixtures.pysot(c)
    return c
