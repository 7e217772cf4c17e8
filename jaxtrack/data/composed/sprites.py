"""Sprites: textured outlines that move, rotate, grow and bend, drawn on a canvas.

A sprite's points have rest coordinates `u`, in which its size is about one. At time t
they are drawn at the frame's pixel

    p = center[t] + matrix[t] q,   with   q + d(q, t) = u,

with d the sprite's ripple. The outline is a polygon mapped like this, so its box is
exact without drawing; texture is fetched with the inverse map, pixel by pixel.
"""

import dataclasses
import pathlib
from typing import NamedTuple

import cv2
import numpy as np

from jaxtrack.data.composed import cutouts, motion, photos

_SHIFT = 4  # Fractional bits of OpenCV's polygon corners.
_MAX_BLUR = 15  # Longest motion blur, px.


class Paint(NamedTuple):
    """An outline filled with a window of a photograph, constant over time.

    Attributes:
      curve: `[N, 2]` rest coordinates.
      photo: source of the texture.
      scale: `[2]` px of the photograph per rest unit; negative ones mirror.
      offset: `[2]` px of the photograph at the rest origin.
    """

    curve: np.ndarray
    photo: pathlib.Path
    scale: np.ndarray
    offset: np.ndarray

    def outline(self, t: int) -> tuple[np.ndarray, ...]:
        """Returns the closed curves at time `t`."""
        del t
        return (self.curve,)

    def texture(self, t: int):
        """Returns levels, scale and offset, as `Cutout.texture`."""
        del t
        return photos.read_pyramid(self.photo), self.scale, self.offset


class Footage(NamedTuple):
    """A cut-out object that moves as in its video, forward and backward.

    Attributes:
      cutout: the object.
      frames: `[T]` video frame shown at each time.
      mirror: whether it is flipped horizontally.
    """

    cutout: cutouts.Cutout
    frames: np.ndarray
    mirror: bool

    def outline(self, t: int) -> tuple[np.ndarray, ...]:
        """Returns the closed curves at time `t`."""
        curves = self.cutout.outlines[self.frames[t]]
        return tuple(c * (-1, 1) for c in curves) if self.mirror else curves

    def texture(self, t: int):
        """Returns levels, scale and offset, as `Cutout.texture`."""
        levels, scale, offset = self.cutout.texture(self.frames[t])
        return levels, scale * (-1, 1) if self.mirror else scale, offset


