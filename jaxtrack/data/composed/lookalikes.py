"""Look-alikes: composed videos in which copies of the target cross its path.

They test whether a tracker distinguishes the target from similar objects. `jaxtrack
compose` writes them; run it again to continue after an interruption.
"""

import dataclasses
import functools
import json
import pathlib

import numpy as np

from jaxtrack.data.composed import compose, motion, scene, source, sprites
from jaxtrack.data.composed.write import write_sequences
from jaxtrack.errors import InputError

SETTINGS = compose.SceneSettings(
    target_size=(0.12, 0.18), speed=(0.03, 0.12), zoom=0.15, light=0.1
)

_LEAST_FRAMES = 20
_CROSSINGS = (0.25, 0.9)  # Times, as fractions of the video, for all look-alikes.
_FARTHEST = 2.2  # Distance before and after a crossing, in sides of the target's box.
_MISS = (0.1, 0.5)  # Distance at the crossing, same unit, of one behind the target,
_MISS_IN_FRONT = (0.35, 0.5)  # and of one in front, which never hides all of it.

_SIZE = 0.12  # Largest differences of twins: of the logarithm of size,
_LIGHT = 0.25  # of brightness,
_HUE = 0.7  # of hue, radians,
_SHIFT = 0.5  # and of the positions of texture and marking, rest units.


def compose_lookalikes(make: compose.Maker, *, difference: float = 0.5) -> scene.Scene:
    """Draws a scene of a target and two or three look-alikes that cross its path.

    A look-alike has the target's outline and bends, turns and grows much like it.
    It stays about two sides of the target's box away, and once passes within half a
    side, in front or behind (`motion.random_passage`), each at a different time.
    None touches the target in the first frame. Paths do not depend on `difference`.

    Args:
      make: of 20 frames or more; distractors and occluders of its settings are ignored.
      difference: how much look-alikes may differ, from 0 (identical) to 1; see `twin`.

    Returns:
      The scene; the same state of `make.rng` gives the same one.
    """
    rng, length = make.rng, len(make.times)
    size = make.target_size()
    skin, wh = make.skin(size), np.array([make.hw[1], make.hw[0]], np.float64)
    # A path that leaves room for the look-alikes.
    room = np.maximum(wh / 2 - (_FARTHEST + 0.5) * size, 0.12 * wh)
    path = wh / 2 + make.drift(room, (40, 160), max_speed=make.speed(size))
    target = make.sprite(skin, size, path=path)
    boxes = target.boxes()
    count = int(rng.integers(2, 4))
    first, last = (share * length for share in _CROSSINGS)
    crossings = first + (last - first) * (np.arange(count) + rng.random(count)) / count
    bearings = 2 * np.pi * (np.arange(count) / count + rng.random())
    behind, front = [], []
    for crossing, bearing in zip(crossings.astype(int), bearings, strict=True):
        is_front = bool(rng.random() < 0.5)
        angle = make.settings.rotation_angle
        other = twin(rng, target, difference=difference, rotation_angle=angle)
        offset = motion.random_passage(
            rng,
            make.times,
            crossing,
            bearing=bearing,
            distance=(1.8, _FARTHEST),
            miss=_MISS_IN_FRONT if is_front else _MISS,
        )
        center = target.center + offset * (boxes[:, 2:] - boxes[:, :2])
        other = dataclasses.replace(other, center=center)
        (front if is_front else behind).append(other)
    return make.scene(behind, target, front)


