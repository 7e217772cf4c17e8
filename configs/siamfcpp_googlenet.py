"""SiamFC++ on GoogLeNet, as video_analyst trains it.

Paper: Xu et al., SiamFC++ (arXiv:1911.06188); MegviiDetection/video_analyst.
Run: jaxtrack train --config=siamfcpp_googlenet --workdir=runs/siamfcpp_googlenet \
         --config.model.pretrained=inception_v3.safetensors \
         --config.data.root=packed
Cost, score: not trained here.
Differs: warm-up is straight in log space; pairs come from packed folders alike; outside
    of the search frame its own mean color is seen, not the template frame's. Crops of
    training are cut as those of all trackers here, from edge to edge and averaged
    before they are shrunk; those of tracking as its code does.
Trains: the stem (to Conv2d_4a_3x3) never, the rest of the backbone from epoch 10 at 0.1
    of the rate.

Weights of the backbone: --config.model.pretrained=inception_v3.safetensors, made by
    safetensors.torch.save_file(torchvision.models.inception_v3(
        weights="IMAGENET1K_V1").state_dict(), "inception_v3.safetensors")
or of the whole tracker: video_analyst's file.
"""

from ml_collections import ConfigDict

from jaxtrack import config
from jaxtrack.configs import _mixtures


def get_config() -> ConfigDict:
    """Returns the public code's settings."""
    c = config.get_config()
    c.model.name = "siamfcpp"
    c.model.backbone = "googlenet"
    c.data.search_size = 289

    c.augment.jitter = "video_analyst"
    c.augment.attempts = 50
    c.augment.template_shift = 0.0
    c.augment.template_scale = 0.0
    c.augment.template_color = 0.0
    c.augment.search_shift = 57.8  # 0.4 of half the crop's side.
    c.augment.search_scale = 0.3
    c.augment.search_blur = 0.0
    c.augment.search_color = 0.0
    c.data.negative_ratio = 0.33

    c.labels.positive_size = 1.0
    c.labels.negative_pairs = "positives"

    c.run.batch_size = 128
    c.optimizer.reference_batch = 128
    c.run.pairs_per_epoch = 150_000
    c.optimizer.schedule = "cosine"
    c.optimizer.lr_warmup = 1e-6
    c.optimizer.lr = 0.08
    c.optimizer.lr_end = 1e-6
    c.optimizer.warmup_epochs = 1.0

    c.tracking.selection = "video_analyst"
    c.tracking.penalty = 0.04
    c.tracking.window = 0.21
    c.tracking.size_rate = 0.52
    _mixtures.siamfcpp(c)
    return c
