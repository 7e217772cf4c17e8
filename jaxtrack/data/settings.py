"""Options of drawing, cropping and augmenting a pair."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PairSettings:
    """How two frames become a template and a search crop.

    Attributes:
      template_size: side of the template crop, px.
      search_size: side of the search crop, px.
      context: share `c` of the context: the template shows a square of side
        `sqrt((w + p) (h + p))`, `p = c (w + h)`, around a `w x h` box.
      negative_ratio: share of pairs whose search image lacks the target.
    """

    template_size: int
    search_size: int
    context: float
    negative_ratio: float


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """What is done to a pair of crops: the group "augment" of the settings.

    `*_shift` are px of the crop, `*_scale` and `aspect` relative sizes, `*_color`,
    `*_blur` and all from `flip` on probabilities in [0, 1].

    Attributes:
      jitter: how shifts and scales are drawn. "pysot": as the fields below say.
        "video_analyst" (SiamFC++): both sides share a factor, uniform from
        `1 / (1 + scale)` to `1 + scale` (the template's in its logarithm), and a shift
        is px of the scaled crop.
      attempts: they are drawn at most so often until both crops show the whole box,
        and left out if none does; 0 draws once, whatever is shown.
      template_shift: largest shift of the template crop on each axis.
      template_scale: the sides of the template crop are multiplied by
        `1 + U(-1, 1) * scale`, each axis on its own.
      template_blur: a plus-shaped blur of the template.
      template_color: a shift of the template's colour along natural directions.
      search_shift: as `template_shift`, of the search crop.
      search_scale: as `template_scale`, of the search crop.
      search_blur: as `template_blur`, of the search crop.
      search_color: as `template_color`, of the search crop.
      flip: both crops mirrored.
      gray: both crops without colour.
      aspect: largest extra log-aspect `a` of the search crop: its width is multiplied
        by `exp(a / 2)`, its height by `exp(-a / 2)`.
      fill_image: outside of the frame shows another image, not the mean colour.
      occluder: a piece of the surroundings covers part of the target in the search
        crop.
      occluder_ignored: labels neither reward nor punish what that piece covers.
      motion_blur: the search crop is blurred along a line.
      low_resolution: the search crop loses detail by shrinking and enlarging.
      noise: the search crop gets Gaussian noise.
      tone: gain, gamma and saturation of each crop change.
    """

    jitter: str
    attempts: int
    template_shift: float
    template_scale: float
    template_blur: float
    template_color: float
    search_shift: float
    search_scale: float
    search_blur: float
    search_color: float
    flip: float
    gray: float
    aspect: float
    fill_image: float
    occluder: float
    occluder_ignored: bool
    motion_blur: float
    low_resolution: float
    noise: float
    tone: float
