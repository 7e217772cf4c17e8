"""SiamCAR on EfficientNet-Lite0: trains in minutes on a CPU.

Paper: Guo et al., SiamCAR (arXiv:1911.07241).
Run: jaxtrack train --config=siamcar_lite0 --workdir=runs/siamcar_lite0 \
         --config.records="('packed/davis',)" --config.record_weights="(0.6,)" \
         --config.synthetic_weight=0.4
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
    c.model = "siamcar_lite0"
    c.correlation = "pixelwise"
    c.pretrained = "imagenet"
    c.preprocessing.order = "RGB"
    c.preprocessing.mean = (127.0, 127.0, 127.0)
    c.preprocessing.scale = (128.0, 128.0, 128.0)

    c.template_color = 0.0
    c.search_color = 0.0
    c.search_scale = 0.2
    c.aspect = 0.08
    c.flip = 0.5
    c.gray = 0.12
    c.negative_ratio = 0.08
    c.search_blur = 0.15
    c.fill_image = 0.4
    c.occluder = 0.15
    c.motion_blur = 0.25
    c.low_resolution = 0.12
    c.noise = 0.1
    c.tone = 0.5

    c.positive_size = 0.5
    c.positive_min_half = 4.0
    c.ignore_inside = True
    c.regression = "giou"
    c.centerness_weighted = False
    c.quality = "iou"
    c.hard_negatives = 20
    c.cls_weights = (0.5, 0.35, 0.15)
    c.loss_weights = (1.0, 2.0, 0.5)

    c.batch_size = 32
    c.num_epochs = 15
    c.pairs_per_epoch = 1600
    c.optimizer = "adamw"
    c.schedule = "cosine"
    c.lr_warmup = 2e-5
    c.lr = 2e-3
    c.lr_end = 4e-5
    c.warmup_epochs = 2.0
    c.backbone_from_epoch = 15.0  # Never.
    c.adam_b2 = 0.98
    c.weight_decay = 1e-2
    c.clip_norm = 5.0
    c.ema_decay = 0.998
    c.checkpoint_every = 150

    c.selection = "clean"
    c.penalty = 0.1
    c.window = 0.45
    c.size_rate = 0.5
    c.quality_power = 0.5
    return c