@dataclasses.dataclass(frozen=True)
class Sprite:
    """An object drawn in every frame of a scene.

    Attributes:
      skin: its outline and texture.
      center: `[T, 2]` px.
      matrix: `[T, 2, 2]` px per rest unit.
      ripple: how it bends.
      marking: drawn inside the outline, or None.
      tint: `[3, 3]` color matrix, or None.
      relief: how much darker the rim is than the middle, in [0, 1].
      shutter: exposure time for motion blur, in frames, in [0, 1].
    """

    skin: Paint | Footage
    center: np.ndarray
    matrix: np.ndarray
    ripple: motion.Ripple
    marking: Paint | None = None
    tint: np.ndarray | None = None
    relief: float = 0.0
    shutter: float = 0.0

    def curves(self, t: int, *, marking: bool = False) -> list[np.ndarray]:
        """Returns the drawn outline (or marking) at time `t`: `[N, 2]` px each."""
        rest = (self.marking if marking else self.skin).outline(t)
        drawn = self.ripple.inverse(np.concatenate(rest), t)
        drawn = drawn @ self.matrix[t].T + self.center[t]
        return np.split(drawn, np.cumsum([len(curve) for curve in rest])[:-1])

    def boxes(self) -> np.ndarray:
        """Returns the outline's tight box at all times, `[T, 4]` xyxy px, unclipped."""
        length = len(self.center)
        rest = [np.concatenate(self.skin.outline(t)) for t in range(length)]
        count = [len(points) for points in rest]
        times = np.repeat(np.arange(length), count)
        drawn = self.ripple.inverse(np.concatenate(rest), times)
        drawn = np.einsum("nij,nj->ni", self.matrix[times], drawn) + self.center[times]
        start = np.concatenate([[0], np.cumsum(count)[:-1]])
        low = np.minimum.reduceat(drawn, start)
        return np.concatenate([low, np.maximum.reduceat(drawn, start)], -1)

    def velocity(self, t: int) -> np.ndarray:
        """Returns the velocity of the center at `t`, `[2]` px per frame."""
        before, after = max(t - 1, 0), min(t + 1, len(self.center) - 1)
        return (self.center[after] - self.center[before]) / max(after - before, 1)

    def reduced(self, reduction: int) -> "Sprite":
        """Returns the sprite for a canvas that is `reduction` times smaller."""
        if reduction == 1:
            return self
        center, matrix = self.center / reduction, self.matrix / reduction
        return dataclasses.replace(self, center=center, matrix=matrix)

    def draw(self, canvas: np.ndarray, t: int) -> None:
        """Draws the sprite at time `t` over `canvas [H, W, 3]` uint8, in place."""
        curves = self.curves(t)
        smear = _smear(self.velocity(t) * self.shutter)
        margin = 1 if smear is None else 1 + smear.shape[0] // 2
        region = _region(curves, canvas.shape[:2], margin)
        if region is None:
            return
        x0, y0, x1, y1 = region
        patch = self._pixels(self.skin, t, region)
        mask = fill_curves(curves, region)
        if self.marking is not None:
            inner = fill_curves(self.curves(t, marking=True), region)
            patch = _blend(self._pixels(self.marking, t, region), patch, inner)
        if self.tint is not None:
            patch = cv2.transform(patch, self.tint)
        if self.relief:
            patch = _shade(patch, mask, self.relief)
        mask = _soften(mask)
        if smear is not None:
            patch = cv2.filter2D(patch, -1, smear, borderType=cv2.BORDER_REPLICATE)
            mask = cv2.filter2D(mask, -1, smear, borderType=cv2.BORDER_REPLICATE)
        canvas[y0:y1, x0:x1] = _blend(patch, canvas[y0:y1, x0:x1], mask)

    def _pixels(self, skin, t, region):
        """Fetches the texture under a region `xyxy` of the frame, `[h, w, 3]`."""
        levels, scale, offset = skin.texture(t)
        inverse = np.linalg.inv(self.matrix[t])
        # Photograph px per frame px: read the level on which it is about one.
        ratio = np.sqrt(abs(np.prod(scale) * np.linalg.det(inverse)))
        level = int(np.clip(round(np.log2(max(ratio, 1e-6))), 0, len(levels) - 1))
        scale, offset = scale / 2**level, offset / 2**level
        x0, y0, x1, y1 = region
        x = np.arange(x0, x1) + 0.5 - self.center[t, 0]
        y = np.arange(y0, y1) + 0.5 - self.center[t, 1]
        # The map is a sum of products of a function of x and one of y, because
        # sin(a x + b y + c) = sin(a x + c) cos(b y) + cos(a x + c) sin(b y).
        wave = self.ripple.wave @ inverse
        along = wave[:, :1] * x + self.ripple.angles(t)[:, None]
        across = wave[:, 1:] * y
        columns = np.concatenate([[x, np.ones_like(x)], np.sin(along), np.cos(along)])
        rows = np.concatenate([np.cos(across), np.sin(across)])
        push = np.concatenate([self.ripple.push, self.ripple.push])
        maps = []
        for axis in range(2):
            linear = inverse[axis] * scale[axis]
            affine = [np.full_like(y, linear[0]), y * linear[1] + offset[axis] - 0.5]
            weights = np.concatenate(
                [affine, rows * (push[:, axis : axis + 1] * scale[axis])]
            )
            maps.append((weights.T @ columns).astype(np.float32))
        fetched = cv2.remap(
            levels[level], *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        return cv2.cvtColor(fetched, cv2.COLOR_RGBA2RGB)


def fill_curves(curves: list[np.ndarray], region) -> np.ndarray:
    """Draws the inside of closed curves, even-odd.

    Args:
      curves: `[N, 2]` px each, continuous coordinates.
      region: `xyxy` part of the frame to draw, whole px.

    Returns:
      255 inside and 0 outside, `[h, w]` uint8.
    """
    x0, y0, x1, y1 = region
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    # OpenCV's corners are pixel centers: half a pixel less than ours.
    corners = [
        np.round((curve - (x0 + 0.5, y0 + 0.5)) * 2**_SHIFT).astype(np.int32)
        for curve in curves
    ]
    cv2.fillPoly(mask, corners, 255, shift=_SHIFT)
    return mask


def _soften(mask: np.ndarray) -> np.ndarray:
    """Makes the border half transparent.

    `fill_curves` fills every pixel that the curve touches. The 3x3 mean of a straight
    border is 2/3 in its outermost pixel and 1/3 beyond; stretched to 1/2 and 0, the
    visible border is at the curve, not half a pixel outside.
    """
    mean = cv2.blur(mask, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return cv2.addWeighted(mean, 1.5, mean, 0, -127.5)


def _region(curves, hw, margin):
    """Returns the whole-pixel box of the curves inside the frame, or None."""
    low = np.min([curve.min(0) for curve in curves], 0)
    high = np.max([curve.max(0) for curve in curves], 0)
    x0, y0 = np.maximum(np.floor(low).astype(int) - margin, 0)
    x1, y1 = np.minimum(np.ceil(high).astype(int) + margin, (hw[1], hw[0]))
    return None if x0 >= x1 or y0 >= y1 else (int(x0), int(y0), int(x1), int(y1))


def _smear(shift: np.ndarray) -> np.ndarray | None:
    """Returns the kernel of motion blur along `shift` px; None if it is short."""
    length = float(np.hypot(*shift))
    if length < 2:
        return None
    shift = shift * min(1.0, _MAX_BLUR / length)
    half = int(np.ceil(np.abs(shift).max() / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    end = np.round((half + shift / 2) * 16).astype(int)
    start = np.round((half - shift / 2) * 16).astype(int)
    cv2.line(kernel, tuple(start.tolist()), tuple(end.tolist()), 1.0, shift=4)
    return kernel / kernel.sum()


def _shade(patch: np.ndarray, mask: np.ndarray, relief: float) -> np.ndarray:
    """Darkens the rim, as on a round object."""
    side = max(3, min(mask.shape) // 4)
    inside = cv2.blur(mask, (side, side), borderType=cv2.BORDER_REPLICATE)
    light = cv2.convertScaleAbs(inside, alpha=relief, beta=255 * (1 - relief))
    return cv2.multiply(patch, cv2.merge([light] * 3), scale=1 / 255)


def _blend(above: np.ndarray, below: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns `above` where the mask is 255, `below` where it is 0, uint8."""
    weight = mask.astype(np.float32) * (1 / 255)
    return cv2.blendLinear(above, below, weight, 1 - weight)
