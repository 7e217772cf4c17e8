"""SiamLA on ResNet-50, as its paper trains it on all its datasets.

Paper: Nie et al., SiamLA, section IV-A.
Run: jaxtrack train --config=siamla_r50 --workdir=runs/siamla_r50 \
         --config.records="('packed/got10k','packed/coco')" \
         --config.synthetic_weight=0
Cost, score: not trained here.
Differs: what the paper leaves open is resolved as S1 to S26 (docs/siamla.md).

Weights of the backbone: --config.pretrained=FILE (pysot's resnet50.model).
"""

from ml_collections import ConfigDict

from jaxtrack import config


def get_config() -> ConfigDict:
    """Returns the settings of the paper."""
    c = config.get_config()
    c.model = "siamla_r50"
    c.cls_weights = (0.5, 0.5, 0.0)
    c.loss_weights = (1.0, 1.0, 1.0)  # Eq. 11.
    c.quality = "iou"

    c.batch_size = 128
    c.num_epochs = 50
    c.warmup_epochs = 5.0
    c.backbone_from_epoch = 5.0
    c.lr_end = 1e-5

    c.selection = "clean"
    c.num_boxes = 3
    c.rate_by_quality = False
    c.quality_power = 1.0
    # "The same testing strategy with SiamCAR": its numbers for OTB100.
    c.size_rate, c.penalty, c.window = 0.35, 0.2, 0.45
    return c
