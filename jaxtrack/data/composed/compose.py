"""Draws the random choices that make a scene."""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence

import numpy as np

from jaxtrack.data.composed import cutouts, motion, scene, shapes, sprites


@dataclasses.dataclass(frozen=True)
class SceneSettings:
    """How scenes are composed; probabilities and shares lie in [0, 1].

    Attributes:
      target_size: smallest and largest target, as a fraction of the frame's shorter
        side; the size is the root of the box's area, before the scene's zoom.
      speed: smallest and largest bound of the target's speed, sizes per frame.
      zoom: largest change of size over time, natural logarithm.
      cutout: probability that a target is a cut-out, if there are any.
      rotation: probability that an object rotates by up to `rotation_angle`.
      rotation_angle: radians in either direction.
      bend: strength of the ripple that bends painted objects; cut-outs, which move
        by themselves, get a quarter of it.
      distractors: probability of other objects.
      lookalike: probability that a distractor has the target's outline and texture.
      occluder: probability that something passes in front of the target, if it does
        not touch it in the first frame.
      motion_blur: probability of motion blur for fast sprites.
      light: largest change of brightness over time.
      background_change: probability that the background changes to another photograph
        once, while the objects continue. Good for training, odd to watch.
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


def compose(make: "Maker") -> scene.Scene:
    """Draws a scene of a target, perhaps with other objects and an occluder.

    Args:
      make: from `stage`.

    Returns:
      The scene; the same state of `make.rng` gives the same one.
    """
    rng, settings = make.rng, make.settings
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
    return make.scene(behind, target, front)


def stage(
    rng: np.random.Generator,
    photographs: Sequence[pathlib.Path],
    videos: Sequence[cutouts.Cutout],
    *,
    hw: tuple[int, int],
    length: int,
    settings: SceneSettings,
) -> "Maker":
    """Draws the background of a scene, and prepares the rest.

    Args:
      rng: source of randomness; the same state gives the same scene.
      photographs: at least two, for backgrounds and textures.
      videos: objects to cut out; may be empty.
      hw: height and width, px.
      length: number of frames.
      settings: how to compose.

    Returns:
      A maker that takes textures from other photographs, if there are any.
    """
    times = np.arange(length)
    order = rng.permutation(len(photographs))
    count = 1 + (rng.random() < settings.background_change)
    backdrops = tuple(_backdrop(rng, photographs[k], times) for k in order[:count])
    shown = np.zeros(length, int)
    if count > 1:
        shown[int(length * rng.uniform(0.2, 0.8)) :] = 1
    textures = [photographs[k] for k in order[count:]] or list(photographs)
    return Maker(rng, backdrops, shown, textures, videos, hw, times, settings)


def _backdrop(rng, photo, times) -> scene.Backdrop:
    """Draws a camera's path over a photograph."""
    view = rng.uniform(0.5, 0.85)
    drift = functools.partial(motion.random_drift, rng, times)
    zoom = drift([rng.uniform(0, 0.12)], period=(60, 240))[:, 0]
    room = [(1 - view) / 2] * 2
    pan = drift(room, period=(80, 300), max_speed=0.012)
    shake = drift([0.003, 0.003], period=(5, 15))
    turn = drift([rng.uniform(0, 0.06)], period=(60, 240))[:, 0]
    center = 0.5 + pan + rng.random() * shake
    mirror = bool(rng.random() < 0.5)
    return scene.Backdrop(photo, center, view * np.exp(zoom), turn, mirror)


