"""Where public trackers report a target, if their network answers the exact box."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.config import get_config
from jaxtrack.ops import grid
from jaxtrack.tracking import siamese
from jaxtrack.tracking.state import Frame

SIDE = 400
MIDDLE = 200.0


class Exact(nn.Module):
    """Finds the target in frames whose pixels hold their distance from its middle."""

    anchors: tuple = ()

    @property
    def geometry(self):
        return grid.Geometry(127, 255, 25, 8, 31.5)

    def encode_template(self, z_image):
        return jnp.zeros((1, 1))

    def encode_search(self, x_image):
        return x_image

    def predict(self, z, x):
        size = self.geometry.search_size
        # Of the crop's middle, over the picture's pixels that a crop's pixel is wide.
        distance = x[0, size // 2, size // 2, :2]
        width = (x[0, 0, -1, 0] - x[0, 0, 0, 0]) / (size - 1)
        shift = jnp.tile(-distance / width, 2) * jnp.array([-1.0, -1.0, 1.0, 1.0])
        # The cell in the middle of the map looks at the crop's middle.
        cls = jnp.full((1, 25, 25, 2), jnp.array([20.0, -20.0]))
        return {
            "cls": cls.at[0, 12, 12].set(jnp.array([-20.0, 20.0])),
            "ltrb": jnp.broadcast_to(40 + shift, (1, 25, 25, 4)),
            "centerness": jnp.full((1, 25, 25, 1), 20.0),
        }


def subwindow(center, side):
    """pysot's `get_subwindow`: left-most pixel's index and number of pixels."""
    side = round(side)
    return np.floor(center - (side + 1) / 2 + 0.5), side


def pysots_centers(true, width):
    """Centers that pysot's test driver writes of a square, along one axis; float64.

    Pixel 127 of the crop's 255 counts as the center c; the network answers how far from
    where that pixel was really cut the target's middle is.
    """
    scale = 127 / (2 * width)  # The context's side is sqrt((w + w)(w + w)).
    left = true[0] - width / 2
    given = left + width / 2 - (width - 1) / 2  # What the driver makes of x and w.
    center, found = given + (width - 1) / 2, []
    for now in true[1:]:
        corner, pixels = subwindow(center, 255 / scale)
        answer = (now - (corner + pixels / 2)) * 255 / pixels
        center = center + answer / scale
        found.append((center - width / 2) + width / 2)
    return np.array(found)


def video_analysts_centers(true, width):
    """Centers that video_analyst's test driver writes, likewise.

    A rectangle's x + (w - 1) / 2 is the index c, around which an affine map lays 255
    pixels; the network answers on which of them the target's middle lies.
    """
    scale = 127 / (2 * width)
    pixels = round(255 / scale)
    step = (pixels - 1) / (255 - 1)
    center, found = true[0] - width / 2 + (width - 1) / 2, []
    for now in true[1:]:
        first = center - (pixels - 1) / 2
        answer = (now - 0.5 - first) / step
        center = center + answer / scale - (255 // 2) / scale
        found.append(center - (width - 1) / 2 + width / 2)
    return np.array(found)


@pytest.fixture(scope="module")
def follow():
    """`(selection, true centers [N, 2], width) -> reported centers [N - 1, 2]`."""
    index = np.arange(SIDE, dtype=np.float32) + 0.5
    places = np.stack([*np.meshgrid(index, index), 0 * np.outer(index, index)], axis=-1)
    hw = np.array([SIDE, SIDE], np.int32)
    config = get_config()
    config.model.preprocessing.order = "RGB"
    config.tracking.window = config.tracking.penalty = config.tracking.size_rate = 0.0
    jitted = {}

    def run(name, true, width):
        if name not in jitted:
            config.tracking.selection = name
            tracker = siamese.make(config, Exact())
            jitted[name] = jax.jit(tracker.init), jax.jit(tracker.step)
        init, step = jitted[name]
        frames = [Frame(places - np.float32([*center, 0.0]), hw) for center in true]
        state = init({}, frames[0], np.array([*true[0], width, width], np.float32))
        found = []
        for frame in frames[1:]:
            state, output = step({}, state, frame)
            found.append(np.asarray(output.box)[:2])
        return np.array(found)

    return run


def test_bias_by_hand(follow):
    # 20 px: the context's side is 40, the search square's 40 * 255 / 127 = 80.3, so
    # pixels floor(200 - 40) = 160 to 239 are cut, whose middle is 200: no bias. (Half a
    # pixel less for c would cut 159 to 238, a bias of 1.)
    resting = np.full((4, 2), MIDDLE)
    np.testing.assert_allclose(follow("pysot", resting, 20), MIDDLE, atol=1e-3)
    # 60 px: the square's side is 240.9, pixels floor(200 - 120.5) = 79 to 319 are cut,
    # whose middle is 199.5: half a pixel to the right and below.
    found = follow("pysot", resting[:2], 60)
    np.testing.assert_allclose(found, MIDDLE + 0.5, atol=1e-3)
    for width in (20, 60):
        for name in ("clean", "video_analyst"):
            np.testing.assert_allclose(follow(name, resting, width), MIDDLE, atol=1e-3)
    # A 255th of video_analyst's square of 80.3 px is (80 - 1) / 254 px of the picture,
    # but 80.3 / 255 where the box is scaled back: 3 px are 3 * 1.0127.
    moved = follow("video_analyst", MIDDLE + np.array([[0.0, 0.0], [3.0, -3.0]]), 20)
    expected = MIDDLE + np.array([[1, -1]]) * 3 * (40 / 127) / (79 / 254)
    np.testing.assert_allclose(moved, expected, atol=1e-3)


@pytest.fixture
def walk():
    """Centers of a target that moves by up to 3 px a frame."""
    steps = np.random.default_rng(0).uniform(-3, 3, (20, 2))
    return MIDDLE + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def test_video_analyst_follows_its_own_driver(follow, walk):
    for width in (20, 33):
        found = follow("video_analyst", walk, width)
        expected = [video_analysts_centers(walk[:, axis], width) for axis in (0, 1)]
        np.testing.assert_allclose(found, np.stack(expected, 1), atol=5e-3)
        assert np.abs(found - walk[1:]).max() < 0.05  # 1.3 % of 3 px and an eighth.


def test_pysot_follows_its_own_driver(follow, walk):
    biases = []
    for width in (20, 60, 33):
        found = follow("pysot", walk, width)
        expected = [pysots_centers(walk[:, axis], width) for axis in (0, 1)]
        np.testing.assert_allclose(found, np.stack(expected, 1), atol=5e-3)
        biases.append(found - walk[1:])
    # frac(c - side / 2), which moves evenly through [0, 1); the rounding of the side
    # adds hundredths.
    assert -0.05 < np.min(biases)
    assert np.max(biases) < 1.05
    assert abs(np.mean(biases) - 0.5) < 0.12
    np.testing.assert_allclose(follow("clean", walk, 33), walk[1:], atol=5e-3)
