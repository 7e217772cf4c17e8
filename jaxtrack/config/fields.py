"""All settings: name, default, meaning, unit and range.

The defaults are the released SiamCAR, trained on pysot's schedule.
"""

from jaxtrack.config.data_fields import DATA_FIELDS
from jaxtrack.config.field import Field

# A group of settings -> what it decides.
GROUPS = {
    "model": "The network.",
    "data": "Training pairs from packed folders (`jaxtrack pack`) and composed scenes.",
    "augment": "Augmentation of the two crops; the defaults are pysot's. Color, blur"
    " and everything from `augment.flip` on are probabilities. The loader shifts,"
    " scales and pads the crops; everything else runs on the device, inside the"
    " training step. An augmentation with probability 0 is not compiled.",
    "labels": "Which locations or anchors are positive, and their soft labels. Every"
    " assigner works with every network.",
    "loss": "The loss, except for what the tracker's family fixes.",
    "refine": "Refinement of proposals in training (CRACT only).",
    "optimizer": "The optimizer and its learning rate.",
    "run": "Length of the training, logging and checkpoints.",
    "tracking": "How a box is selected while tracking. Training does not read these"
    " settings: they can be changed for a trained checkpoint.",
    "online": "The discriminator that CRACT learns while tracking. Training does not"
    " read these settings.",
}

