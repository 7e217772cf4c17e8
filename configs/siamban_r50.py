"""SiamBAN on ResNet-50, as its public code trains it.

Paper: Chen et al., SiamBAN (arXiv:2003.06761); hqucv/siamban, siamban_r50_l234.
Run: jaxtrack train --config=siamban_r50 --workdir=runs/siamban_r50 \
         --config.model.pretrained=resnet50.model \
         --config.data.root=packed
Cost, score: not trained here.
Differs: every epoch draws its clips again; the code draws them once.
Trains: stem and first stage never, stages 2 to 4 from epoch 10 at 0.1 of the rate.

Weights of the backbone: --config.model.pretrained=FILE, pysot's resnet50.model, or
    torchvision's (docs/siamla.md, "Where trainings start").
"""

from ml_collections import ConfigDict

from jaxtrack import config
from jaxtrack.configs import _mixtures


def get_config() -> ConfigDict:
    """Returns the public code's settings of siamban_r50_l234."""
    c = config.get_config()
    c.model.name = "siamban"
    c.model.backbone = "resnet50"
    c.labels.assigner = "ellipse"
    c.labels.sampled_positives = 16
    c.labels.sampled_negatives = 48
    c.data.negative_ratio = 0.2
    c.labels.negative_pairs = "positives"
    c.loss.regression = "linear_iou"
    c.loss.weights = (1.0, 1.0, 0.0)
    c.run.batch_size = 224
    c.optimizer.reference_batch = 224
    c.run.pairs_per_epoch = 1_000_000
    c.optimizer.lr_end = 5e-5

    c.tracking.selection = "pysot"
    c.tracking.penalty = 0.08513642556896711
    c.tracking.window = 0.4632532824922313
    c.tracking.size_rate = 0.44418184746462425
    _mixtures.siamban(c)
    return c
