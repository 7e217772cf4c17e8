"""Draws the random choices that make a scene."""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from jaxtrack.data.composed import cutouts, motion, scene, shapes, sprites


@dataclasses.dataclass(frozen=True)
class SceneSettings:
    """How scenes are composed; probabilities and shares lie in [0, 1].

    Attributes:
      target_size: smallest and largest target as shares of the frame's shorter side;
        size is the root of the outline box's area, before the scene's zoom.
      speed: slowest and fastest bound of the target's motion, sizes a frame.
      zoom: largest change of size over time, natural logarithm.
      cutout: probability that a target is a cut-out, if there are any.
      rotation: probability that an object turns by up to `rotation_angle`.
      rotation_angle: radians either way.
      bend: strength of the ripple that bends painted objects; cut-outs, which move
        by themselves, get a quarter.
      distractors: probability that other objects are about.
      lookalike: probability that a distractor has the target's outline and texture.
      occluder: probability that something passes in front of the target, if it does
        not touch it in the first frame.
      motion_blur: probability that fast sprites are smeared.
      light: largest change of brightness over time.
      background_change: probability that the background is cut to another photograph
        once, while the objects go on as they were. Good for training, odd to watch.
    """

    target_size: tuple[float, float] = (0.10, 0.42)
    speed: tuple[float, float] = (0.02, 0.3)
    zoom: float = 0.35
    cutout: float = 0.7
    rotation: float = 0.3
    rotation_angle: float = 0.26
    bend: float = 0.5
    distractors: float = 0.6
    lookalike: float = 0.33
    occluder: float = 0.3
    motion_blur: float = 0.25
    light: float = 0.15
    background_change: float = 0.0


def compose(
    rng: np.random.Generator,
    photographs: Sequence[pathlib.Path],
    videos: Sequence[cutouts.Cutout],
    *,
    hw: tuple[int, int],
    length: int,
    settings: SceneSettings,
) -> scene.Scene:
    """Draws a scene.

    Args:
      rng: source of randomness; the same state gives the same scene.
      photographs: at least two, for backgrounds and textures.
      videos: objects to cut out; may be empty.
      hw: height and width, px.
      length: number of frames.
      settings: how to compose.

    Returns:
      The scene.
    """
    backdrops, shown, make = stage(
        rng, photographs, videos, hw=hw, length=length, settings=settings
    )
    size = make.target_size()
    target = make.sprite(make.skin(size), size)
    behind, front = [], []
    if rng.random() < settings.distractors:
        for _ in range(int(rng.integers(1, 4))):
            other = make.distractor(target, size)
            is_clear = not _touch(other, target)
            (front if is_clear and rng.random() < 0.4 else behind).append(other)
    if rng.random() < settings.occluder:
        occluder = make.occluder(target, size)
        (behind if _touch(occluder, target) else front).append(occluder)
    cast = (*behind, target, *front)
    return scene.Scene(hw, backdrops, shown, cast, len(behind), make.light())


def stage(
    rng: np.random.Generator,
    photographs: Sequence[pathlib.Path],
    videos: Sequence[cutouts.Cutout],
    *,
    hw: tuple[int, int],
    length: int,
    settings: SceneSettings,
) -> tuple[tuple[scene.Backdrop, ...], np.ndarray, "Maker"]:
    """Draws what is behind a scene, and readies what makes its sprites.

    Args:
      rng: source of randomness.
      photographs: see `compose`.
      videos: see `compose`.
      hw: height and width, px.
      length: number of frames.
      settings: how to compose.

    Returns:
      The backdrops, the index `[T]` of the one shown, and a maker that takes textures
      from the other photographs, if there are others.
    """
    times = np.arange(length)
    order = rng.permutation(len(photographs))
    num_backdrops = 1 + (rng.random() < settings.background_change)
    backdrops = tuple(
        _backdrop(rng, photographs[order[k]], times) for k in range(num_backdrops)
    )
    shown = np.zeros(length, int)
    if num_backdrops > 1:
        shown[int(length * rng.uniform(0.2, 0.8)) :] = 1
    textures = [photographs[k] for k in order[num_backdrops:]] or list(photographs)
    return backdrops, shown, Maker(rng, textures, videos, hw, times, settings)


