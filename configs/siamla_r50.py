"""SiamLA on ResNet-50, as its paper trains it on all its datasets.

Paper: Nie et al., SiamLA, section IV-A.
Run: jaxtrack train --config=siamla_r50 --workdir=runs/siamla_r50 \
         --config.model.pretrained=resnet50.model \
         --config.data.root=packed
Cost, score: not trained here.
Differs: what the paper leaves open is resolved as S1 to S26 (docs/siamla.md).
Trains: stem and first stage never, stages 2 to 4 from epoch 5 at 0.1 of the rate.

Weights of the backbone: --config.model.pretrained=FILE, pysot's resnet50.model, or
    torchvision's (docs/siamla.md, "Where trainings start").
"""

from ml_collections import ConfigDict

from jaxtrack import config
from jaxtrack.configs import _mixtures


def get_config() -> ConfigDict:
    """Returns the settings of the paper."""
    c = config.get_config()
    c.model.name = "siamla"
    c.model.backbone = "resnet50"
    c.loss.cls_weights = (0.5, 0.5, 0.0)
    c.loss.weights = (1.0, 1.0, 1.0)  # Eq. 11.

    c.run.batch_size = 128
    c.optimizer.reference_batch = 128
    c.run.num_epochs = 50
    c.optimizer.warmup_epochs = 5.0
    c.optimizer.backbone_from_epoch = 5.0
    c.optimizer.lr_end = 1e-5

    c.tracking.selection = "clean"
    c.tracking.num_boxes = 3
    c.tracking.rate_by_quality = False
    c.tracking.quality_power = 1.0
    # "The same testing strategy with SiamCAR": its numbers for OTB100.
    c.tracking.size_rate = 0.35
    c.tracking.penalty = 0.2
    c.tracking.window = 0.45
    _mixtures.siamcar(c)
    return c
