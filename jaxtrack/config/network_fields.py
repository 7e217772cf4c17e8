"""The settings of the network, a part of `config.fields`."""

from jaxtrack.config.field import Field

# fmt: off
NETWORK_FIELDS = (
    # Model.
    Field("model.name", "siamcar", "The tracker: a family of `jaxtrack.trackers`."),
    Field("model.backbone", "resnet50", "Network that extracts features from crops.",
          choices=("resnet18", "resnet34", "resnet50", "googlenet",
                   "efficientnet_lite0", "efficientnet_b0", "mobilenet_v3_small")),
    Field("model.design", "released",
          'Neck, correlation and head: "released" is the paper\'s, for feature levels'
          ' of one stride; "light" has one level, cosine similarity and narrow heads.',
          choices=("released", "light")),
    Field("model.level_weights", True,
          'SiamRPN++ and SiamBAN, "released": learn a weight for each feature level.'),
    Field("model.correlation", "",
          "Correlation of template and search features; \"\" is the model's default.",
          choices=("", "depthwise", "pixelwise", "both")),
    Field("model.localization", "",
          'SiamLA: branch that predicts the quality of a box; "" is "lafa".',
          choices=("", "lafa", "aggregation", "non_local", "tower", "centerness")),
    Field("model.aggregation_center", "",
          'SiamLA: center of the five points of "lafa" and "aggregation": the cell'
          ' ("point") or the center of its predicted box ("box", S22); "" is "point".',
          choices=("", "point", "box")),
    Field("model.refinement", "",
          'CRACT: order of refinement and classification; "" is "cascade".',
          choices=("", "cascade", "parallel")),
    Field("model.pooling", "",
          'CRACT: RoIAlign grids: "pyramid" is 6x6, 3x3 and 1x1 cells, "single" is'
          ' 6x6; "" is "pyramid".', choices=("", "pyramid", "single")),
    Field("model.pretrained", "",
          'Initial weights: "imagenet" (Lite0 only) or a file of torch weights; ""'
          ' is random and needs --allow_random_backbone.'),
    Field("model.dtype", "float32", "Dtype of computation; parameters stay float32.",
          choices=("float32", "bfloat16")),
    Field("model.preprocessing.order", "",
          'Channel order that the weights expect; "" takes order, mean and scale from'
          " `model.backbone`.", choices=("", "RGB", "BGR")),
    Field("model.preprocessing.mean", (0.0, 0.0, 0.0),
          "Subtracted from the pixels, per channel.", unit="gray levels",
          length=3),
    Field("model.preprocessing.scale", (1.0, 1.0, 1.0),
          "Then divides the pixels, per channel.", unit="gray levels",
          above=0, length=3),
)
# fmt: on