def _backdrop(rng, photo, times) -> scene.Backdrop:
    """Draws a camera's path over a photograph."""
    view = rng.uniform(0.5, 0.85)
    zoom = motion.random_drift(rng, [rng.uniform(0, 0.12)], period=(60, 240))
    room = (1 - view) / 2
    pan = motion.random_drift(rng, [room, room], period=(80, 300), max_speed=0.012)
    shake = motion.random_drift(rng, [0.003, 0.003], period=(5, 15))
    turn = motion.random_drift(rng, [rng.uniform(0, 0.06)], period=(60, 240))
    centre = 0.5 + pan(times) + rng.random() * shake(times)
    height = view * np.exp(zoom(times)[:, 0])
    mirror = bool(rng.random() < 0.5)
    return scene.Backdrop(photo, centre, height, turn(times)[:, 0], mirror)


@dataclasses.dataclass(frozen=True)
class Maker:
    """Makes the sprites and the light of one scene; every call draws anew.

    Attributes:
      rng: source of randomness.
      textures: photographs that fill outlines.
      videos: objects to cut out.
      hw: height and width, px.
      times: `[T]` numbers of the frames.
      settings: how to compose.
    """

    rng: np.random.Generator
    textures: list[pathlib.Path]
    videos: Sequence[cutouts.Cutout]
    hw: tuple[int, int]
    times: np.ndarray
    settings: SceneSettings

    def target_size(self) -> float:
        """Draws the size of a target, px."""
        low, high = np.log(self.settings.target_size)
        return min(self.hw) * float(np.exp(self.rng.uniform(low, high)))

    def light(self) -> np.ndarray:
        """Draws the brightness of each colour over time, `[T, 3]`."""
        bound = [self.settings.light] * 3
        drift = motion.random_drift(self.rng, bound, period=(40, 200))(self.times)
        return 1 + drift.mean(-1, keepdims=True) + 0.25 * drift

    def skin(self, size: float) -> sprites.Paint | sprites.Footage:
        """Draws an object's outline and texture."""
        rng = self.rng
        if self.videos and rng.random() < self.settings.cutout:
            return self.footage(self.videos[int(rng.integers(len(self.videos)))])
        if rng.random() < 0.6:
            return self.paint(shapes.blob(rng), size)
        return self.paint(shapes.rounded_polygon(rng), size)

    def footage(self, video: cutouts.Cutout) -> sprites.Footage:
        """Draws when a video starts and how fast it plays, there and back again."""
        count = len(video.images)
        pace = 1.0 if self.rng.random() < 0.8 else 0.5
        position = self.rng.integers(2 * count) + pace * self.times
        position = position.astype(int) % (2 * count)
        frames = np.minimum(position, 2 * count - 1 - position)
        return sprites.Footage(video, frames, bool(self.rng.random() < 0.5))

    def paint(self, curve, size: float, *, photo=None) -> sprites.Paint:
        """Draws the window of a photograph that fills a curve."""
        rng = self.rng
        if photo is None:
            photo = self.textures[int(rng.integers(len(self.textures)))]
        # Photograph px a rest unit: about as many as the object has px, so that
        # texture is neither blurred nor lost. Places wrap by reflection.
        scale = np.clip(size * np.exp(rng.uniform(-0.2, 1.0)), 24, 400)
        offset = rng.uniform(0.2, 0.8, 2) * 500
        mirror = np.where(rng.random(2) < 0.5, -1.0, 1.0)
        return sprites.Paint(curve, photo, scale * mirror, offset)

    def sprite(self, skin, size: float, *, path: np.ndarray | None = None):
        """Draws the motion and looks of an object of `size` px."""
        rng, settings, times = self.rng, self.settings, self.times
        is_footage = isinstance(skin, sprites.Footage)
        zoom = motion.random_drift(
            rng, [rng.random() * settings.zoom], period=(60, 240)
        )
        log_size = np.log(size) + zoom(times)[:, 0]
        stretch = rng.random() * (0.05 if is_footage else 0.15)
        aspect = motion.random_drift(rng, [stretch], period=(30, 120))(times)[:, 0]
        angle = np.zeros(len(times))
        if rng.random() < settings.rotation:
            turn = motion.random_drift(rng, [settings.rotation_angle], period=(40, 160))
            angle = turn(times)[:, 0]
        matrix = motion.turned(
            angle, np.exp(log_size + aspect), np.exp(log_size - aspect)
        )
        if path is None:
            path = self._path(size, float(np.exp(log_size.max())))
        ripple = motion.random_ripple(
            rng, settings.bend * rng.random() * (0.25 if is_footage else 1.0)
        )
        shutter = rng.uniform(0.3, 0.9) if rng.random() < settings.motion_blur else 0.0
        looks = {} if is_footage else self._looks(skin, size)
        return sprites.Sprite(skin, path, matrix, ripple, shutter=shutter, **looks)

    def distractor(self, target: sprites.Sprite, size: float) -> sprites.Sprite:
        """Draws another object, sometimes just like the target."""
        rng = self.rng
        if rng.random() >= self.settings.lookalike:
            size = size * float(np.exp(rng.uniform(-0.7, 0.4)))
            return self.sprite(self.skin(size), size)
        size = size * float(np.exp(rng.uniform(-0.2, 0.2)))
        skin = target.skin
        if isinstance(skin, sprites.Footage):
            return self.sprite(self.footage(skin.cutout), size)
        twin = self.sprite(skin, size)
        return dataclasses.replace(
            twin, marking=target.marking, tint=target.tint, relief=target.relief
        )

    def occluder(self, target: sprites.Sprite, size: float) -> sprites.Sprite:
        """Draws something that is in front of the target at one time at least."""
        rng, times = self.rng, self.times
        meeting = int(rng.integers(len(times) // 4, len(times)))
        if rng.random() < 0.5:  # A pole: taller than the target.
            length = rng.uniform(3, 8)
            size = size * float(np.sqrt(length)) * rng.uniform(0.4, 0.8)
            skin = self.paint(shapes.bar(rng, length), size)
        else:
            size = size * rng.uniform(0.5, 1.1)
            skin = self.paint(shapes.blob(rng), size)
        # It passes at a steady pace, or hardly moves and lets the target pass.
        heading = rng.uniform(0, 2 * np.pi)
        pace = size * (rng.uniform(0.03, 0.12) if rng.random() < 0.75 else 0.005)
        step = pace * np.array([np.cos(heading), 0.3 * np.sin(heading)])
        path = target.centre[meeting] + (times - meeting)[:, None] * step
        sprite = self.sprite(skin, size, path=path)
        still = motion.random_ripple(rng, 0.1)
        return dataclasses.replace(sprite, ripple=still)

    def _path(self, size: float, largest: float) -> np.ndarray:
        """Draws a path, `[T, 2]` px, that keeps most of an object in the frame."""
        rng, settings = self.rng, self.settings
        wh = np.array([self.hw[1], self.hw[0]], np.float64)
        reach = np.maximum(wh / 2 - 0.42 * largest, 0.0)
        low, high = np.log(settings.speed)
        roam = reach * rng.uniform(0.3, 1.0, 2)
        home = wh / 2 + (reach - roam) * rng.uniform(-1.0, 1.0, 2)
        drift = motion.random_drift(
            rng,
            roam,
            period=(40, 160),
            max_speed=size * float(np.exp(rng.uniform(low, high))),
        )
        return home + drift(self.times)

    def _looks(self, skin: sprites.Paint, size: float) -> dict:
        """Draws marking, tint and relief of a painted object."""
        rng = self.rng
        marking = None
        if rng.random() < 0.6:
            curve = shapes.blob(rng) * rng.uniform(0.3, 0.6) + rng.uniform(-0.3, 0.3, 2)
            marking = self.paint(curve, size)
        swap = rng.permutation(3) if rng.random() < 0.5 else np.arange(3)
        tint = np.eye(3)[swap] * rng.uniform(0.6, 1.15, (3, 1))
        return {"marking": marking, "tint": tint, "relief": rng.uniform(0.2, 0.7)}


def _touch(a: sprites.Sprite, b: sprites.Sprite) -> bool:
    """Whether boxes overlap in the first frame, where a tracker learns its target."""
    (a_low, a_high), (b_low, b_high) = (
        (points.min(0), points.max(0))
        for points in (np.concatenate(sprite.curves(0)) for sprite in (a, b))
    )
    return bool(np.all((a_low < b_high) & (b_low < a_high)))
