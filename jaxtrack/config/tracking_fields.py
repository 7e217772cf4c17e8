"""The settings of tracking, a part of `config.fields`."""

from jaxtrack.config.field import Field

# fmt: off
TRACKING_FIELDS = (
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
    Field("tracking.recovery_ratio", 0.85,
          "Over time: a lost target is found again when the score reaches this fraction"
          " of the usual score, 2 % less with every frame.", within=(0, 1)),
    Field("tracking.recovery_reach", 0.05,
          "Over time: how much farther from its expected position a lost target may be"
          " found, per frame.", unit="sqrt(area)", least=0),
    Field("tracking.confident_ratio", 0.93,
          "Over time: velocity and trusted size are updated when the score reaches this"
          " fraction of the usual score.", within=(0, 1)),
    Field("tracking.shrink_rate", 0.05,
          "Over time: weight of the new size in the trusted size when it shrinks, per"
          " frame.",
          within=(0, 1)),
    Field("tracking.velocity_rate", 0.1,
          "Over time: weight of the last prediction error in the velocity; 0 assumes no"
          " motion.", within=(0, 1)),
    Field("tracking.lost_decay", 0.9,
          "Over time: factor on velocity and window, per frame, while the target is"
          " lost.", within=(0, 1)),
    Field("tracking.distractor_penalty", 0.8,
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
