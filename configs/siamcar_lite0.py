"""SiamCAR on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Guo et al., SiamCAR (arXiv:1911.07241).
Run: jaxtrack train --config=siamcar_lite0 --workdir=runs/siamcar_lite0 \
         --config.data.records=packed/davis \
         --config.data.record_weights="(0.6,)" --config.data.composed_weight=0.4
Cost: 20 CPU minutes for 24,000 pairs.
Score: AUC 0.636 +- 0.021 on six sequences that training never sees (docs/results.md).
Differs: the backbone keeps its ImageNet weights. Pixel-wise cosine correlation, a GIoU
    loss and an IoU target for the quality replace SiamCAR's own: with few pairs they
    learn faster.
"""

from ml_collections import ConfigDict

from jaxtrack import config


def get_config() -> ConfigDict:
    """Returns the settings of the small tracker."""
    c = config.get_config()
    c.model.name = "siamcar"
    c.model.backbone = "efficientnet_lite0"
    c.model.design = "light"
    c.model.correlation = "pixelwise"
    c.model.pretrained = "imagenet"

    c.augment.template_color = 0.0
    c.augment.search_color = 0.0
    c.augment.search_scale = 0.2
    c.augment.aspect = 0.08
    c.augment.flip = 0.5
    c.augment.gray = 0.12
    c.data.negative_ratio = 0.08
    c.augment.search_blur = 0.15
    c.augment.fill_image = 0.4
    c.augment.occluder = 0.15
    c.augment.motion_blur = 0.25
    c.augment.low_resolution = 0.12
    c.augment.noise = 0.1
    c.augment.tone = 0.5

    c.labels.positive_size = 0.5
    c.labels.positive_min_half = 4.0
    c.labels.ignore_inside = True
    c.loss.regression = "giou"
    c.loss.centerness_weighted = False
    c.loss.quality = "iou"
    c.loss.hard_negatives = 20
    c.loss.cls_weights = (0.5, 0.35, 0.15)
    c.loss.weights = (1.0, 2.0, 0.5)

    c.run.batch_size = 32
    c.optimizer.reference_batch = 32
    c.run.num_epochs = 15
    c.run.pairs_per_epoch = 1600
    c.optimizer.kind = "adamw"
    c.optimizer.schedule = "cosine"
    c.optimizer.lr_warmup = 2e-5
    c.optimizer.lr = 2e-3
    c.optimizer.lr_end = 4e-5
    c.optimizer.warmup_epochs = 2.0
    c.optimizer.backbone_from_epoch = 15.0  # Never.
    c.optimizer.adam_b2 = 0.98
    c.optimizer.weight_decay = 1e-2
    c.optimizer.clip_norm = 5.0
    c.optimizer.ema_decay = 0.998
    c.run.checkpoint_every = 150

    c.tracking.selection = "clean"
    c.tracking.penalty = 0.1
    c.tracking.window = 0.45
    c.tracking.size_rate = 0.5
    c.tracking.quality_power = 0.5
    return c
