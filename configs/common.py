"""Every setting of jaxtrack with its default; a model's file states differences.

The defaults are the released SiamCAR on pysot's schedule. The dictionary is locked: a
config file or a flag such as `--config.batch_sise=8` that invents a field is refused.
Fractions and probabilities lie in [0, 1]; crop sizes are pixels of the crop.
"""

from ml_collections import ConfigDict


def get_config() -> ConfigDict:
    """Returns the default settings, locked."""
    c = ConfigDict()

    # Network.
    c.model = "siamcar_r50"  # A key of jaxtrack.models.MODELS.
    c.correlation = ""  # "" (the model's own), "depthwise", "pixelwise" or "both".
    # SiamLA: "" (lafa), "aggregation", "non_local", "tower" or "centerness".
    c.localization = ""
    c.refinement = ""  # CRACT: "" or "cascade", "parallel".
    c.pooling = ""  # CRACT's proposals: "" or "pyramid" (6, 3, 1), "single" (6).
    c.pretrained = ""  # "", "imagenet" (Lite0 only) or a file of torch weights.
    c.dtype = "float32"  # Of the computation, or "bfloat16"; parameters stay float32.
    # What the network's weights expect: (RGB or BGR pixel - mean) / scale.
    c.preprocessing = ConfigDict(
        {"order": "BGR", "mean": (0.0, 0.0, 0.0), "scale": (1.0, 1.0, 1.0)}
    )

    # Data: packed folders (`python -m jaxtrack.data.build`) and composed scenes.
    c.records = ()  # Packed folders.
    c.record_weights = ()  # Share of pairs from each; empty means equal.
    c.synthetic_weight = 1.0  # Share of pairs from composed scenes.
    c.synthetic_photos = ""  # Folder of photographs; "" takes scikit-image's.
    c.synthetic_cutouts = ""  # Folder of sequences with masks whose objects are pasted.
    c.synthetic_patterns = ("*",)  # Names of those sequences.
    c.synthetic_split = "train"  # "all" leaves no photograph for evaluation.
    c.synthetic_tracks = 500
    c.synthetic_length = 60  # Frames a composed track lasts.
    c.frame_range = 100  # Largest distance between the two frames of a pair.
    c.negative_ratio = 0.0  # Pairs whose search image lacks the target.
    c.train_search_size = 0  # Side of the search crop in training; 0: as in tracking.
    c.skip_damaged = False  # True leaves out (and counts) unreadable frames.
    c.num_workers = 2  # Loader processes; 0 loads in the training process.

    # Augmentation, on crops; the defaults are pysot's.
    c.context = 0.5  # Context amount of a crop's side.
    c.template_shift = 4.0  # Largest shift, px.
    c.template_scale = 0.05  # Side factors are 1 + U(-1, 1) * scale on each axis.
    c.template_blur = 0.0
    c.template_color = 1.0
    c.search_shift = 64.0
    c.search_scale = 0.18
    c.search_blur = 0.2
    c.search_color = 1.0
    c.flip = 0.0  # Both crops together.
    c.gray = 0.0  # Both crops together.
    c.aspect = 0.0  # Extra log-aspect jitter of the search crop.
    c.fill_image = 0.0  # Outside of the image shows another image, not the mean.
    c.occluder = 0.0
    c.motion_blur = 0.0
    c.low_resolution = 0.0
    c.noise = 0.0
    c.tone = 0.0  # Gain, gamma, saturation.

    # Labels. Every assigner serves every network.
    c.assigner = "rectangle"  # Or "circle", "ellipse", "iou", "dla".
    c.positive_size = 0.4  # "rectangle": its side as a share of the box's.
    c.positive_min_half = 0.0  # "rectangle": its least half side, px.
    c.ignore_inside = False  # "rectangle": the rest of the box is ignored.
    c.positive_radius = 16.0  # "circle": its radius, px.
    c.ignore_radius = 0.0  # "circle": that of an ignored ring, px; 0 for none.
    c.iou_high = 0.6  # "iou": positive above.
    c.iou_low = 0.3  # "iou": negative below; ignored between.
    c.dla_points = 9  # "dla": points nearest to the target's centre, the paper's K.
    c.dla_ddof = 1  # "dla": 1 for the sample's deviation, 0 for the population's.
    c.dla_empty = "clamp"  # "dla": where nothing passes; or "argmax", "skip".
    c.dla_negatives = 4  # "dla": negatives drawn for one positive.
    c.virtual_anchor = 64.0  # Side of the anchors of a network without any, px.
    c.sampled_positives = 0  # At most so many an image, at random; 0 keeps all.
    c.sampled_negatives = 0
    # Where the search crop lacks the target: "all" cells are negative, a few in a
    # "window" around the other object, or what would be its "positives".
    c.negative_pairs = "all"

    # Loss.
    c.loss = "siamcar"  # Or "siamla", "siamrpnpp", "siamfcpp", "cract".
    c.focal_alpha = 0.75  # "siamfcpp": weight of positive cells.
    c.focal_gamma = 2.0  # "siamfcpp": exponent.
    # Or "giou"; deltas of anchors: "smooth_l1", or plain L1 where it is none of these.
    c.regression = "iou"
    c.centerness_weighted = True  # Regression weighted by the centre-ness target.
    c.quality = "centerness"  # Target of the centre-ness output, or "iou".
    c.hard_negatives = 0  # Hardest negatives an image, in a term of their own.
    c.cls_weights = (0.5, 0.5, 0.0)  # Positives, negatives, hardest negatives.
    # Classification, regression and, but for deltas of anchors, quality.
    c.loss_weights = (1.0, 3.0, 1.0)
    # Of "siamla" alone, the paper's.
    c.labels = "ladl"  # Or "region": 1 in the positive region, 0 outside.
    c.label_smoothing = 0.2  # Lambda of boundary points; 0 leaves LALS out.
    c.label_alpha = 0.5  # IoU whose label is a half.
    c.label_beta = 10.0  # Steepness.
    c.label_curve = "logistic"  # Or "linear".
    c.label_normalize = True  # Labels stretched to [0, 1] in each image.
    c.negative_weight_gradient = True  # Of the factor 1 + c.
    c.cls_reduction = "balanced"  # By cls_weights; or "positives", "cells".
    c.boundary_regression = True  # Boundary points train regression too.
    c.negative_target = "zero"  # Quality of sampled negatives, or their own "iou".

    # Refinement of proposals, of "cract" alone.
    c.refine = ConfigDict(
        {
            "train_proposals": 64,  # Of which those to learn from are drawn.
            "train_nms_iou": 0.75,
            "samples": 32,  # Proposals of an image that are refined in training,
            "positives": 16,  # and how many show the target at most.
            "positive_iou": 0.5,  # Above, a proposal shows the target.
            "jittered": 8,  # Boxes drawn around the target among the proposals.
            "loss_weights": (1.0, 1.0),  # Box regression, identifier.
            "proposals": 10,  # In tracking, the paper's N.
            "nms_iou": 0.5,
            "weight": 0.8,  # Of the refined score, the paper's beta; 0: RPN alone.
            "identifier": 0.4,  # The identifier's share of it, the paper's alpha.
            "window": 0.0,  # Share of a Hann window in the final score.
        }
    )
    # The discriminator that CRACT learns while it tracks; "identifier" = 1 and
    # "learns" = False leave it out.
    c.online = ConfigDict(
        {
            "learns": True,
            "channels": 64,  # Of its convolution,
            "kernel_size": 1,  # which is ATOM's projection.
            "hidden": 128,
            "regularization": (1e-4, 1e-3),  # Of the convolution, of the rest.
            "first_positives": 200,  # Samples of the first frame.
            "first_negatives": 1000,
            "first_steps": 6,  # Gauss-Newton steps there,
            "first_iterations": 10,  # and conjugate gradient iterations of each.
            "every": 10,  # Frames between two collections, the paper's K.
            "positives": 50,  # Samples of a later frame.
            "negatives": 200,
            "candidates": 400,  # Negatives of which the hardest are kept.
            "iterations": 5,  # Conjugate gradient iterations of an update.
            "groups": 8,  # Frames whose samples are remembered, the first among them.
            "short_frames": 30,  # A short-term update looks back so far.
            "success": 0.5,  # Refined score from which a frame is learnt from.
            # Weight of a new frame's samples: ATOM's 0.01 a frame makes 0.1 of ten.
            "rate": 0.1,
            "hard_rate": 0.18,  # Where a distractor was seen; ATOM's 0.02.
            "distractor": 0.5,  # A second box of so much of the best score is one.
        }
    )

    # Optimisation.
    c.seed = 0
    c.batch_size = 80  # Over all devices and accumulation steps.
    c.accumulate = 1  # Parts a device's batch is split into, one after the other.
    c.num_epochs = 20
    c.pairs_per_epoch = 600_000
    c.optimizer = "sgd"  # Or "adamw".
    c.schedule = "log"  # After warm-up: "log" (straight in log space) or "cosine".
    c.lr_warmup = 0.001  # At step 0.
    c.lr = 0.005  # After warm-up, at `batch_size` pairs a step (never rescaled).
    c.lr_end = 0.0005  # At the last step.
    c.warmup_epochs = 5.0
    c.backbone_from_epoch = 10.0  # The backbone is frozen before.
    c.backbone_lr_factor = 0.1
    c.momentum = 0.9  # SGD's momentum, or Adam's b1.
    c.adam_b2 = 0.999
    c.weight_decay = 1e-4
    c.clip_norm = 10.0  # Of the gradient over all parameters.
    c.ema_decay = 0.0  # Of the averaged parameters used for tracking; 0 keeps none.

    # Run.
    c.log_every = 20  # Steps.
    c.checkpoint_every = 1000  # Steps.
    c.keep_every = 0  # Keep checkpoints at multiples of this forever; 0 keeps none.
    c.keep_latest = 2

    # Tracking.
    # As SiamCAR's code selects; as pysot's does, with its crops; or "clean".
    c.selection = "released"
    c.penalty = 0.04
    c.window = 0.44
    c.size_rate = 0.33
    # Not of "released":
    c.quality_power = 1.0  # score = cls * quality ** quality_power.
    c.num_boxes = 1  # Boxes averaged around the best cell (SiamLA: 3).
    c.rate_by_quality = True  # The size follows cls * quality, or cls (SiamLA).

    c.lock()
    return c