@dataclasses.dataclass(frozen=True)
class Maker:
    """Makes the sprites and the light of one scene; every call draws again.

    Attributes:
      rng: source of randomness.
      backdrops: backgrounds; one is shown at a time.
      shown: `[T]` index of the backdrop shown.
      textures: photographs that fill outlines.
      videos: objects to cut out.
      hw: height and width, px.
      times: `[T]` numbers of the frames.
      settings: how to compose.
    """

    rng: np.random.Generator
    backdrops: tuple[scene.Backdrop, ...]
    shown: np.ndarray
    textures: list[pathlib.Path]
    videos: Sequence[cutouts.Cutout]
    hw: tuple[int, int]
    times: np.ndarray
    settings: SceneSettings

    def scene(
        self,
        behind: Sequence[sprites.Sprite],
        target: sprites.Sprite,
        front: Sequence[sprites.Sprite],
    ) -> scene.Scene:
        """Places a target among other objects; draws the light."""
        cast, place = (*behind, target, *front), len(behind)
        light = self.light()
        return scene.Scene(self.hw, self.backdrops, self.shown, cast, place, light)

    def drift(self, bound, period: tuple[float, float], *, max_speed=np.inf):
        """Draws `motion.random_drift` over the frames."""
        options = {"period": period, "max_speed": max_speed}
        return motion.random_drift(self.rng, self.times, bound, **options)

    def speed(self, size: float) -> float:
        """Draws the largest speed of an object of `size` px, px per frame."""
        low, high = np.log(self.settings.speed)
        return size * float(np.exp(self.rng.uniform(low, high)))

    def target_size(self) -> float:
        """Draws the size of a target, px."""
        low, high = np.log(self.settings.target_size)
        return min(self.hw) * float(np.exp(self.rng.uniform(low, high)))

    def light(self) -> np.ndarray:
        """Draws the brightness of each color over time, `[T, 3]`."""
        drift = self.drift([self.settings.light] * 3, (40, 200))
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
        """Draws when a video starts and how fast it plays, forward and backward."""
        count = len(video.images)
        pace = 1.0 if self.rng.random() < 0.8 else 0.5
        position = self.rng.integers(2 * count) + pace * self.times
        position = position.astype(int) % (2 * count)
        frames = np.minimum(position, 2 * count - 1 - position)
        return sprites.Footage(video, frames, bool(self.rng.random() < 0.5))

    def paint(self, curve, size: float) -> sprites.Paint:
        """Draws the window of a photograph that fills a curve."""
        rng = self.rng
        photo = self.textures[int(rng.integers(len(self.textures)))]
        # Photograph px per rest unit: about as many as the object has px, so that
        # texture is neither blurred nor lost. Positions wrap by reflection.
        scale = np.clip(size * np.exp(rng.uniform(-0.2, 1.0)), 24, 400)
        offset = rng.uniform(0.2, 0.8, 2) * 500
        mirror = np.where(rng.random(2) < 0.5, -1.0, 1.0)
        return sprites.Paint(curve, photo, scale * mirror, offset)

    def sprite(self, skin, size: float, *, path: np.ndarray | None = None):
        """Draws the motion and appearance of an object of `size` px."""
        rng, settings = self.rng, self.settings
        is_footage = isinstance(skin, sprites.Footage)
        zoom = self.drift([rng.random() * settings.zoom], (60, 240))[:, 0]
        log_size = np.log(size) + zoom
        stretch = rng.random() * (0.05 if is_footage else 0.15)
        aspect = self.drift([stretch], (30, 120))[:, 0]
        angle = np.zeros(len(self.times))
        if rng.random() < settings.rotation:
            angle = self.drift([settings.rotation_angle], (40, 160))[:, 0]
        x, y = np.exp(log_size + aspect), np.exp(log_size - aspect)
        matrix = motion.turned(angle, x, y)
        if path is None:
            path = self._path(size, float(np.exp(log_size.max())))
        bend = settings.bend * rng.random() * (0.25 if is_footage else 1.0)
        ripple = motion.random_ripple(rng, bend)
        shutter = rng.uniform(0.3, 0.9) if rng.random() < settings.motion_blur else 0.0
        looks = {} if is_footage else self._looks(skin, size)
        return sprites.Sprite(skin, path, matrix, ripple, shutter=shutter, **looks)

    def distractor(self, target: sprites.Sprite, size: float) -> sprites.Sprite:
        """Draws another object, sometimes identical to the target."""
        rng = self.rng
        if rng.random() >= self.settings.lookalike:
            size = size * float(np.exp(rng.uniform(-0.7, 0.4)))
            return self.sprite(self.skin(size), size)
        size = size * float(np.exp(rng.uniform(-0.2, 0.2)))
        skin = target.skin
        if isinstance(skin, sprites.Footage):
            return self.sprite(self.footage(skin.cutout), size)
        looks = {k: getattr(target, k) for k in ("marking", "tint", "relief")}
        return dataclasses.replace(self.sprite(skin, size), **looks)

    def occluder(self, target: sprites.Sprite, size: float) -> sprites.Sprite:
        """Draws something that is in front of the target at least once."""
        rng, times = self.rng, self.times
        meeting = int(rng.integers(len(times) // 4, len(times)))
        if rng.random() < 0.5:  # A pole: taller than the target.
            length = rng.uniform(3, 8)
            size = size * float(np.sqrt(length)) * rng.uniform(0.4, 0.8)
            skin = self.paint(shapes.bar(rng, length), size)
        else:
            size = size * rng.uniform(0.5, 1.1)
            skin = self.paint(shapes.blob(rng), size)
        # It passes at constant speed, or hardly moves while the target passes.
        heading = rng.uniform(0, 2 * np.pi)
        pace = size * (rng.uniform(0.03, 0.12) if rng.random() < 0.75 else 0.005)
        step = pace * np.array([np.cos(heading), 0.3 * np.sin(heading)])
        path = target.center[meeting] + (times - meeting)[:, None] * step
        sprite = self.sprite(skin, size, path=path)
        return dataclasses.replace(sprite, ripple=motion.random_ripple(rng, 0.1))

    def _path(self, size: float, largest: float) -> np.ndarray:
        """Draws a path, `[T, 2]` px, that keeps most of an object in the frame."""
        rng, wh = self.rng, np.array([self.hw[1], self.hw[0]], np.float64)
        reach = np.maximum(wh / 2 - 0.42 * largest, 0.0)
        roam = reach * rng.uniform(0.3, 1.0, 2)
        home = wh / 2 + (reach - roam) * rng.uniform(-1.0, 1.0, 2)
        return home + self.drift(roam, (40, 160), max_speed=self.speed(size))

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
    """Returns whether boxes overlap in the first frame, where trackers start."""
    a, b = (np.concatenate(sprite.curves(0)) for sprite in (a, b))
    return bool(np.all((a.min(0) < b.max(0)) & (b.min(0) < a.max(0))))
