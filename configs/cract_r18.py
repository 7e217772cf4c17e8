"""CRACT on ResNet-18, end to end on the paper's schedule.

Paper: Fan and Ling, CRACT (arXiv:2011.12483), sections 3.4 and 4: SGD, 50 epochs, a
    learning rate of 1e-2 that falls to 1e-4 (C5), 0.6 and 0.3 for anchors and up to 64
    of them per image (C15).
Run: jaxtrack train --config=cract_r18 --workdir=runs/cract_r18 \
         --config.model.pretrained=resnet18.safetensors \
         --config.data.root=packed
Cost, score: not trained here.
Differs: batch size and pairs per epoch are not stated, and are pysot's; docs/cract.md
    lists everything else that the paper leaves open. Crops are "clean": there are no
    public weights whose crops would have to be reproduced.
Trains: stem and first stage never, stages 2 to 4 at 0.1 of the rate, from the start
    (docs/cract.md).

Weights of the backbone: --config.model.pretrained=resnet18.safetensors, made by
    safetensors.torch.save_file(torchvision.models.resnet18(
        weights="IMAGENET1K_V1").state_dict(), "resnet18.safetensors")
"""

from ml_collections import ConfigDict

from jaxtrack import config
from jaxtrack.configs import _mixtures


def get_config() -> ConfigDict:
    """Returns the paper's settings, and pysot's where it states none."""
    c = config.get_config()
    c.model.name = "cract"
    c.model.backbone = "resnet18"
    c.model.preprocessing.order = "RGB"  # As for torchvision's weights.
    c.model.preprocessing.mean = (123.675, 116.28, 103.53)
    c.model.preprocessing.scale = (58.395, 57.12, 57.375)
    c.labels.assigner = "iou"
    c.labels.sampled_positives = 16
    c.labels.sampled_negatives = 48
    c.labels.negative_pairs = "window"
    c.data.negative_ratio = 0.2
    c.loss.regression = "smooth_l1"
    c.loss.weights = (1.0, 1.0, 0.0)

    c.run.num_epochs = 50
    c.optimizer.warmup_epochs = 0.0
    c.optimizer.lr = 1e-2
    c.optimizer.lr_end = 1e-4
    c.optimizer.backbone_from_epoch = 0.0
    c.run.batch_size = 64
    c.optimizer.reference_batch = 64

    c.tracking.selection = "clean"
    # Neither penalty nor window nor smoothing of the size (C2).
    c.tracking.penalty = 0.0
    c.tracking.window = 0.0
    c.tracking.size_rate = 1.0
    _mixtures.cract(c)
    return c
