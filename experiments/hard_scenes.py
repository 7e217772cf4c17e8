"""Write videos in which the target is hidden, crossed by twins, or grows.

Four kinds of composed scenes with exact ground truth. Each sequence also has
`visible.txt`, the visible fraction of the target, one line per frame. Run the same
command again to resume.

Example:
  python -m experiments.hard_scenes --photos=REALDATA/images/debian_wallpapers \
      --cutouts=REALDATA/sequences --exclude='otb_*' --num=8 --out=videos/hard
"""

import argparse
import dataclasses
import fnmatch
import functools
import itertools
import math
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from jaxtrack import cli
from jaxtrack.cli import options
from jaxtrack.data.composed import compose, lookalikes, motion, scene, shapes, sprites
from jaxtrack.data.composed.cutouts import find_cutouts
from jaxtrack.data.composed.source import ComposedSource
from jaxtrack.data.composed.write import write_sequences

_LENGTH = 180
_HIDDEN = (10, 40)  # Frames with a completely hidden target.
_FIRST = 20  # Frames at the start without an occluder in front of the target.
_TRIES = 60
_MARGIN = 1.35  # Sides of an occluder, with round corners, relative to the target's.
_SETTINGS = compose.SceneSettings(
    target_size=(0.12, 0.22), speed=(0.03, 0.12), zoom=0.15, light=0.1
)
_GROWING = dataclasses.replace(_SETTINGS, zoom=0.7, target_size=(0.16, 0.24))


def occluded(make: compose.Maker, *, times: int = 2) -> scene.Scene:
    """Draws a target that is hidden `times` times in 180 frames, among others."""
    size = make.target_size()
    target = make.sprite(make.skin(size), size)
    count = int(make.rng.integers(0, 3))
    behind = [make.distractor(target, size) for _ in range(count)]
    return make.scene(behind, target, occluders(make, target, times))


def twins(make: compose.Maker) -> scene.Scene:
    """Draws a target that is crossed by look-alikes."""
    return lookalikes.compose_lookalikes(make, difference=0.3)


def crowd(make: compose.Maker) -> scene.Scene:
    """Draws a target that is crossed by look-alikes and hidden once."""
    made = twins(make)
    front = occluders(make, made.cast[made.target], 1)
    return dataclasses.replace(made, cast=(*made.cast, *front))


KINDS: Mapping[str, tuple[Callable, compose.SceneSettings]] = MappingProxyType(
    {
        "occluded": (occluded, _SETTINGS),
        "twins": (twins, lookalikes.SETTINGS),
        "crowd": (crowd, lookalikes.SETTINGS),
        "growing": (functools.partial(occluded, times=1), _GROWING),
    }
)


def occluders(
    make: compose.Maker, target: sprites.Sprite, times: int
) -> list[sprites.Sprite]:
    """Draws occluders that completely hide a target, in equal parts of the video.

    A standing one, behind which the target passes, or, if its path does not allow that,
    one that comes, moves along with the target, and leaves.

    Args:
      make: of the scene.
      target: what is to be hidden.
      times: how often in 180 frames.
    """
    boxes, made = target.boxes(), []
    count = math.ceil(times * len(boxes) / _LENGTH)
    ends = np.linspace(_FIRST, len(boxes) - 10, count + 1).astype(int)
    for start, end in itertools.pairwise(ends):
        standing = _standing(make, boxes, start, end, made)
        made.append(standing or _passing(make, boxes, start, end))
    return made


def _standing(make, boxes, first, last, others):
    """Draws an occluder that stands still away from others, or None."""
    taken = [other.boxes()[0] for other in others]
    rng = make.rng
    for _ in range(_TRIES):
        duration = int(rng.integers(*_HIDDEN))
        start = int(rng.integers(first, max(first + 1, last - duration)))
        part = boxes[start : start + duration]
        low, high = part[:, :2].min(0), part[:, 2:].max(0)
        inside = ((boxes[:, :2] >= low) & (boxes[:, 2:] <= high)).all(1)
        center, wh = (low + high) / 2, (high - low) * _MARGIN
        outer = np.concatenate([center - wh / 2, center + wh / 2])
        met = ((boxes[:, :2] < outer[2:]) & (boxes[:, 2:] > outer[:2])).all(1)
        if inside.sum() > _HIDDEN[1] + 5 or met[:_FIRST].any():
            continue
        is_apart = all(
            (b[:2] > outer[2:]).any() or (b[2:] < outer[:2]).any() for b in taken
        )
        if is_apart and (wh < 0.6 * min(make.hw)).all():
            path = np.broadcast_to(center, (len(boxes), 2))
            return _slab(make, wh, path)
    return None


