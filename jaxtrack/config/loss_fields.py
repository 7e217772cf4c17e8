"""The settings of labels and losses, a part of `config.fields`."""

from jaxtrack.config.field import Field

# fmt: off
LOSS_FIELDS = (
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
)
# fmt: on
