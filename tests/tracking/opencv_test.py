"""Tests for jaxtrack.tracking.opencv."""

import cv2
import jax
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack import config as config_lib
from jaxtrack.ops import grid
from jaxtrack.tracking import siamese, video

GEOMETRY = grid.Geometry(31, 71, 5, 8, 19.5)  # Cells at pixel indices 19, 27, ..., 51.
BORDER = 300


def maps(crop, scale):
    """Logits and distances of 5 x 5 cells: mean colors of squares of the crop."""
    cells = crop[..., 8:48, 8:48, :].reshape(-1, 5, 8, 5, 8, 3).mean((2, 4))
    return cells[..., 0] / 32 - 4, 6 + cells[..., [1, 2, 0, 1]] / scale


class Colors(nn.Module):
    """A network without variables; its template says how large boxes are."""

    geometry = GEOMETRY
    anchors = ()

    def encode_template(self, z_image):
        return 4 + z_image.mean() / 32

    def encode_search(self, x_image):
        return x_image

    def predict(self, z, x):
        logits, ltrb = maps(x, z)
        zeros = jax.numpy.zeros_like(logits)
        return {"cls": jax.numpy.stack([zeros, logits], -1), "ltrb": ltrb}


class Naive:
    """OpenCV's rules once more, on boxes as they are told, with OpenCV's functions."""

    penalty, window, rate = 0.055, 0.455, 0.37

    def cut(self, image, side, size):
        """The square of which the target's pixel is the middle, or right below it."""
        fill = cv2.mean(image)
        wide = cv2.copyMakeBorder(image, *[BORDER] * 4, cv2.BORDER_CONSTANT, value=fill)
        left, top = (BORDER + int(c) - (side + 1) // 2 for c in self.center)
        square = wide[top : top + side, left : left + side]
        return cv2.resize(square, (size, size)).astype(np.float32)

    def init(self, image, xywh):
        x, y, w, h = (np.float32(value) for value in xywh)
        self.center, self.wh = np.array([x + w / 2, y + h / 2]), np.array([w, h])
        side = np.sqrt((w + (w + h) / 2) * (h + (w + h) / 2))
        self.scale = 4 + self.cut(image, int(side), 31).mean() / 32

    def update(self, image):
        w, h = self.wh
        around = int(w + h) / 2
        side = np.sqrt((w + around) * (h + around))
        logits, ltrb = maps(self.cut(image, int(2 * side), 71), self.scale)
        score = 1 / (1 + np.exp(-logits[0]))
        place = 8 * np.arange(5) - 16.0  # Of the cells, from pixel index 35.
        left, top = place[None] - ltrb[0, ..., 0], place[:, None] - ltrb[0, ..., 1]
        right, bottom = place[None] + ltrb[0, ..., 2], place[:, None] + ltrb[0, ..., 3]
        wide, high = right - left, bottom - top

        def length(w, h):
            return np.sqrt((w + (w + h) / 2) * (h + (w + h) / 2))

        def change(ratio):
            return np.maximum(ratio, 1 / ratio)

        size = change(length(wide, high) / length(*self.center))
        cost = np.exp(-self.penalty * (size * change(w / h / (wide / high)) - 1))
        hann = cv2.createHanningWindow((5, 5), cv2.CV_32F)
        ranked = cost * score * (1 - self.window) + hann * self.window
        best = np.unravel_index(ranked.argmax(), ranked.shape)
        zoom, rate = side / 31, self.rate * (cost * score)[best]
        moved = [(left + right)[best] / 2, (top + bottom)[best] / 2]
        found = np.array([wide[best], high[best]]) * zoom
        limit = np.array(image.shape[1::-1], np.float32)
        self.center = np.clip(self.center + np.array(moved) * zoom, 0, limit)
        wh = found * rate + self.wh * (1 - rate)
        self.wh = np.maximum(np.minimum(wh, limit), 10)
        return np.concatenate([self.center, self.wh]), score[best]


def frames(count, seed):
    """Blurred noise of 70 x 90 pixels."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 7, 9, 3), np.uint8)
    return [cv2.resize(image, (90, 70)) for image in coarse]


@pytest.fixture(scope="module")
def tracker():
    config = config_lib.get_config()
    config.tracking.selection = "opencv"
    config.tracking.update({"penalty": 0.055, "window": 0.455, "size_rate": 0.37})
    config.model.preprocessing.order = "RGB"
    made = siamese.make(config, Colors())
    return jax.jit(made.init), jax.jit(made.step)


@pytest.mark.parametrize(
    "xywh", [(20, 30, 33, 22), (0.8, 50, 14, 19.3), (60, 5, 28, 41)]
)
def test_boxes_are_those_of_opencvs_rules(tracker, xywh):
    """In the picture and over its border, up to what float32 rounds off."""
    init, step = tracker
    images, naive = frames(7, seed=int(xywh[1])), Naive()
    naive.init(images[0], [round(value) for value in xywh])
    x, y, w, h = xywh
    box = np.array([x + w / 2, y + h / 2, w, h], np.float32)
    first, *others = (video.pad(image, (70, 90)) for image in images)
    state, places = init({}, first, box), set()
    for image, frame in zip(images[1:], others, strict=True):
        expected, score = naive.update(image)
        state, output = step({}, state, frame)
        np.testing.assert_allclose(state.box, expected, atol=2e-3)
        corner = np.trunc(expected[:2] - expected[2:] / 2)
        told = np.asarray(output.box)
        np.testing.assert_array_equal(told[:2] - told[2:] / 2, corner)
        np.testing.assert_array_equal(told[2:], np.trunc(expected[2:]))
        np.testing.assert_allclose(output.score, score, atol=1e-4)
        places.add(tuple(np.round(expected)))
    assert len(places) > 4
