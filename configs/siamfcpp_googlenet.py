"""SiamFC++ on GoogLeNet, as video_analyst trains it.

Paper: Xu et al., SiamFC++ (arXiv:1911.06188); MegviiDetection/video_analyst.
Run: jaxtrack train --config=siamfcpp_googlenet --workdir=runs/siamfcpp_googlenet \
         --config.records="('packed/got10k',)" \
         --config.synthetic_weight=0
Cost, score: not trained here.
Differs: warm-up is straight in log space, and pairs come from packed folders alike.

Weights to start from: --config.pretrained=FILE (video_analyst's).
"""

from ml_collections import ConfigDict

from jaxtrack import config


def get_config() -> ConfigDict:
    """Returns the public code's settings."""
    c = config.get_config()
    c.model = "siamfcpp_googlenet"
    c.preprocessing.order = "RGB"
    c.preprocessing.mean = (127.5, 127.5, 127.5)
    c.preprocessing.scale = (127.5, 127.5, 127.5)
    c.train_search_size = 289

    c.template_shift = 0.0
    c.template_scale = 0.0
    c.template_color = 0.0
    c.search_shift = 58.0  # 0.4 of half the crop's side.
    c.search_scale = 0.3
    c.search_blur = 0.0
    c.search_color = 0.0
    c.negative_ratio = 0.33

    c.positive_size = 1.0
    c.negative_pairs = "positives"

    c.batch_size = 128
    c.pairs_per_epoch = 150_000
    c.schedule = "cosine"
    c.lr_warmup = 1e-6
    c.lr = 0.08
    c.lr_end = 1e-6
    c.warmup_epochs = 1.0

    c.selection = "pysot"
    c.penalty = 0.04
    c.window = 0.21
    c.size_rate = 0.52
    return c