def twin(
    rng: np.random.Generator,
    target: sprites.Sprite,
    *,
    difference: float,
    rotation_angle: float = 0.26,
) -> sprites.Sprite:
    """Draws an object with the target's outline.

    It bends like the target at other times, and rotates a little by itself, but not in
    the first frame. Its size, hue, brightness and the positions of texture and marking
    differ by random fractions of `difference` times the largest differences (12 %, 40
    degrees, 25 %, half the object); at 1 every second one is also mirrored inside its
    outline. A cut-out keeps its video, or is mirrored.

    Args:
      rng: source of randomness; the number of draws does not depend on `difference`.
      target: the object to copy.
      difference: how much they may differ, from 0 (identical) to 1.
      rotation_angle: twice the largest rotation relative to the target, radians.

    Returns:
      The object.
    """
    size, light, hue = rng.uniform(-1, 1, 3)
    texture_shift, marking_shift = _SHIFT * difference * rng.uniform(-1, 1, (2, 2))
    is_mirrored = bool(rng.random() < 0.5 * difference)
    times = np.arange(len(target.center))
    turn = motion.random_drift(rng, times, [rotation_angle], period=(40, 160))[:, 0]
    marking = target.marking
    if marking is not None:
        marking = marking._replace(curve=marking.curve + marking_shift)
    colors = (1 + _LIGHT * difference * light) * hue_turn(_HUE * difference * hue)
    return dataclasses.replace(
        target,
        skin=_changed(target.skin, texture_shift, is_mirrored),
        matrix=motion.turned(turn - turn[0], 1.0, 1.0)
        @ target.matrix
        * np.exp(_SIZE * difference * size),
        ripple=target.ripple._replace(phase=rng.random(target.ripple.phase.shape)),
        marking=marking,
        tint=colors if target.tint is None else colors @ target.tint,
    )


def _changed(skin, shift, is_mirrored):
    """Moves and mirrors a texture within its outline, or mirrors a cut-out."""
    if isinstance(skin, sprites.Footage):
        return skin._replace(mirror=skin.mirror != is_mirrored)
    scale = skin.scale * (-1.0 if is_mirrored else 1.0, 1.0)
    return skin._replace(scale=scale, offset=skin.offset + shift * skin.scale)


def hue_turn(angle: float) -> np.ndarray:
    """Returns the rotation of RGB about the axis of grays (Rodrigues' formula).

    Args:
      angle: radians; a third of a turn maps red to green.

    Returns:
      `[3, 3]`; grays do not change.
    """
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / np.sqrt(3)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _check(length, difference):
    """Checks the length of the video and the range of `difference`."""
    if length < _LEAST_FRAMES:
        raise InputError(
            f"look-alikes need {_LEAST_FRAMES} frames or more: length is {length}"
        )
    if not 0 <= difference <= 1:
        raise InputError(
            f"difference is {difference}: it must be in [0, 1], 0 is identical"
        )


def make_source(
    photos=None, *, difference: float = 0.5, **options
) -> source.ComposedSource:
    """Makes a source of videos with look-alikes, by default of the split "eval".

    Args:
      photos: see `ComposedSource`.
      difference: how much look-alikes may differ; see `compose_lookalikes`.
      **options: of `ComposedSource`; by default 120 frames per video.

    Returns:
      The source; `write_sequences` writes it as folders.

    Raises:
      InputError: if `difference` or the length is out of range; see also
        `ComposedSource`.
    """
    options = {"split": "eval", "settings": SETTINGS, "length": 120, **options}
    _check(options["length"], difference)
    composer = functools.partial(compose_lookalikes, difference=difference)
    return source.ComposedSource(photos, composer=composer, **options)


def write(out: str | pathlib.Path, *, num: int, **options) -> list[pathlib.Path]:
    """Writes videos with look-alikes; finished ones of an earlier call are kept.

    Args:
      out: the output folder; created if missing.
      num: number of videos.
      **options: of `make_source`; plain values, which are recorded in
        `OUT/lookalikes.json`.

    Returns:
      The sequences' folders.

    Raises:
      InputError: if `out` has videos of other options, or an option is wrong.
    """
    if num < 1:
        raise InputError(f"--num is {num}: it must be at least 1")
    videos = make_source(num_tracks=num, **options)
    out = pathlib.Path(out)
    note = out / "lookalikes.json"
    if note.exists() and json.loads(note.read_text()) != options:
        raise InputError(
            f"{out} has videos of other settings ({note.name}): delete it or choose "
            "another --out"
        )
    if not out.is_file():  # `write_sequences` raises for a file.
        out.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(options))
    return write_sequences(videos, out, prefix="lookalikes")
