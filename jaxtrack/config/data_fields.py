"""The settings of pairs to train on, a part of `config.fields`."""

from jaxtrack.config.field import Field

# fmt: off
DATA_FIELDS = (
    # Data.
    Field("data.root", "", 'Folder that `data.records` are in; "" is the present one.'),
    Field("data.records", (), "Packed folders: names or paths in `data.root`."),
    Field("data.record_weights", (),
          "Share of pairs from each packed folder; 0 leaves it out, () gives equal"
          " shares.", least=0),
    Field("data.num_use", (),
          "Instead of shares: how many clips (videos or photographs) of each packed"
          " folder an epoch of the data shows, all in random order; -1 is each clip"
          " once, 0 leaves the folder out. What pysot calls NUM_USE.",
          unit="clips", least=-1),
    Field("data.track_patterns", (),
          'Glob patterns of names of packed tracks, such as "drone_*", that count'
          " `data.track_weights`. The first that fits decides."),
    Field("data.track_weights", (),
          "As how many other tracks one of each pattern counts: 0.1 shows it a tenth as"
          " often, 0 never.", least=0),
    Field("data.composed_weight", 1.0,
          "Share of pairs from composed scenes, beside `data.record_weights`, or beside"
          " 1 for all folders where `data.num_use` counts.", least=0),
    Field("data.composed_photos", "",
          "Folder of photographs for composed scenes, plain or packed; \"\" takes "
          "scikit-image's."),
    Field("data.composed_cutouts", "",
          "Folder of sequences with masks, plain or packed, whose objects are pasted; "
          '"" for none.'),
    Field("data.composed_patterns", ("*",), "Glob patterns of those sequences."),
    Field("data.composed_split", "train",
          'Photographs that scenes are composed of; "all" leaves none for evaluation.',
          choices=("train", "eval", "all")),
    Field("data.scenes", 500, "Number of composed scenes.", above=0),
    Field("data.composed_length", 60, "Length of a composed scene.", unit="frames",
          above=0),
    Field("data.scene_frames", 0,
          "Frames of each scene that are drawn, chosen at random from its length; 0"
          " draws all.", unit="frames", least=0),
    Field("data.scene_epochs", 0,
          "Epochs after which other scenes are composed of the same pictures; 0 keeps"
          " the first ones.", least=0),
    Field("data.frame_range", 100, "Largest distance between the two frames of a pair.",
          unit="frames", above=0),
    Field("data.frame_ranges", (),
          "The same of each packed folder, in the order of `data.records`; () takes"
          " `data.frame_range` for all.", unit="frames", above=0),
    Field("data.negative_ratio", 0.0,
          "Share of pairs whose search image does not show the target.", within=(0, 1)),
    Field("data.context", 0.5,
          "Context c of a crop: the template shows a square of side sqrt((w + p) (h +"
          " p)), p = c (w + h), around a w x h box. Tracking uses the same.", least=0),
    Field("data.search_size", 0,
          "Side of the search crop in training; 0 is the network's own.", unit="px",
          least=0),
    Field("data.skip_damaged", False,
          "Leave out (and count) frames that cannot be read, instead of stopping."),
    Field("data.bank", "auto",
          "Where decoded frames are kept for all loader processes: a folder on local"
          ' disk or tmpfs. "auto" decides by space and by how often frames are read,'
          ' and says so; "off" decodes for every pair.'),
    Field("data.num_workers", 2, "Loader processes; 0 loads in the training process.",
          least=0),
    # Augment.
    Field("augment.jitter", "pysot",
          'How shifts and scales are drawn: "pysot" as told below; "video_analyst"'
          " (SiamFC++) one factor for both sides, uniform in [1 / (1 + scale), 1 +"
          " scale] (the template's in its logarithm), then shifts in px of the scaled"
          " crop.", choices=("pysot", "video_analyst")),
    Field("augment.attempts", 0,
          "They are drawn at most so often until both crops show the whole box, and"
          " left out if none does (video_analyst: 50); 0 draws once.",
          least=0),
    Field("augment.template_shift", 4.0,
          "Largest shift of the template crop on each axis.", unit="px", least=0),
    Field("augment.template_scale", 0.05,
          "Each side of the template crop is multiplied by 1 + U(-1, 1) * scale.",
          within=(0, 1)),
    Field("augment.template_blur", 0.0, "Plus-shaped blur of the template.",
          within=(0, 1)),
    Field("augment.template_color", 1.0,
          "Shift of the template's colour along the natural directions of AlexNet.",
          within=(0, 1)),
    Field("augment.search_shift", 64.0,
          "As `augment.template_shift`, of the search crop.", unit="px", least=0),
    Field("augment.search_scale", 0.18,
          "As `augment.template_scale`, of the search crop.", within=(0, 1)),
    Field("augment.search_blur", 0.2, "As `augment.template_blur`, of the search crop.",
          within=(0, 1)),
    Field("augment.search_color", 1.0,
          "As `augment.template_color`, of the search crop.", within=(0, 1)),
    Field("augment.aspect", 0.0,
          "Largest log-aspect a of the search crop: its width is multiplied by exp(a"
          " / 2), its height by exp(-a / 2).", least=0),
    Field("augment.flip", 0.0, "Both crops are mirrored.", within=(0, 1)),
    Field("augment.gray", 0.0, "Both crops lose their colour.", within=(0, 1)),
    Field("augment.fill_image", 0.0,
          "Outside of the frame shows another image, not the mean colour.",
          within=(0, 1)),
    Field("augment.occluder", 0.0,
          "A piece of the surroundings covers part of the target in the search crop.",
          within=(0, 1)),
    Field("augment.motion_blur", 0.0, "The search crop is blurred along a line.",
          within=(0, 1)),
    Field("augment.low_resolution", 0.0,
          "The search crop loses detail: it is shrunk and enlarged.", within=(0, 1)),
    Field("augment.noise", 0.0, "Gaussian noise is added to the search crop.",
          within=(0, 1)),
    Field("augment.tone", 0.0, "Gain, gamma and saturation of each crop change.",
          within=(0, 1)),
)
# fmt: on
