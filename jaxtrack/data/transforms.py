"""From two frames with boxes to one training pair.

Crops follow pysot's; everything else is off by default. Color, blur and flips change on
the device: `training/augmentation.py`.
"""

from collections.abc import Callable

import numpy as np

from jaxtrack.data import crops, frames
from jaxtrack.data.frames import Frame
from jaxtrack.data.settings import Augmentation, PairSettings

ReadFrame = Callable[[int], Frame]
ReadPicture = Callable[[], np.ndarray | None]


def draw_views(
    z_xyxy: np.ndarray,
    x_xyxy: np.ndarray,
    rng: np.random.Generator,
    *,
    settings: PairSettings,
    augmentation: Augmentation,
) -> tuple[crops.View, crops.View]:
    """Draws the views of both crops: around the targets, randomly shifted and scaled.

    The unscaled template shows `crops.context_side` frame pixels, the unscaled search
    crop `search_size / template_size` times as many. Shifts and scales are drawn as in
    `augmentation.jitter`, repeatedly if both crops must show the whole box
    (`augmentation.attempts`).

    Args:
      z_xyxy: box of the target in the template's frame, `[4]` xyxy px.
      x_xyxy: box of the target in the search frame, `[4]` xyxy px.
      rng: random numbers.
      settings: sizes and context.
      augmentation: largest shifts and scales, and how they are drawn.

    Returns:
      The views of the template crop and of the search crop.
    """
    a = augmentation
    laws = _LAWS[a.jitter]

    def draw(z_limits, x_limits):
        z = _draw_view(z_xyxy, settings, settings.template_size, z_limits, laws[0], rng)
        return z, _draw_view(
            x_xyxy, settings, settings.search_size, x_limits, laws[1], rng
        )

    limits = (
        (a.template_shift, a.template_scale, 0.0),
        (a.search_shift, a.search_scale, a.aspect),
    )
    if not a.attempts:
        return draw(*limits)
    for _ in range(a.attempts):
        z, x = draw(*limits)
        if _shows(z, z_xyxy) and _shows(x, x_xyxy):
            return z, x
    return draw((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def reach(settings: PairSettings, augmentation: Augmentation) -> float:
    """Returns the side of the square around a target that crops can show.

    With a template crop of `n` px and the largest shifts, scales and aspects, the side
    of the search crop is

        2 (size / 2n (1 + scale) exp(aspect / 2) + shift / n)

    "video_analyst" also scales the shift.

    Args:
      settings: sizes and context.
      augmentation: largest shifts and scales.

    Returns:
      The side, as a multiple of the template's `crops.context_side(wh)` at a context
      of 0.5.
    """
    a, n, c = augmentation, settings.template_size, settings.context
    sides = []
    for size, shift, scale, aspect in (
        (n, a.template_shift, a.template_scale, 0.0),
        (settings.search_size, a.search_shift, a.search_scale, a.aspect),
    ):
        of_shift = 1 + scale if a.jitter == "video_analyst" else 1.0
        half = size / 2 * (1 + scale) * np.exp(aspect / 2) + shift * of_shift
        sides.append(2 * half / n)
    # For a square box, and for a very oblong one.
    of_context = max((1 + 2 * c) / 2, np.sqrt(c * (1 + c) / 0.75))
    return float(max(sides) * of_context)


def cut_filled(
    frame: Frame,
    view: crops.View,
    size: int,
    *,
    read_other: ReadPicture | None = None,
) -> np.ndarray:
    """Cuts a view out of a frame, padded with the mean color or another image.

    Args:
      frame: the frame, or the part of it that the view shows.
      view: the rectangle of the crop.
      size: side of the crop, px.
      read_other: reads the image for padding, if it is needed. If it is None or returns
        None, the mean color of the frame is used.

    Returns:
      The crop, `[size, size, 3]` uint8.
    """
    hw = frame.hw[0] * frame.reduced, frame.hw[1] * frame.reduced
    if crops.is_inside(view, size, hw):  # Neither mean nor image is needed.
        return crops.cut(frame, view, size, np.zeros(3))
    crop = crops.cut(frame, view, size, frame.mean_color)
    other = None if read_other is None else read_other()
    if other is None:
        return crop
    rows, columns = crops.frame_part(view, size, hw)
    filled = frames.square(other, size)
    filled[rows, columns] = crop[rows, columns]
    return filled


def make_pair(
    read_z: ReadFrame,
    read_x: ReadFrame | None,
    z_xyxy: np.ndarray,
    x_xyxy: np.ndarray,
    rng: np.random.Generator,
    *,
    settings: PairSettings,
    augmentation: Augmentation,
    read_other: ReadPicture | None = None,
) -> dict[str, np.ndarray]:
    """Makes the crops of a pair; frames are read at the resolution that these need.

    Args:
      read_z: reads the template's frame, given how much it may be reduced.
      read_x: reads the search frame; None if it is the template's.
      z_xyxy: box in the template's frame, `[4]` xyxy px.
      x_xyxy: box in the search frame, `[4]` xyxy px.
      rng: random numbers.
      settings: sizes and context.
      augmentation: how crops are shifted, scaled and padded.
      read_other: reads an image for padding, if the augmentation needs one; or None.

    Returns:
      `z_image`, `x_image`, `z_xyxy` and `xyxy` of `data/batch.py`, without the batch
      axis.
    """
    options = {"settings": settings, "augmentation": augmentation}
    z, x = draw_views(z_xyxy, x_xyxy, rng, **options)
    z_size, x_size = settings.template_size, settings.search_size
    z_reduction, x_reduction = crops.reduction(z, z_size), crops.reduction(x, x_size)
    if read_x is None:
        z_frame = x_frame = read_z(min(z_reduction, x_reduction))
    else:
        z_frame, x_frame = read_z(z_reduction), read_x(x_reduction)
    if rng.random() >= augmentation.fill_image:
        read_other = None
    return {
        "z_image": cut_filled(z_frame, z, z_size, read_other=read_other),
        "x_image": cut_filled(x_frame, x, x_size, read_other=read_other),
        "z_xyxy": crops.to_crop(z_xyxy, z, z_size),
        "xyxy": crops.to_crop(x_xyxy, x, x_size),
    }


def _draw_view(xyxy, settings, size, limits, law, rng):
    """Draws one view with shift, scale and aspect within limits; see `draw_views`."""
    shift, scale, aspect = limits
    corners = np.asarray(xyxy, np.float64).reshape(2, 2)
    side = crops.context_side(corners[1] - corners[0], context=settings.context)
    per_pixel = side / settings.template_size
    factors, of_shift = law(scale, rng)
    shifts = rng.uniform(-1, 1, size=2) * shift * per_pixel * of_shift
    skew = rng.uniform(-1, 1) * aspect / 2
    factors = factors * np.exp([skew, -skew])
    return crops.View(corners.mean(axis=0) + shifts, per_pixel * size * factors)


def _of_each_side(scale, rng):
    """Draws one factor per side; shifts are in pixels of the unscaled crop."""
    return 1 + rng.uniform(-1, 1, size=2) * scale, 1.0


def _of_both_sides(scale, rng):
    """Draws one uniform factor for both sides and the shift."""
    factor = rng.uniform(1 / (1 + scale), 1 + scale)
    return factor, factor


def _of_both_sides_in_log(scale, rng):
    """Draws one log-uniform factor for both sides and the shift."""
    factor = (1 + scale) ** rng.uniform(-1, 1)
    return factor, factor


# How the factors of the template's and of the search crop's sides are drawn.
_LAWS = {
    "pysot": (_of_each_side, _of_each_side),
    "video_analyst": (_of_both_sides_in_log, _of_both_sides),
}


def _shows(view, xyxy):
    """Returns whether a view contains a whole box."""
    corners = crops.to_crop(xyxy, view, 1)
    return bool(corners.min() >= 0 and corners.max() <= 1)
