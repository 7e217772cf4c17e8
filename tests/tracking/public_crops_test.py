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

SIDE = 600
MIDDLE = 300.0


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
        distance = jnp.mean(x, axis=(1, 2))[0, :2]
        width = jnp.mean(x[0, :, -1, 0] - x[0, :, 0, 0]) / (size - 1)
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
    """Centres that pysot's test driver writes of a square, along one axis; float64.

    Pixel 127 of the crop's 255 counts as the centre c; the network answers how far from
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


@pytest.fixture(scope="module")
def follow():
    """`(selection, true centres [N, 2], width) -> reported centres [N - 1, 2]`."""
    index = np.arange(SIDE, dtype=np.float32) + 0.5
    places = np.stack([*np.meshgrid(index, index), np.zeros((SIDE, SIDE))], axis=-1)
    hw = np.array([SIDE, SIDE], np.int32)
    config = get_config()
    config.model.preprocessing.order = "RGB"
    config.tracking.window = config.tracking.penalty = config.tracking.size_rate = 0.0
    jitted = {}

    def run(name, true, width):
        if name not in jitted:
            config.tracking.selection = name
            tracker = siamese.make(config, Exact())
            jitted[name] = tracker.init, jax.jit(tracker.step)
        init, step = jitted[name]
        frames = [
            Frame(np.float32(places - np.array([*center, 0.0])), hw) for center in true
        ]
        state = init({}, frames[0], np.array([*true[0], width, width], np.float32))
        found = []
        for frame in frames[1:]:
            state, output = step({}, state, frame)
            found.append(output.box[:2])
        return np.array(found)

    return run


def test_bias_by_hand(follow):
    # 20 px: the context's side is 40, the search square's 40 * 255 / 127 = 80.3, so
    # pixels floor(300 - 40) = 260 to 339 are cut, whose middle is 300: no bias. (Half a
    # pixel less for c would cut 259 to 338, a bias of 1.)
    resting = np.full((4, 2), MIDDLE)
    np.testing.assert_allclose(follow("pysot", resting, 20), MIDDLE, atol=1e-3)
    # 60 px: the square's side is 240.9, pixels floor(300 - 120.5) = 179 to 419 are cut,
    # whose middle is 299.5: half a pixel to the right and below.
    found = follow("pysot", resting[:2], 60)
    np.testing.assert_allclose(found, MIDDLE + 0.5, atol=1e-3)
    for width in (20, 60):
        np.testing.assert_allclose(follow("clean", resting, width), MIDDLE, atol=1e-3)


def test_pysot_follows_its_own_driver(follow):
    rng = np.random.default_rng(0)
    steps = rng.uniform(-3, 3, (40, 2))
    true = MIDDLE + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    for width in (20, 60, 33):
        found = follow("pysot", true, width)
        expected = [pysots_centers(true[:, axis], width) for axis in (0, 1)]
        np.testing.assert_allclose(found, np.stack(expected, 1), atol=5e-3)
        # frac(c - side / 2), which moves evenly through [0, 1); the rounding of the
        # side adds hundredths.
        bias = found - true[1:]
        assert -0.05 < bias.min()
        assert bias.max() < 1.05
        assert abs(bias.mean() - 0.5) < 0.12
        np.testing.assert_allclose(follow("clean", true, width), true[1:], atol=5e-3)
