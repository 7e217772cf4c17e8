"""Every setting, once: name, default, meaning, unit and range.

The defaults are the released SiamCAR on pysot's schedule.
"""

from jaxtrack.config.data_fields import DATA_FIELDS
from jaxtrack.config.field import Field

# A group of settings -> what it decides.
GROUPS = {
    "model": "The network.",
    "data": "Pairs of frames to train on: packed folders (`jaxtrack pack`) and composed"
    " scenes.",
    "augment": "Augmentation of the two crops; the defaults are pysot's. Colour, blur,"
    " and all from `augment.flip` on are probabilities. The loader shifts, scales and"
    " fills the outside; all else happens on the device, as a part of the training"
    " step, and what has probability 0 is not compiled into it.",
    "labels": "Which locations or anchors are positive, and their soft labels. Every"
    " assigner can be used with every network.",
    "loss": "What training minimises, besides what the tracker's family fixes.",
    "refine": "Refinement of proposals in training, for CRACT only.",
    "optimizer": "The optimizer and its learning rate.",
    "run": "How long training takes, what is logged and kept.",
    "tracking": "How a box is selected in tracking. Training does not read these: a"
    " checkpoint may be tracked with other values.",
    "online": "The discriminator that CRACT learns in tracking. Training does not read"
    " these.",
}

