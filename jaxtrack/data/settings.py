"""Options for drawing, cropping and augmenting pairs."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class PairSettings:
    """How two frames become a template and a search crop.

    Attributes:
      template_size: side of the template crop, px.
      search_size: side of the search crop, px.
      context: factor `c` of the context: the template is a square of side
        `sqrt((w + p) (h + p))`, `p = c (w + h)`, around a `w x h` box.
      negative_ratio: share of pairs whose search image does not show the target.
    """

    template_size: int
    search_size: int
    context: float
    negative_ratio: float


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Augmentation of a pair of crops: the group "augment" of the settings.

    `*_shift` are px of the crop, `*_scale` and `aspect` are relative sizes; `*_color`,
    `*_blur` and everything from `flip` on are probabilities in [0, 1].

    Attributes:
      jitter: how shifts and scales are drawn. "pysot": as described below.
        "video_analyst" (SiamFC++): one factor for both sides, uniform from
        `1 / (1 + scale)` to `1 + scale` (for the template: log-uniform), and a shift
        in px of the scaled crop.
      attempts: largest number of draws until both crops show the whole box; otherwise
        crops are neither shifted nor scaled. 0 draws once.
      template_shift: largest shift of the template crop along each axis.
      template_scale: each side of the template crop is multiplied by
        `1 + U(-1, 1) * scale`.
      template_blur: plus-shaped blur of the template.
      template_color: PCA color shift of the template.
      search_shift: as `template_shift`, for the search crop.
      search_scale: as `template_scale`, for the search crop.
      search_blur: as `template_blur`, for the search crop.
      search_color: as `template_color`, for the search crop.
      flip: flips both crops horizontally.
      gray: turns both crops gray.
      aspect: largest change of the search crop's aspect ratio, as a logarithm `a`: the
        width is multiplied by `exp(a / 2)`, the height by `exp(-a / 2)`.
      fill_image: pads crops with another image, not with the mean color.
      occluder: covers part of the target in the search crop with a piece of its
        surroundings.
      occluder_ignored: whether labels ignore the covered cells.
      motion_blur: motion blur of the search crop.
      low_resolution: shrinks the search crop and enlarges it again.
      noise: Gaussian noise in the search crop.
      tone: changes gain, gamma and saturation of each crop.
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
