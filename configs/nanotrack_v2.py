"""NanoTrack v2, which tracks like OpenCV's TrackerNano.

Paper: none; HonglinChu/SiamTrackers, NanoTrack, with SiamBAN's labels and loss (Chen et
    al., arXiv:2003.06761), and opencv/opencv, modules/video.
Run: jaxtrack train --config=nanotrack_v2 --workdir=runs/nanotrack \
         --config.model.pretrained=mobilenetv3-small-55df8e1f.pth \
         --config.data.root=packed
Cost, score: not trained here; public weights score 0.699 on the six clips of
    docs/performance.md, as with OpenCV's tracker.
Differs: pixels are unchanged RGB, as OpenCV feeds the public weights; the training
    code reads BGR. Data are that code's; the public weights also saw LaSOT, COCO and
    VID. Crops of training are those of all trackers here.
Trains: the backbone from epoch 10 at 0.1 of the rate.

Weights of the backbone: --config.model.pretrained=FILE, MobileNetV3-Small of
    d-li14/mobilenetv3.pytorch; they expect normalized pixels, unlike the public
    training:
    --config.model.preprocessing.mean="(123.675, 116.28, 103.53)"
    --config.model.preprocessing.scale="(58.395, 57.12, 57.375)"
"""

from ml_collections import ConfigDict

from jaxtrack import config
from jaxtrack.configs import _mixtures


def get_config() -> ConfigDict:
    """Returns the public code's settings of configv2, and OpenCV's for tracking."""
    c = config.get_config()
    c.model.name = "nanotrack"
    c.model.backbone = "mobilenet_v3_small"
    c.model.preprocessing.order = "RGB"
    c.labels.assigner = "ellipse"
    c.labels.sampled_positives = 16
    c.labels.sampled_negatives = 48
    c.data.negative_ratio = 0.2
    c.labels.negative_pairs = "positives"
    c.loss.regression = "linear_iou"
    c.loss.weights = (1.0, 1.0, 0.0)
    c.run.batch_size = 32
    c.optimizer.reference_batch = 32
    c.run.num_epochs = 50
    c.run.pairs_per_epoch = 100_000

    c.tracking.selection = "opencv"
    c.tracking.penalty = 0.055
    c.tracking.window = 0.455
    c.tracking.size_rate = 0.37
    _mixtures.nanotrack(c)
    return c