# One row a setting: it is read as a table.
# fmt: off
_BEFORE = (
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
_AFTER = (
    # Labels.
    Field("labels.assigner", "rectangle",
          "What is positive: a region around the center of the box, anchors by"
          " their IoU (\"iou\"), or SiamDLA's dynamic assignment (\"dla\").",
          choices=("rectangle", "circle", "ellipse", "iou", "dla")),
    Field("labels.positive_size", 0.4,
          '"rectangle": its sides, as a fraction of the box\'s.', within=(0, 1)),
    Field("labels.positive_min_half", 0.0, '"rectangle": smallest half side.',
          unit="px", least=0),
    Field("labels.ignore_inside", False,
          '"rectangle": ignore the rest of the box instead of taking it as negative.'),
    Field("labels.positive_radius", 16.0, '"circle": its radius.', unit="px", above=0),
    Field("labels.ignore_radius", 0.0,
          '"circle": outer radius of the ignored ring around it; 0 for none.',
          unit="px", least=0),
    Field("labels.iou_high", 0.6, '"iou": positive above this IoU.', within=(0, 1)),
    Field("labels.iou_low", 0.3,
          '"iou": negative below this IoU; ignored between the two.', within=(0, 1)),
    Field("labels.dla_points", 9,
          '"dla": number of candidates, the points nearest to the center of the box;'
          " K in SiamDLA.", above=0),
    Field("labels.dla_ddof", 1,
          '"dla": standard deviation of a sample (1) or of a population (0).',
          choices=(0, 1)),
    Field("labels.dla_empty", "clamp",
          '"dla", if no candidate passes the threshold: "clamp" lowers it to the'
          ' best IoU, "argmax" takes the best candidate, "skip" leaves the image'
          " without positives.", choices=("clamp", "argmax", "skip")),
    Field("labels.dla_negatives", 4, '"dla": negatives drawn for each positive.',
          least=0),
    Field("labels.virtual_anchor", 64.0,
          '"iou" and "dla": side of the square anchors assumed for a network without'
          " anchors.", unit="px", above=0),
    Field("labels.sampled_positives", 0,
          "Largest number of positives per image, drawn at random; 0 keeps all.",
          least=0),
    Field("labels.sampled_negatives", 0,
          "Largest number of negatives per image, drawn at random; 0 keeps all.",
          least=0),
    Field("labels.negative_pairs", "all",
          'Negatives of a search crop without the target: "all" locations, a few in a'
          ' "window" around the other object, or the "positives" that object would'
          " have.", choices=("all", "window", "positives")),
    Field("labels.kind", "ladl",
          'SiamLA: classification label of a positive. "ladl" depends on the IoU of'
          ' the predicted box; "region" is 1.', choices=("ladl", "region")),
    Field("labels.smoothing", 0.2,
          "SiamLA: lambda of label smoothing (LALS) at boundary points; 0 disables it.",
          within=(0, 1)),
    Field("labels.alpha", 0.5, 'SiamLA, "ladl": IoU at which the label is 0.5.',
          within=(0, 1)),
    Field("labels.beta", 10.0, 'SiamLA, "ladl": steepness of the label.', above=0),
    Field("labels.curve", "logistic", 'SiamLA, "ladl": curve from IoU to label.',
          choices=("logistic", "linear")),
    Field("labels.normalize", True,
          'SiamLA, "ladl": stretch the labels of an image to [0, 1].'),
    # Loss.
    Field("loss.regression", "iou",
          'Box regression: -log(IoU) ("iou"), 1 - GIoU ("giou") or 1 - IoU'
          ' ("linear_iou"); anchor deltas use "smooth_l1", and L1 for the other'
          " three.", choices=("iou", "giou", "linear_iou", "smooth_l1")),
    Field("loss.quality", "centerness", "Target of the quality output.",
          choices=("centerness", "iou")),
    Field("loss.centerness_weighted", True,
          "SiamCAR: weight the regression by the centerness target."),
    Field("loss.weights", (1.0, 3.0, 1.0),
          "Weights of classification, regression and quality; networks with anchors"
          " have no quality.", least=0, length=3),
    Field("loss.cls_weights", (0.5, 0.5, 0.0),
          "Classification: weights of positives, negatives and hardest negatives.",
          least=0, length=3),
    Field("loss.hard_negatives", 0,
          "Number of hardest negatives per image, which form a term of their own.",
          least=0),
    Field("loss.focal_alpha", 0.75, "SiamFC++: weight of positives in the focal loss.",
          within=(0, 1)),
    Field("loss.focal_gamma", 2.0, "SiamFC++: exponent of the focal loss.", least=0),
    Field("loss.cls_reduction", "balanced",
          'Classification: "balanced" weights the means by `loss.cls_weights`; the'
          ' others divide the sum by the number of "positives" or "cells". SiamFC++'
          " ignores this.", choices=("balanced", "positives", "cells")),
    Field("loss.negative_weight_gradient", True,
          "SiamLA: pass gradients through the factor 1 + c of negatives."),
    Field("loss.boundary_regression", True,
          "SiamLA: boundary points train the regression too."),
    Field("loss.negative_target", "zero",
          'SiamLA: quality target of sampled negatives: 0 or the "iou" of their box.',
          choices=("zero", "iou")),
    Field("loss.teachers", (),
          "Trained trackers to distill from, beside the labels: names or paths, as"
          " for `--checkpoint`. Teachers and network must be anchor-free."),
    Field("loss.teacher_weights", (1.0, 1.0, 0.5),
          "Weights of the teachers' classification, boxes and quality.",
          least=0, length=3),
    Field("loss.teacher_trust", 1.0,
          "The weight of a teacher in a pair is the IoU of its best box with the label,"
          " to this power; 0 trusts it everywhere.", least=0),
    # Refine.
    Field("refine.train_proposals", 64,
          "Proposals per image after NMS, from which `refine.samples` are drawn.",
          above=0),
    Field("refine.train_nms_iou", 0.75,
          "NMS removes proposals whose IoU with a better one is above this.",
          within=(0, 1)),
    Field("refine.samples", 32, "Proposals refined per image.", above=0),
    Field("refine.positives", 16, "Largest number of positives among them.", above=0),
    Field("refine.positive_iou", 0.5,
          "Smallest IoU of a positive proposal with the target.", within=(0, 1)),
    Field("refine.jittered", 8,
          "Jittered copies of the true box that join the proposals.", least=0),
    Field("refine.loss_weights", (1.0, 1.0),
          "Weights of the refined box and of the identifier.", least=0, length=2),
    # Optimizer.
    Field("optimizer.kind", "sgd",
          'The optimizer; "lars" and "lamb" are meant for batches of thousands.',
          choices=("sgd", "adamw", "lars", "lamb")),
    Field("optimizer.schedule", "log",
          'Decay of the rate after warm-up: linear in "log" space, or "cosine".',
          choices=("log", "cosine")),
    Field("optimizer.lr_warmup", 0.001, "Learning rate at step 0.", above=0),
    Field("optimizer.lr", 0.005,
          "Learning rate after warm-up, at batch size `optimizer.reference_batch`.",
          above=0),
    Field("optimizer.lr_end", 0.0005,
          "Learning rate at the last step, for the same batch size.", above=0),
    Field("optimizer.lr_scaling", "none",
          "How the rates scale with `run.batch_size` / `optimizer.reference_batch`;"
          " warm-up still starts at `optimizer.lr_warmup` or below.",
          choices=("none", "linear", "sqrt")),
    Field("optimizer.reference_batch", 80,
          "Batch size for which `optimizer.lr` was chosen.", above=0),
    Field("optimizer.warmup_epochs", 5.0, "Length of the warm-up.", unit="epochs",
          least=0),
    Field("optimizer.backbone_from_epoch", 10.0,
          "Epoch from which the backbone is trained.", unit="epochs", least=0),
    Field("optimizer.backbone_lr_factor", 0.1,
          "Factor on the backbone's learning rate.", least=0),
    Field("optimizer.momentum", 0.9,
          "Momentum of SGD and LARS, or b1 of AdamW and LAMB.", within=(0, 1)),
    Field("optimizer.adam_b2", 0.999, "b2 of AdamW and LAMB.", within=(0, 1)),
    Field("optimizer.weight_decay", 0.0001, "Weight decay.", least=0),
    Field("optimizer.stochastic_depth", 0.0,
          "Stochastic depth: probability that a pair skips a block of an EfficientNet"
          " backbone while it trains.", within=(0, 0.9)),
    Field("optimizer.feature_dropout", 0.0,
          "Dropout of whole channels of the features of template and search crop, the"
          " same in both.", within=(0, 0.9)),
    Field("optimizer.clip_norm", 10.0,
          "Clips the global norm of the gradient.", above=0),
    Field("optimizer.ema_decay", 0.0,
          "Decay of the moving average of the parameters, with which tracking runs; 0"
          " keeps no average.",
          within=(0, 1)),
    # Run.
    Field("run.seed", 0, "Seed of initialization, data and sampling.", least=0),
    Field("run.head_init", "released",
          "Initialization of everything behind the backbone: as in the tracker's public"
          ' code, or ("kaiming", SiamDLA) He et al. with all biases 0 (D15).',
          choices=("released", "kaiming")),
    Field("run.batch_size", 80,
          "Pairs per optimizer step, over all devices and accumulation steps.",
          above=0),
    Field("run.accumulate", 1,
          "Gradient accumulation: parts into which each device's share of the batch is"
          " split.", above=0),
    Field("run.batch_norm", "all",
          "Pairs over which batch normalization computes its statistics in training:"
          ' "all" that the devices process at once, "groups" of `run.batch_norm_group`,'
          ' or none ("frozen": the running statistics are used).',
          choices=("all", "groups", "frozen")),
    Field("run.batch_norm_group", 16,
          '"groups": pairs per group. If it divides the pairs that a device processes'
          " at once, the result depends neither on the number of devices nor on"
          " `run.accumulate`.", above=0),
    Field("run.remat", False,
          "Compute the blocks of the backbone again in the backward pass instead of"
          " storing their activations: less memory, more time."),
    Field("run.num_epochs", 20, "Length of the training.", unit="epochs", above=0),
    Field("run.minutes", 0.0,
          "Time limit of the training, including compilation, if it is reached before"
          " `run.num_epochs`; the whole schedule then fits into it. 0 is no limit.",
          unit="min", least=0),
    Field("run.pairs_per_epoch", 600_000, "Pairs per epoch.", above=0),
    Field("run.loggers", ("tensorboard",),
          'Loggers besides log.jsonl: "tensorboard" (skipped if not installed), "wandb"'
          " (Weights & Biases).", choices=("tensorboard", "wandb")),
    Field("run.log_every", 20, "Steps between log lines.", unit="steps", above=0),
    Field("run.checkpoint_every", 1000, "Steps between checkpoints.", unit="steps",
          above=0),
    Field("run.keep_every", 0,
          "Keep every checkpoint at a multiple of this; 0 keeps only the latest.",
          unit="steps", least=0),
    Field("run.keep_latest", 2, "How many of the latest checkpoints to keep.", above=0),
    # Tracking.
    Field("tracking.selection", "released",
          'How a box is selected: as in the code of SiamCAR ("released"), pysot'
          ' ("pysot"), SiamFC++ ("video_analyst": pysot\'s with its own crops) or'
          ' OpenCV\'s TrackerNano ("opencv"); "clean" takes the best cell\'s box.',
          choices=("released", "pysot", "video_analyst", "opencv", "clean")),
    Field("tracking.penalty", 0.04, "Penalty k on changes of size and shape.", least=0),
    Field("tracking.window", 0.44, "Weight of the Hann window.", within=(0, 1)),
    Field("tracking.size_rate", 0.33, "Learning rate of the size.", within=(0, 1)),
    Field("tracking.quality_power", 1.0,
          'score = cls * quality ** power; not with "released".', least=0),
    Field("tracking.num_boxes", 1,
          'Number of boxes averaged (SiamLA: 3); not with "released".',
          within=(1, 9)),
    Field("tracking.boxes_from", "neighbors",
          'Where the averaged boxes come from: the best location and its eight'
          ' "neighbors", or the whole "map", which may show several objects (S14); not'
          ' with "released".', choices=("neighbors", "map")),
    Field("tracking.rate_by_quality", True,
          "The size rate is multiplied by cls * quality, or if False (SiamLA) by cls;"
          ' not with "released".'),
    Field("tracking.search_size", 0,
          "Side of the search crop while tracking; 0 is the network's own. Smaller is"
          " faster but searches a smaller area.", unit="px", least=0),
    Field("tracking.score_slope", 0.0,
          "Report sigmoid(slope (score - `tracking.score_middle`)), fitted to the IoU;"
          " 0 reports the network's score. Not with CRACT.", least=0),
    Field("tracking.score_middle", 0.5,
          "Network score at which the expected IoU is 0.5.",
          within=(0, 1)),
    Field("tracking.lost_below", 0.0,
          "The target counts as lost while the score is below this; 0 disables it.",
          within=(0, 1)),
    Field("tracking.over_time", False,
          "Remember velocity, size and distractors, and hold the box while the target"
          " is lost; not with CRACT."),
    Field("tracking.held_below", 0.2,
          "Over time: hold the box while the score is below this.", within=(0, 1)),
    Field("tracking.found_share", 0.85,
          "Over time: a lost target is found again when the score reaches this fraction"
          " of the usual score, 2 % less with every frame.", within=(0, 1)),
    Field("tracking.found_reach", 0.05,
          "Over time: how much farther from its expected position a lost target may be"
          " found, per frame.", unit="sqrt(area)", least=0),
    Field("tracking.sure_share", 0.93,
          "Over time: velocity and trusted size are updated when the score reaches this"
          " fraction of the usual score.", within=(0, 1)),
    Field("tracking.sure_rate", 0.05,
          "Over time: weight of the new size in the trusted size when it shrinks, per"
          " frame.",
          within=(0, 1)),
    Field("tracking.velocity_rate", 0.1,
          "Over time: weight of the last prediction error in the velocity; 0 assumes no"
          " motion.", within=(0, 1)),
    Field("tracking.lost_decay", 0.9,
          "Over time: factor on velocity and window, per frame, while the target is"
          " lost.", within=(0, 1)),
    Field("tracking.distractor_share", 0.8,
          "Over time: how much the score of a distractor's cells is reduced; 0 ignores"
          " distractors.", within=(0, 1)),
    Field("tracking.proposals", 10, "CRACT: proposals per frame, N.", above=0),
    Field("tracking.nms_iou", 0.5,
          "CRACT: NMS removes proposals whose IoU with a better one is above this.",
          within=(0, 1)),
    Field("tracking.refined_weight", 0.8,
          "CRACT: weight of the refined score, beta; 0 uses the RPN alone.",
          within=(0, 1)),
    Field("tracking.identifier_weight", 0.4,
          "CRACT: weight of the identifier in the refined score, alpha; 1 disables the"
          " discriminator.", within=(0, 1)),
    Field("tracking.refined_window", 0.0,
          "CRACT: weight of the Hann window in the final score.", within=(0, 1)),
    # Online.
    Field("online.learns", True, "False disables the discriminator."),
    Field("online.channels", 64, "Channels of its convolution.", above=0),
    Field("online.kernel_size", 1, "Kernel of its convolution; 1 is ATOM's projection.",
          unit="cells", above=0),
    Field("online.hidden", 128, "Units of its hidden layer.", above=0),
    Field("online.regularization", (0.0001, 0.001),
          "Weight decay of the convolution and of the rest.", least=0, length=2),
    Field("online.first_positives", 200, "Positives from the first frame.", above=0),
    Field("online.first_negatives", 1000, "Negatives from the first frame.", above=0),
    Field("online.first_steps", 6, "Gauss-Newton steps on the first frame.", least=0),
    Field("online.first_iterations", 10,
          "Conjugate gradient iterations per Gauss-Newton step.", least=0),
    Field("online.every", 10, "Frames between updates, K.",
          unit="frames", above=0),
    Field("online.positives", 50, "Positives from a later frame.", above=0),
    Field("online.negatives", 200, "Negatives from a later frame.", above=0),
    Field("online.candidates", 400,
          "Negatives drawn; the hardest `online.negatives` are kept.",
          above=0),
    Field("online.iterations", 5, "Conjugate gradient iterations per update.",
          least=0),
    Field("online.groups", 8,
          "Number of frames in the sample memory, the first frame included.", least=2),
    Field("online.short_frames", 30,
          "Number of latest frames that a short-term update uses.", unit="frames",
          least=0),
    Field("online.success", 0.5, "Smallest refined score of a frame to learn from.",
          within=(0, 1)),
    Field("online.rate", 0.1,
          "Weight of a new frame's samples; ATOM's 0.01 per frame, over ten frames.",
          within=(0, 1)),
    Field("online.hard_rate", 0.18,
          "The same after a distractor; ATOM's 0.02 per frame.", within=(0, 1)),
    Field("online.distractor", 0.5,
          "A second box whose score reaches this fraction of the best is a distractor.",
          within=(0, 1)),
)
# fmt: on

FIELDS = _BEFORE + DATA_FIELDS + _AFTER