# One row a setting: it is read as a table.
# fmt: off
_BEFORE = (
    # Model.
    Field("model.name", "siamcar", "The tracker: a family of `jaxtrack.trackers`."),
    Field("model.backbone", "resnet50", "Network that turns crops into features.",
          choices=("resnet18", "resnet34", "resnet50", "googlenet",
                   "efficientnet_lite0", "efficientnet_b0", "mobilenet_v3_small")),
    Field("model.design", "released",
          'Neck, correlation and head: "released" has the paper\'s, for levels of one'
          ' stride; "light" a single map, its cosines and narrow heads.',
          choices=("released", "light")),
    Field("model.level_weights", True,
          'SiamRPN++ and SiamBAN, "released": learn how much each level counts.'),
    Field("model.correlation", "",
          "Correlation of template and search features; \"\" is the model's own.",
          choices=("", "depthwise", "pixelwise", "both")),
    Field("model.localization", "",
          'Branch that predicts the quality of a box, of SiamLA alone; "" is "lafa".',
          choices=("", "lafa", "aggregation", "non_local", "tower", "centerness")),
    Field("model.aggregation_center", "",
          'Centre of the five points of "lafa" and "aggregation": "point" is the cell'
          ' itself, "box" the middle of its predicted box (S22); "" is "point".',
          choices=("", "point", "box")),
    Field("model.refinement", "",
          'Order of refinement and classification, of CRACT alone; "" is "cascade".',
          choices=("", "cascade", "parallel")),
    Field("model.pooling", "",
          'RoIAlign grids, of CRACT alone: "pyramid" is 6, 3 and 1 cells a side,'
          ' "single" is 6; "" is "pyramid".', choices=("", "pyramid", "single")),
    Field("model.pretrained", "",
          'Weights to start from: "imagenet" (Lite0 only), or a file of torch weights;'
          ' "" for none, which needs --allow_random_backbone.'),
    Field("model.dtype", "float32", "Dtype of computation; parameters stay float32.",
          choices=("float32", "bfloat16")),
    Field("model.preprocessing.order", "",
          'Channel order that the weights expect; "" takes it, the mean and the scale'
          " from `model.backbone`.", choices=("", "RGB", "BGR")),
    Field("model.preprocessing.mean", (0.0, 0.0, 0.0),
          "Subtracted from the pixel, a number per channel.", unit="grey levels",
          length=3),
    Field("model.preprocessing.scale", (1.0, 1.0, 1.0),
          "Divides the pixel afterwards, a number per channel.", unit="grey levels",
          above=0, length=3),
)
_AFTER = (
    # Labels.
    Field("labels.assigner", "rectangle",
          "Says what is positive: a region around the centre of the box, anchors by"
          " \"iou\", or SiamDLA's dynamic assignment \"dla\".",
          choices=("rectangle", "circle", "ellipse", "iou", "dla")),
    Field("labels.positive_size", 0.4,
          "\"rectangle\": its side, as a share of the box's.", within=(0, 1)),
    Field("labels.positive_min_half", 0.0, '"rectangle": its least half side.',
          unit="px", least=0),
    Field("labels.ignore_inside", False,
          '"rectangle": the rest of the box is ignored, not negative.'),
    Field("labels.positive_radius", 16.0, '"circle": its radius.', unit="px", above=0),
    Field("labels.ignore_radius", 0.0,
          '"circle": radius of an ignored ring around it; 0 for none.', unit="px",
          least=0),
    Field("labels.iou_high", 0.6, '"iou": positive above this IoU.', within=(0, 1)),
    Field("labels.iou_low", 0.3,
          '"iou": negative below this IoU; between the two, ignored.', within=(0, 1)),
    Field("labels.dla_points", 9,
          '"dla": candidates, the points nearest to the centre of the box; K of'
          " SiamDLA.", above=0),
    Field("labels.dla_ddof", 1,
          '"dla": 1 takes the deviation of a sample, 0 that of a population.',
          choices=(0, 1)),
    Field("labels.dla_empty", "clamp",
          '"dla", where no candidate passes the threshold: "clamp" lowers it to the'
          ' best, "argmax" takes the best candidate, "skip" leaves the image without'
          " positives.", choices=("clamp", "argmax", "skip")),
    Field("labels.dla_negatives", 4, '"dla": negatives drawn for one positive.',
          least=0),
    Field("labels.virtual_anchor", 64.0,
          '"iou" and "dla": side of the square anchors of a network without any.',
          unit="px", above=0),
    Field("labels.sampled_positives", 0,
          "At most so many positives an image, drawn at random; 0 keeps all.", least=0),
    Field("labels.sampled_negatives", 0,
          "At most so many negatives an image, drawn at random; 0 keeps all.", least=0),
    Field("labels.negative_pairs", "all",
          'Where the search crop does not show the target: "all" locations are'
          ' negative, a few in a "window" around the other object, or its would-be'
          ' "positives".', choices=("all", "window", "positives")),
    Field("labels.kind", "ladl",
          'SiamLA: classification label of a positive. "ladl" depends on the IoU of'
          ' the predicted box; "region" is 1.', choices=("ladl", "region")),
    Field("labels.smoothing", 0.2,
          "SiamLA: lambda of label smoothing (LALS) at boundary points; 0 leaves it"
          " out.", within=(0, 1)),
    Field("labels.alpha", 0.5, 'SiamLA, "ladl": the IoU whose label is 0.5.',
          within=(0, 1)),
    Field("labels.beta", 10.0, 'SiamLA, "ladl": steepness of the label.', above=0),
    Field("labels.curve", "logistic", 'SiamLA, "ladl": label as a function of the IoU.',
          choices=("logistic", "linear")),
    Field("labels.normalize", True,
          'SiamLA, "ladl": stretch the labels of an image to [0, 1].'),
    # Loss.
    Field("loss.regression", "iou",
          'Box regression: minus the logarithm of the IoU ("iou"), 1 - GIoU or 1 - IoU'
          ' ("linear_iou"); deltas of anchors take "smooth_l1", or plain L1 for the'
          " other three.", choices=("iou", "giou", "linear_iou", "smooth_l1")),
    Field("loss.quality", "centerness", "Target of the centerness output.",
          choices=("centerness", "iou")),
    Field("loss.centerness_weighted", True,
          "SiamCAR: weight regression by the centerness target."),
    Field("loss.weights", (1.0, 3.0, 1.0),
          "Weights of classification, regression and quality; deltas of anchors have"
          " no quality.", least=0, length=3),
    Field("loss.cls_weights", (0.5, 0.5, 0.0),
          "Weights of positives, negatives and hardest negatives in classification.",
          least=0, length=3),
    Field("loss.hard_negatives", 0,
          "Hardest negatives an image, at most all, which form a term of their own.",
          least=0),
    Field("loss.focal_alpha", 0.75, "SiamFC++: weight of positives in the focal loss.",
          within=(0, 1)),
    Field("loss.focal_gamma", 2.0, "SiamFC++: exponent of the focal loss.", least=0),
    Field("loss.cls_reduction", "balanced",
          'Classification: "balanced" weighs by `loss.cls_weights`; the others divide'
          ' the sum by the number of "positives" or of "cells". Not of SiamFC++.',
          choices=("balanced", "positives", "cells")),
    Field("loss.negative_weight_gradient", True,
          "SiamLA: pass gradients through the factor 1 + c of negatives."),
    Field("loss.boundary_regression", True,
          "SiamLA: boundary points train regression too."),
    Field("loss.negative_target", "zero",
          'SiamLA: quality target of sampled negatives; "iou" is that of their box.',
          choices=("zero", "iou")),
    Field("loss.teachers", (),
          "Trained trackers that teach beside the labels: names or paths, as"
          " `--checkpoint` takes them. They and the network predict from points."),
    Field("loss.teacher_weights", (1.0, 1.0, 0.5),
          "Weights of the class, the box and the quality that teachers say.",
          least=0, length=3),
    Field("loss.teacher_trust", 1.0,
          "A teacher counts, in each pair, the IoU of its best box with the label to"
          " this power; 0 trusts it everywhere.", least=0),
    # Refine.
    Field("refine.train_proposals", 64,
          "Proposals of an image after NMS, of which `refine.samples` are drawn.",
          above=0),
    Field("refine.train_nms_iou", 0.75,
          "NMS suppresses proposals that overlap a better one by more.", within=(0, 1)),
    Field("refine.samples", 32, "Proposals of an image that are refined.", above=0),
    Field("refine.positives", 16, "At most so many of them are positive.", above=0),
    Field("refine.positive_iou", 0.5,
          "A proposal is positive from this IoU with the target.", within=(0, 1)),
    Field("refine.jittered", 8,
          "Boxes drawn around the target that join the proposals.", least=0),
    Field("refine.loss_weights", (1.0, 1.0),
          "Weights of the refined box and of the identifier.", least=0, length=2),
    # Optimizer.
    Field("optimizer.kind", "sgd",
          'The optimizer; "lars" and "lamb" are for batches of thousands.',
          choices=("sgd", "adamw", "lars", "lamb")),
    Field("optimizer.schedule", "log",
          'Fall of the rate after warm-up: straight in "log" space, or "cosine".',
          choices=("log", "cosine")),
    Field("optimizer.lr_warmup", 0.001, "Learning rate at step 0.", above=0),
    Field("optimizer.lr", 0.005,
          "Learning rate after warm-up, at `optimizer.reference_batch` pairs.",
          above=0),
    Field("optimizer.lr_end", 0.0005,
          "Learning rate at the last step, likewise.", above=0),
    Field("optimizer.lr_scaling", "none",
          "How the rates grow with `run.batch_size` over `optimizer.reference_batch`;"
          " a warm-up still begins at `optimizer.lr_warmup`, or lower.",
          choices=("none", "linear", "sqrt")),
    Field("optimizer.reference_batch", 80,
          "Pairs of a step that `optimizer.lr` was chosen for.", above=0),
    Field("optimizer.warmup_epochs", 5.0, "Length of the warm-up.", unit="epochs",
          least=0),
    Field("optimizer.backbone_from_epoch", 10.0, "The backbone is frozen before.",
          unit="epochs", least=0),
    Field("optimizer.backbone_lr_factor", 0.1,
          "Multiplies the learning rate of the backbone.", least=0),
    Field("optimizer.momentum", 0.9,
          "Momentum of SGD and LARS, or b1 of AdamW and LAMB.", within=(0, 1)),
    Field("optimizer.adam_b2", 0.999, "b2 of AdamW and LAMB.", within=(0, 1)),
    Field("optimizer.weight_decay", 0.0001, "Weight decay.", least=0),
    Field("optimizer.clip_norm", 10.0,
          "Largest norm of the gradient over all parameters.", above=0),
    Field("optimizer.ema_decay", 0.0,
          "Decay of the averaged parameters that tracking uses; 0 keeps none.",
          within=(0, 1)),
    # Run.
    Field("run.seed", 0, "Seed of initialisation, data and sampling.", least=0),
    Field("run.head_init", "released",
          "How parameters behind the backbone start: as the tracker's public code"
          ' draws them, or ("kaiming", SiamDLA) as He et al. do, all biases 0 (D15).',
          choices=("released", "kaiming")),
    Field("run.batch_size", 80,
          "Pairs of an optimizer step, over all devices and accumulation steps.",
          above=0),
    Field("run.accumulate", 1,
          "Parts that a device's share of the batch is split into, one after the"
          " other.", above=0),
    Field("run.num_epochs", 20, "Length of the training.", unit="epochs", above=0),
    Field("run.pairs_per_epoch", 600_000, "Pairs of an epoch.", above=0),
    Field("run.loggers", ("tensorboard",),
          'Where numbers go besides log.jsonl: "tensorboard" (left out where it is not'
          ' installed), "wandb" (Weights & Biases).', choices=("tensorboard", "wandb")),
    Field("run.log_every", 20, "Steps between two log lines.", unit="steps", above=0),
    Field("run.checkpoint_every", 1000, "Steps between two checkpoints.", unit="steps",
          above=0),
    Field("run.keep_every", 0,
          "Checkpoints at multiples of this are kept for good; 0 keeps none.",
          unit="steps", least=0),
    Field("run.keep_latest", 2, "Newest checkpoints that are kept.", above=0),
    # Tracking.
    Field("tracking.selection", "released",
          "How a box is selected: as SiamCAR's code does (\"released\"), as pysot's"
          ' does, with its crops ("pysot") or with those of SiamFC++\'s'
          ' ("video_analyst"), as OpenCV\'s TrackerNano does ("opencv"), or "clean".',
          choices=("released", "pysot", "video_analyst", "opencv", "clean")),
    Field("tracking.penalty", 0.04, "Penalty k of changes of size.", least=0),
    Field("tracking.window", 0.44, "Weight of the Hann window.", within=(0, 1)),
    Field("tracking.size_rate", 0.33, "Learning rate of the size.", within=(0, 1)),
    Field("tracking.quality_power", 1.0,
          'score = cls * quality ** power; not of "released".', least=0),
    Field("tracking.num_boxes", 1,
          'Boxes averaged (SiamLA: 3); not of "released".',
          within=(1, 9)),
    Field("tracking.boxes_from", "neighbors",
          "Locations whose boxes are averaged, the best-ranked ones: of the best"
          ' location and its eight "neighbors", or of the whole "map", which may show'
          ' several objects (S14); not of "released".', choices=("neighbors", "map")),
    Field("tracking.rate_by_quality", True,
          'The size follows cls * quality, or (SiamLA) cls alone; not of "released".'),
    Field("tracking.search_size", 0,
          "Side of the search crop in tracking; 0 is the network's own. A smaller one"
          " is faster but searches a smaller area.", unit="px", least=0),
    Field("tracking.score_slope", 0.0,
          "The reported score is sigmoid(slope (score - `tracking.score_middle`)),"
          " fitted to the IoU; 0 reports the network's own. Of trackers without"
          " refinement.", least=0),
    Field("tracking.score_middle", 0.5,
          "The network's own score at which an IoU of 0.5 is to be expected.",
          within=(0, 1)),
    Field("tracking.lost_below", 0.0,
          "The target counts as lost where the score is below; 0 disables this.",
          within=(0, 1)),
    Field("tracking.over_time", False,
          "Remembers velocity, size and look-alikes, and holds the box while the target"
          " is lost; of trackers without refinement."),
    Field("tracking.held_below", 0.2,
          "Over time: the box is held where the score falls below.", within=(0, 1)),
    Field("tracking.found_share", 0.85,
          "Over time: one that is lost is found where the score reaches this share of"
          " the usual one, 2 % less with every frame.", within=(0, 1)),
    Field("tracking.found_reach", 0.05,
          "Over time: how much farther from where it is expected a lost target may be"
          " found with every frame.", unit="roots of its area", least=0),
    Field("tracking.sure_share", 0.93,
          "Over time: velocity and trusted size are learnt where the score reaches this"
          " share of the usual one.", within=(0, 1)),
    Field("tracking.sure_rate", 0.05,
          "Over time: share of the last size in the trusted one, a frame, where it"
          " shrinks.",
          within=(0, 1)),
    Field("tracking.velocity_rate", 0.1,
          "Over time: share of what the expected place was wrong by that the velocity"
          " learns; 0 expects the target where it was.", within=(0, 1)),
    Field("tracking.lost_decay", 0.9,
          "Over time: what is left of velocity and window a frame later while the"
          " target is lost.", within=(0, 1)),
    Field("tracking.search_growth", 0.0,
          "Over time: growth of the search area's side a frame while the target is"
          " lost.", least=0),
    Field("tracking.search_limit", 1.3,
          "Over time: largest side of the search area over the usual one.", least=1),
    Field("tracking.distractor_share", 0.8,
          "Over time: how much less a cell counts that seems to be a look-alike's; 0"
          " follows none.", within=(0, 1)),
    Field("tracking.proposals", 10, "CRACT: proposals of a frame, N.", above=0),
    Field("tracking.nms_iou", 0.5,
          "CRACT: NMS suppresses proposals that overlap a better one by more.",
          within=(0, 1)),
    Field("tracking.refined_weight", 0.8,
          "CRACT: weight of the refined score, beta; 0 tracks by the RPN alone.",
          within=(0, 1)),
    Field("tracking.identifier_weight", 0.4,
          "CRACT: the identifier's share of the refined score, alpha; 1 leaves the"
          " discriminator out.", within=(0, 1)),
    Field("tracking.refined_window", 0.0,
          "CRACT: share of a Hann window in the final score.", within=(0, 1)),
    # Online.
    Field("online.learns", True, "False disables the discriminator."),
    Field("online.channels", 64, "Channels of its convolution.", above=0),
    Field("online.kernel_size", 1, "Kernel of its convolution; 1 is ATOM's projection.",
          unit="cells", above=0),
    Field("online.hidden", 128, "Units of its hidden layer.", above=0),
    Field("online.regularization", (0.0001, 0.001),
          "Weight decay of the convolution and of the rest.", least=0, length=2),
    Field("online.first_positives", 200, "Positives of the first frame.", above=0),
    Field("online.first_negatives", 1000, "Negatives of the first frame.", above=0),
    Field("online.first_steps", 6, "Gauss-Newton steps on the first frame.", least=0),
    Field("online.first_iterations", 10,
          "Conjugate gradient iterations of each of those steps.", least=0),
    Field("online.every", 10, "Frames between two collections of samples, K.",
          unit="frames", above=0),
    Field("online.positives", 50, "Positives of a later frame.", above=0),
    Field("online.negatives", 200, "Negatives of a later frame.", above=0),
    Field("online.candidates", 400,
          "Negatives drawn, of which the hardest `online.negatives` are kept.",
          above=0),
    Field("online.iterations", 5, "Conjugate gradient iterations of an update.",
          least=0),
    Field("online.groups", 8, "Frames whose samples are kept, the first among them.",
          least=2),
    Field("online.short_frames", 30, "Frames that a short-term update uses.",
          unit="frames", least=0),
    Field("online.success", 0.5, "Refined score from which a frame is learnt from.",
          within=(0, 1)),
    Field("online.rate", 0.1,
          "Weight of a new frame's samples: ATOM's 0.01 a frame makes 0.1 of ten.",
          within=(0, 1)),
    Field("online.hard_rate", 0.18,
          "The same where a distractor was seen; ATOM's 0.02 a frame.", within=(0, 1)),
    Field("online.distractor", 0.5,
          "A second box with this share of the best score is a distractor.",
          within=(0, 1)),
)
# fmt: on

FIELDS = _BEFORE + DATA_FIELDS + _AFTER
