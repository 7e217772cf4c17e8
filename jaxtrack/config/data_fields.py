"""The settings of the training pairs, a part of `config.fields`."""

from jaxtrack.config.field import Field

# fmt: off
DATA_FIELDS = (
    # Data.
    Field("data.root", "", 'Folder of `data.records`; "" is the current folder.'),
    Field("data.records", (), "Packed folders: names or paths in `data.root`."),
    Field("data.record_weights", (),
          "Sampling weight of each packed folder; 0 leaves it out, () weights all"
          " equally.", least=0),
    Field("data.num_use", (),
          "Instead of weights: number of clips (videos or photographs) of each packed"
          " folder per epoch of the data, in random order; -1 is each clip once, 0"
          " leaves the folder out. pysot's NUM_USE.",
          unit="clips", least=-1),
    Field("data.track_patterns", (),
          'Glob patterns of packed tracks\' names, such as "drone_*", to which'
          " `data.track_weights` apply. The first match counts."),
    Field("data.track_weights", (),
          "Sampling weight of the tracks of each pattern: 0.1 shows them a tenth as"
          " often as the others, 0 never.", least=0),
    Field("data.composed_weight", 1.0,
          "Sampling weight of composed scenes, relative to `data.record_weights`, or to"
          " 1 for all folders together with `data.num_use`.", least=0),
    Field("data.composed_photos", "",
          "Folder of photographs for composed scenes, plain or packed; \"\" takes "
          "scikit-image's."),
    Field("data.composed_cutouts", "",
          "Folder of sequences with masks, plain or packed, whose objects are pasted; "
          '"" for none.'),
    Field("data.composed_patterns", ("*",), "Glob patterns of those sequences' names."),
    Field("data.composed_split", "train",
          'Split of the photographs for composed scenes; "all" leaves none to evaluate'
          " on.",
          choices=("train", "eval", "all")),
    Field("data.unlabeled", "",
          "Folder of photographs without boxes, plain or packed, on which the network"
          ' learns only from `loss.teachers`; "" for none.'),
    Field("data.unlabeled_weight", 0.25,
          "Sampling weight of these photographs, as `data.composed_weight`.", above=0),
    Field("data.scenes", 500, "Number of composed scenes.", above=0),
    Field("data.composed_length", 60, "Length of a composed scene.", unit="frames",
          above=0),
    Field("data.scene_frames", 0,
          "Frames rendered of each scene, chosen at random; 0 renders all.",
          unit="frames", least=0),
    Field("data.scene_epochs", 0,
          "Epochs after which new scenes are composed of the same pictures; 0 keeps"
          " the first scenes.", least=0),
    Field("data.frame_range", 100, "Largest distance between the two frames of a pair.",
          unit="frames", above=0),
    Field("data.frame_ranges", (),
          "The same for each packed folder, in the order of `data.records`; () takes"
          " `data.frame_range` for all.", unit="frames", above=0),
    Field("data.negative_ratio", 0.0,
          "Share of pairs whose search image does not show the target.", within=(0, 1)),
    Field("data.context", 0.5,
          "Context c of a crop: the template is a square of side sqrt((w + p) (h + p))"
          " with p = c (w + h), around a w x h box. Tracking uses the same.", least=0),
    Field("data.search_size", 0,
          "Side of the search crop in training; 0 is the network's own.", unit="px",
          least=0),
    Field("data.skip_damaged", False,
          "Skip (and count) frames that cannot be read, instead of stopping."),
    Field("data.bank", "auto",
          "Cache of decoded frames for all loader processes: a folder on a local disk"
          ' or tmpfs. "auto" decides by space and by how often frames are read, and'
          ' says so; "off" decodes for every pair.'),
    Field("data.num_workers", 2, "Loader processes; 0 loads in the training process.",
          least=0),
    # Augment.
    Field("augment.jitter", "pysot",
          'How shifts and scales are drawn: "pysot" as described below; "video_analyst"'
          " (SiamFC++) with one factor for both sides, uniform in [1 / (1 + scale), 1 +"
          " scale] (for the template: log-uniform), then shifts in px of the scaled"
          " crop.", choices=("pysot", "video_analyst")),
    Field("augment.attempts", 0,
          "Largest number of draws until both crops show the whole box; otherwise"
          " crops are neither shifted nor scaled (video_analyst: 50). 0 draws once.",
          least=0),
    Field("augment.template_shift", 4.0,
          "Largest shift of the template crop along each axis.", unit="px", least=0),
    Field("augment.template_scale", 0.05,
          "Each side of the template crop is multiplied by 1 + U(-1, 1) * scale.",
          within=(0, 1)),
    Field("augment.template_blur", 0.0, "Plus-shaped blur of the template.",
          within=(0, 1)),
    Field("augment.template_color", 1.0,
          "PCA color shift of the template, as in AlexNet.",
          within=(0, 1)),
    Field("augment.search_shift", 64.0,
          "As `augment.template_shift`, for the search crop.", unit="px", least=0),
    Field("augment.search_scale", 0.18,
          "As `augment.template_scale`, for the search crop.", within=(0, 1)),
    Field("augment.search_blur", 0.2,
          "As `augment.template_blur`, for the search crop.", within=(0, 1)),
    Field("augment.search_color", 1.0,
          "As `augment.template_color`, for the search crop.", within=(0, 1)),
    Field("augment.aspect", 0.0,
          "Largest change of aspect ratio of the search crop, as a logarithm a: the"
          " width is multiplied by exp(a / 2), the height by exp(-a / 2).", least=0),
    Field("augment.flip", 0.0, "Flip both crops horizontally.", within=(0, 1)),
    Field("augment.gray", 0.0, "Turn both crops gray.", within=(0, 1)),
    Field("augment.fill_image", 0.0,
          "Pad crops beyond the frame with another image, not with the mean color.",
          within=(0, 1)),
    Field("augment.occluder", 0.0,
          "Cover part of the target in the search crop with a piece of its"
          " surroundings.", within=(0, 1)),
    Field("augment.occluder_ignored", False,
          "Ignore the covered locations of the target instead of labeling them as"
          " positive."),
    Field("augment.motion_blur", 0.0, "Motion blur of the search crop.",
          within=(0, 1)),
    Field("augment.low_resolution", 0.0,
          "Shrink the search crop and enlarge it again.", within=(0, 1)),
    Field("augment.noise", 0.0, "Gaussian noise in the search crop.", within=(0, 1)),
    Field("augment.tone", 0.0, "Change gain, gamma and saturation of each crop.",
          within=(0, 1)),
)
# fmt: on
