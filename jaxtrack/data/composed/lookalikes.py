"""Look-alikes: composed videos in which copies of the target cross its path.

They test whether a tracker tells this object from others of its kind. `jaxtrack
compose` writes them; killed, it goes on where it stopped when run again.
"""

import dataclasses
import functools
import json
import pathlib
from collections.abc import Sequence

import numpy as np

from jaxtrack.data.composed import compose, cutouts, motion, scene, source, twins
from jaxtrack.data.composed.write import write_sequences
from jaxtrack.errors import InputError

SETTINGS = compose.SceneSettings(
    target_size=(0.12, 0.18), speed=(0.03, 0.12), zoom=0.15, light=0.1
)

_LEAST_FRAMES = 20
_CROSSINGS = (0.25, 0.9)  # When, as shares of the video; split among the look-alikes.
_FARTHEST = 2.2  # Before and after a crossing, in sides of the target's box.
_MISS = (0.1, 0.5)  # At the crossing, in the same unit; of one behind the target,
_MISS_IN_FRONT = (0.35, 0.5)  # and of one in front, so that it is never all hidden.


def compose_lookalikes(
    rng: np.random.Generator,
    photographs: Sequence[pathlib.Path],
    videos: Sequence[cutouts.Cutout],
    *,
    hw: tuple[int, int],
    length: int,
    settings: compose.SceneSettings = SETTINGS,
    difference: float = 0.5,
) -> scene.Scene:
    """Draws a scene of a target and two or three look-alikes that cross its path.

    A look-alike has the target's outline and bends, turns and grows much as it does.
    It stays about two sides of the target's box away, and once passes within half a
    side, before or behind it (`motion.random_passage`), each at a time of its own.
    None touches the target in the first frame. Paths do not depend on `difference`.

    Args:
      rng: source of randomness; the same state gives the same scene.
      photographs: at least two, for backgrounds and textures.
      videos: objects to cut out; may be empty.
      hw: height and width, px.
      length: number of frames, at least 20.
      settings: how to compose; its distractors and occluders are left out.
      difference: how much look-alikes may differ, from 0, identical, to 1; see
        `twins.twin`.

    Returns:
      The scene.

    Raises:
      InputError: if the video is too short or `difference` is not in [0, 1].
    """
    _check(length, difference)
    backdrops, shown, make = compose.stage(
        rng, photographs, videos, hw=hw, length=length, settings=settings
    )
    size = make.target_size()
    target = make.sprite(make.skin(size), size, path=_path(make, size))
    count = int(rng.integers(2, 4))
    first, last = (share * length for share in _CROSSINGS)
    crossings = first + (last - first) * (np.arange(count) + rng.random(count)) / count
    bearings = 2 * np.pi * (np.arange(count) / count + rng.random())
    behind, front = [], []
    for crossing, bearing in zip(crossings.astype(int), bearings, strict=True):
        is_front = bool(rng.random() < 0.5)
        other = twins.twin(
            rng, target, difference=difference, rotation_angle=settings.rotation_angle
        )
        offset = motion.random_passage(
            rng,
            make.times,
            crossing,
            bearing=bearing,
            distance=(1.8, _FARTHEST),
            miss=_MISS_IN_FRONT if is_front else _MISS,
        )
        boxes = target.boxes()
        centre = target.centre + offset * (boxes[:, 2:] - boxes[:, :2])
        other = dataclasses.replace(other, centre=centre)
        (front if is_front else behind).append(other)
    cast = (*behind, target, *front)
    return scene.Scene(hw, backdrops, shown, cast, len(behind), make.light())


def _check(length, difference):
    """Refuses a video without time to cross, and a share that is none."""
    if length < _LEAST_FRAMES:
        raise InputError(
            f"look-alikes need {_LEAST_FRAMES} frames or more to cross: not {length}"
        )
    if not 0 <= difference <= 1:
        raise InputError(
            f"difference is {difference}: it must lie in [0, 1], 0 is identical"
        )


def _path(make, size) -> np.ndarray:
    """Draws a path of the target that leaves room for its look-alikes, `[T, 2]` px."""
    rng = make.rng
    wh = np.array([make.hw[1], make.hw[0]], np.float64)
    room = np.maximum(wh / 2 - (_FARTHEST + 0.5) * size, 0.12 * wh)
    low, high = np.log(make.settings.speed)
    speed = size * float(np.exp(rng.uniform(low, high)))
    return wh / 2 + motion.random_drift(rng, room, period=(40, 160), max_speed=speed)(
        make.times
    )


def make_source(
    photos=None, *, difference: float = 0.5, **options
) -> source.ComposedSource:
    """Makes a source of videos with look-alikes, of the split "eval" unless told.

    Args:
      photos: see `ComposedSource`.
      difference: how much look-alikes may differ; see `compose_lookalikes`.
      **options: of `ComposedSource`; 120 frames a video unless told.

    Returns:
      The source; `write_sequences` writes it as folders.

    Raises:
      InputError: if `difference` or the length is out of range; or of
        `ComposedSource`.
    """
    options = {"split": "eval", "settings": SETTINGS, "length": 120, **options}
    _check(options["length"], difference)
    composer = functools.partial(compose_lookalikes, difference=difference)
    return source.ComposedSource(photos, composer=composer, **options)


def write(out: str | pathlib.Path, *, num: int, **options) -> list[pathlib.Path]:
    """Writes videos with look-alikes; what an earlier call has written is kept.

    Args:
      out: where to; made if absent.
      num: how many.
      **options: of `make_source`; plain values, which are noted in
        `OUT/lookalikes.json`.

    Returns:
      The sequences' folders.

    Raises:
      InputError: if `out` holds videos of other options, or an option is wrong.
    """
    if num < 1:
        raise InputError(f"--num is {num}: it must be at least 1")
    videos = make_source(num_tracks=num, **options)
    out = pathlib.Path(out)
    note = out / "lookalikes.json"
    if note.exists() and json.loads(note.read_text()) != options:
        raise InputError(
            f"{out} holds videos of other settings ({note.name}): delete it or choose "
            "another --out"
        )
    if not out.is_file():  # That is `write_sequences`' to refuse.
        out.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(options))
    return write_sequences(videos, out, prefix="lookalikes")
