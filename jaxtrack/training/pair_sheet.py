"""Pictures of training pairs, to check boxes, labels and augmentation by eye."""

from collections.abc import Sequence

import cv2
import grain
import jax
import numpy as np
from ml_collections import ConfigDict

from jaxtrack.assign import label_batch, make_assigner, regions
from jaxtrack.data import mixture, order, pairs, transforms
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.portions import Portion
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.ops import grid
from jaxtrack.trackers import network_of
from jaxtrack.training.augmentation import augment_batch

_GREEN, _RED, _GRAY, _WHITE = (60, 220, 60), (240, 60, 60), (150, 150, 150), (255,) * 3
_GAP, _CAPTION = 4, 32  # px.
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.36


def draw_pairs(config: ConfigDict, *, num: int, columns: int = 4) -> np.ndarray:
    """Draws the first pairs that a training with these settings would see.

    A cell shows the template with the target's box on the left, the search crop on the
    right: box and positive places in green, ignored places in gray, and of a negative
    pair the other object's box in red. Of a photograph without boxes only the window is
    drawn, in white. Under it are the names of both tracks and the numbers of the
    frames.

    Args:
      config: see docs/settings.md.
      num: number of pairs.
      columns: pairs per row.

    Returns:
      A picture, `[H, W, 3]` uint8 RGB.

    Raises:
      InputError: see `jaxtrack.data.pipeline.make`.
    """
    network = network_of(config, training=True)
    geometry = network.geometry
    settings = PairSettings(
        template_size=geometry.template_size,
        search_size=geometry.search_size,
        context=config.data.context,
        negative_ratio=config.data.negative_ratio,
    )
    augmentation = Augmentation(**config.augment)
    portions = [p for p in mixture.make_portions(config) if p.is_used]
    mixture.check_extents(portions, transforms.reach(settings, augmentation))
    loader = PairLoader(portions, settings, augmentation, config.data.skip_damaged)
    clips = order.mix_clips(portions, config.run.seed)
    loaded = [_load(loader, clips, i, config.run.seed) for i in range(num)]
    batch = {name: np.stack([one[name] for one, _ in loaded]) for name in loaded[0][0]}
    key = jax.random.split(jax.random.key(config.run.seed), num)
    batch = jax.device_get(
        jax.jit(lambda key, batch: augment_batch(key, batch, augmentation))(key, batch)
    )
    assign = make_assigner(config, geometry, anchors=network.anchors)
    labeled = jax.jit(lambda batch: label_batch(assign, batch)[1])
    labels = np.asarray(labeled({**batch, "key": key}))
    points = np.asarray(grid.points(geometry)).reshape(-1, 2)
    cells = []
    for i, (_, said) in enumerate(loaded):
        pair = {name: value[i] for name, value in batch.items()}
        cells.append(_cell(pair, labels[i], points, said))
    return _tiled(cells, columns)


def _load(
    loader: PairLoader, clips: grain.MapDataset, index: int, seed: int
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Makes a pair, and names its tracks and frames."""
    number, clip = clips[index]
    draw = lambda: np.random.default_rng((seed, index))  # noqa: E731
    pair = pairs.sample_pair(
        *(loader.portions, number, clip, draw()),
        negative_ratio=loader.settings.negative_ratio,
    )
    said = [_named(loader.portions, frame) for frame in (pair.z, pair.x)]
    return loader.random_map((number, clip), draw()), said


def _named(portions: Sequence[Portion], frame: pairs.FrameBox) -> str:
    """Names a track and the frame of it."""
    portion = portions[frame.source]
    names = getattr(portion.source, "track_names", None)
    track = f"track {frame.track}" if names is None else str(names[frame.track])
    time = portion.source.track_times(frame.track)[frame.time]
    return f"{portion.name.rsplit('/', 1)[-1]}: {track} @{time}"


def _cell(pair, labels, points, said):
    """Draws one pair."""
    z, x = pair["z_image"].copy(), pair["x_image"].copy()
    is_positive, is_labeled = pair["is_positive"], pair.get("is_labeled", True)
    color = _GREEN if is_labeled else _WHITE
    _rectangle(z, pair["z_xyxy"], color)
    # Of the anchors of a place the best label counts.
    labels = labels.reshape(len(points), -1)
    kinds = (
        (_GRAY, (labels == regions.IGNORE).any(1), 1),
        (_GREEN, (labels == regions.POSITIVE).any(1), 2),
    )
    for dot, chosen, radius in kinds if is_labeled else ():
        for point in points[chosen]:
            center = tuple(np.round(point - 0.5).astype(int).tolist())
            cv2.circle(x, center, radius, dot, -1, cv2.LINE_AA)
    _rectangle(x, pair["xyxy"], color if is_positive else _RED)
    height = x.shape[0]
    width = z.shape[1] + _GAP + x.shape[1]
    cell = np.full((height + _CAPTION, width, 3), 30, np.uint8)
    cell[: z.shape[0], : z.shape[1]] = z
    cell[:height, z.shape[1] + _GAP :] = x
    said = [said[0], said[1] if is_positive else f"negative: {said[1]}"]
    for line, text in enumerate(said):
        place = (2, height + 13 + 14 * line)
        cv2.putText(cell, text[-62:], place, _FONT, _SIZE, _WHITE, 1, cv2.LINE_AA)
    return cell


def _rectangle(image, xyxy, color):
    """Draws a box, which may reach out of the picture."""
    limit = 4 * max(image.shape)
    corners = np.clip(np.round(np.asarray(xyxy, np.float64)), -limit, limit).astype(int)
    x0, y0, x1, y1 = corners.tolist()
    cv2.rectangle(image, (x0, y0), (x1 - 1, y1 - 1), color, 1)


def _tiled(cells, columns):
    """Lays cells out in rows."""
    columns = min(columns, len(cells))
    blank = np.full_like(cells[0], 30)
    cells = cells + [blank] * (-len(cells) % columns)
    pad = lambda cell: np.pad(cell, ((0, _GAP), (0, _GAP), (0, 0)))  # noqa: E731
    rows = [cells[first : first + columns] for first in range(0, len(cells), columns)]
    return np.concatenate(
        [np.concatenate([pad(cell) for cell in row], axis=1) for row in rows]
    )