def _passing(make, boxes, first, last):
    """Draws an occluder that comes, moves along with the target, and leaves."""
    rng = make.rng
    duration = int(rng.integers(*_HIDDEN))
    start = int(rng.integers(first, max(first + 1, last - duration)))
    center, offset = passage(boxes, start, duration, rng)
    wh = (boxes[:, 2:] - boxes[:, :2])[start : start + duration].max(0) * _MARGIN
    return _slab(make, wh, center + offset * wh)


def passage(
    boxes: np.ndarray, start: int, duration: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draws how an occluder comes from one side, stays, and leaves to the other.

    Args:
      boxes: `[T, 4]` xyxy of the target, px.
      start: frame from which it hides the target.
      duration: frames for which it does.
      rng: source of randomness.

    Returns:
      The target's centers, `[T, 2]` px, and the occluder's offsets from them in its
      own sides, `[T, 2]`; far away more than 1.5 sides.
    """
    times = np.arange(len(boxes))
    pace = rng.uniform(0.06, 0.15)
    before, after = (
        np.minimum(times - start, 0),
        np.maximum(times - start - duration, 0),
    )
    along = (before + after) * pace * rng.choice([-1, 1])
    along[np.abs(along) > 1.5] *= 10  # Out of the picture.
    return (boxes[:, :2] + boxes[:, 2:]) / 2, np.stack([along, 0.1 * along], -1)


def _slab(make, wh, path):
    """Draws a textured slab of a size, px, along a path."""
    size, rng = float(np.sqrt(np.prod(wh))), make.rng
    skin = make.paint(shapes.bar(rng, float(wh[1] / wh[0])), size)
    matrix = np.broadcast_to(size * np.eye(2), (len(path), 2, 2))
    return sprites.Sprite(skin, path, matrix, motion.random_ripple(rng, 0.0))


def visible(shown: scene.Scene) -> np.ndarray:
    """Returns the visible fraction of the target, `[T]`."""
    height, width = shown.hw
    whole, shares = (0, 0, width, height), []
    for t in range(len(shown.shown)):
        target, *front = (
            sprites.fill_curves(sprite.curves(t), whole) > 0
            for sprite in shown.cast[shown.target :]
        )
        seen = target & ~np.any([target & False, *front], axis=0)
        shares.append(seen.sum() / max(1, target.sum()))
    return np.array(shares)


def write_scenes(
    out: pathlib.Path,
    kind: str,
    *,
    num: int,
    seed: int,
    photos: str,
    cutouts: str,
    exclude: Sequence[str] = (),
    length: int = _LENGTH,
) -> None:
    """Writes composed scenes of a kind.

    Args:
      out: where to.
      kind: a key of `KINDS`.
      num: how many.
      seed: of all random choices.
      photos: a folder of photographs.
      cutouts: a folder of sequences with masks.
      exclude: glob patterns of sequences whose objects are not used.
      length: frames of a scene.
    """
    composer, settings = KINDS[kind]
    folders = [
        folder
        for folder in find_cutouts(cutouts)
        if not any(fnmatch.fnmatch(folder.name, glob) for glob in exclude)
    ]
    source = ComposedSource(
        photos,
        cutouts=folders,
        num_tracks=num,
        length=length,
        seed=seed + list(KINDS).index(kind),
        split="all",
        settings=settings,
        composer=composer,
    )
    for number, folder in enumerate(write_sequences(source, out, prefix=kind)):
        if not (folder / "visible.txt").exists():
            np.savetxt(folder / "visible.txt", visible(source.scene(number)), "%.3f")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add, count, whole = options.add, options.count, options.whole_number
    add(parser, "--out", "DIR", "folder to write sequences to", required=True)
    add(parser, "--photos", "DIR", "folder of photographs", required=True)
    add(parser, "--cutouts", "DIR", "folder of sequences with masks", required=True)
    options.add_list(
        parser, "--exclude", "GLOB", "sequences whose objects are not used"
    )
    add(parser, "--num", "N", "scenes of each kind", type=count, default=8)
    length = functools.partial(whole, least=60)
    add(parser, "--length", "N", "frames of a scene", type=length, default=_LENGTH)
    add(parser, "--seed", "N", "seed of all random choices", type=whole, default=0)


def run(args: argparse.Namespace) -> None:
    """Writes."""
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    for kind in KINDS:
        write_scenes(
            out,
            kind,
            num=args.num,
            seed=args.seed,
            photos=args.photos,
            cutouts=args.cutouts,
            exclude=tuple(args.exclude),
            length=args.length,
        )


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="hard_scenes")
