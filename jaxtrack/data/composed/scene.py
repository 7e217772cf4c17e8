"""A scene: a photograph seen by a moving camera, with sprites in front."""

import dataclasses
import pathlib

import cv2
import numpy as np

from jaxtrack.data.composed import photos, shapes, sprites


@dataclasses.dataclass(frozen=True)
class Backdrop:
    """A photograph seen by a moving camera.

    Frame point `p` (px from the frame's center) shows the photograph at
    `center[t] + step[t] R(turn[t]) p`, with `step` px of the photograph per frame px so
    that the frame shows `height[t]` of it. Beyond its border it is mirrored.

    Attributes:
      photo: the photograph's file.
      center: `[T, 2]` position of the frame's center, relative to width and height.
      height: `[T]` height of the frame, relative to the photograph's visible height.
      turn: `[T]` angle of the camera, radians.
      mirror: whether it is flipped horizontally.
    """

    photo: pathlib.Path
    center: np.ndarray
    height: np.ndarray
    turn: np.ndarray
    mirror: bool

    def draw(self, t: int, hw: tuple[int, int], reduction: int) -> np.ndarray:
        """Returns what the camera sees.

        Args:
          t: frame index.
          hw: height and width of the full-size frame, px.
          reduction: how many times smaller to draw.

        Returns:
          uint8 RGB `[ceil(H / reduction), ceil(W / reduction), 3]`.
        """
        levels = photos.read_pyramid(self.photo)
        rows, columns = levels[0].shape[:2]
        # The view fits the photograph in both directions, whatever their shapes.
        step = self.height[t] * min(rows / hw[0], columns / hw[1]) * reduction
        level = int(np.clip(round(np.log2(step)), 0, len(levels) - 1))
        step = step / 2**level
        rows, columns = levels[level].shape[:2]
        cosine, sine = step * np.cos(self.turn[t]), step * np.sin(self.turn[t])
        matrix = np.array([[cosine, -sine], [sine, cosine]])
        if self.mirror:
            matrix[:, 0] *= -1
        # From pixel indices to pixel indices, which are half a pixel less.
        middle = np.array([hw[1], hw[0]]) / (2 * reduction) - 0.5
        shown = self.center[t] * (columns, rows) - 0.5
        warp = np.column_stack([matrix, shown - matrix @ middle])
        seen = cv2.warpAffine(
            levels[level],
            warp,
            (-(-hw[1] // reduction), -(-hw[0] // reduction)),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB)


@dataclasses.dataclass(frozen=True)
class Scene:
    """A composed video; each frame can be drawn separately.

    Attributes:
      hw: height and width, px.
      backdrops: backgrounds; one is shown at a time.
      shown: `[T]` index of the backdrop shown.
      cast: the sprites from the farthest to the nearest.
      target: index of the tracked sprite in `cast`.
      light: `[T, 3]` brightness of each color, 1 is unchanged.
    """

    hw: tuple[int, int]
    backdrops: tuple[Backdrop, ...]
    shown: np.ndarray
    cast: tuple[sprites.Sprite, ...]
    target: int
    light: np.ndarray

    def boxes(self) -> np.ndarray:
        """Returns the target's boxes without drawing.

        Returns:
          `[T, 4]` float32 xyxy px: the tight box of the target's whole outline,
          occluded or not, inside the frame. NaN if it is entirely outside.
        """
        height, width = self.hw
        target = self.cast[self.target]
        boxes = target.boxes()
        leaves = (boxes[:, :2] < 0).any(1) | (boxes[:, 2:] > (width, height)).any(1)
        for t in np.flatnonzero(leaves):
            boxes[t] = shapes.clipped_box(target.curves(t), self.hw)
        return boxes.astype(np.float32)

    def draw(self, t: int, *, reduction: int = 1) -> np.ndarray:
        """Draws a frame.

        Args:
          t: frame index.
          reduction: how many times smaller to draw it.

        Returns:
          uint8 RGB `[ceil(H / reduction), ceil(W / reduction), 3]`, whose pixel i
          covers `[reduction * i, reduction * (i + 1))` of the full-size frame.
        """
        canvas = self.backdrops[self.shown[t]].draw(t, self.hw, reduction)
        for sprite in self.cast:
            sprite.reduced(reduction).draw(canvas, t)
        return cv2.transform(canvas, np.diag(self.light[t]))
