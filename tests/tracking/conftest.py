"""Trackers small enough to compile in seconds, and a square for them to follow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.config import get_config
from jaxtrack.models.refine import Refiner
from jaxtrack.models.two_stage import TwoStage
from jaxtrack.ops import grid, xcorr
from jaxtrack.tracking import siamese, two_stage, video


class Tiny(nn.Module):
    """Correlates average colors; answers boxes of half the template crop's side.

    With context 0.5 a square target fills half of the template crop's side, so a
    half-width of 8 of 32 crop pixels is the target's own.
    """

    anchors: tuple = ()

    @property
    def geometry(self):
        return grid.Geometry(32, 64, 9, 4, 16.0)

    def setup(self):
        self.gain = self.param("gain", nn.initializers.constant(8.0), ())

    def encode_template(self, z_image):
        return self._features(z_image)

    def encode_search(self, x_image):
        return self._features(x_image)

    def predict(self, z, x):
        match = jnp.sum(xcorr.depthwise_xcorr(z, x), axis=-1)
        match = self.gain * match / jnp.sum(z * z)
        return {
            "cls": jnp.stack([jnp.zeros_like(match), match - 4], axis=-1),
            "ltrb": jnp.full((*match.shape, 4), 8.0),
            "centerness": match[..., None],
        }

    def __call__(self, z_image, x_image):
        return self.predict(self.encode_template(z_image), self.encode_search(x_image))

    def _features(self, image):
        batch, height, width, channels = image.shape
        cells = (batch, height // 4, 4, width // 4, 4, channels)
        pooled = jnp.mean(image.reshape(cells) / 64, axis=(2, 4))
        return pooled - jnp.mean(pooled, axis=(1, 2), keepdims=True)


class Colors(nn.Module):
    """A backbone, or what follows it: average colors of squares of pixels."""

    side: int = 1

    def __call__(self, image, *, train=False):
        del train
        batch, height, width, channels = image.shape
        side = self.side
        cells = (batch, height // side, side, width // side, side, channels)
        return jnp.mean(image.reshape(cells), axis=(2, 4))


class Centered(nn.Module):
    """A neck: colors less their mean over the crop."""

    def __call__(self, levels, *, crop=None, train=False):
        del crop, train
        return levels - jnp.mean(levels, axis=(1, 2), keepdims=True)


class Match(nn.Module):
    """A correlation: the share of the template that is found again."""

    def __call__(self, z, x, *, train=False):
        del train
        match = jnp.sum(xcorr.depthwise_xcorr(z, x), axis=-1, keepdims=True)
        return match / jnp.sum(z * z)


class Guess(nn.Module):
    """A head of two anchors: logits rise with the response, deltas are the same."""

    @nn.compact
    def __call__(self, response, *, train=False):
        del train
        bias = self.param("bias", lambda key: jnp.array([-4.0, -5.0]))
        deltas = self.param("deltas", nn.initializers.zeros, (2, 4))
        logits = 8 * response + bias[None, None, None]
        cls = jnp.stack([jnp.zeros_like(logits), logits], axis=-1)
        shape = (*logits.shape, 4)
        return {"cls": cls, "deltas": jnp.broadcast_to(deltas[None, None, None], shape)}


def small_cract(refinement="cascade"):
    """CRACT of average colors; its first anchor is a square target's own size.

    Its refinement is drawn at random and says little: boxes move by a fraction of a
    pixel, and every identity is close to a half.
    """
    return TwoStage(
        backbone=Colors(side=4),
        neck=Centered(),
        correlation=Match(),
        head=Guess(),
        fuse=Colors(),
        refiner=Refiner(refinement, (2, 1), 4.0, 2.0, features=4, hidden=8),
        template_cells=4,
        geometry=grid.Geometry(32, 64, 9, 4, 16.0),
        anchors=((16.0, 16.0), (12.0, 20.0)),
    )


def square_frames(count, hw=(96, 120), side=20, start=(30.0, 40.0), velocity=(2, -1)):
    """Draws a bright square on noise; returns frames `[T, H, W, 3]`, boxes cxcywh."""
    rng = np.random.default_rng(0)
    background = rng.integers(0, 60, (*hw, 3), dtype=np.uint8)
    frames, boxes = [], []
    for t in range(count):
        cx, cy = (round(s + v * t) for s, v in zip(start, velocity, strict=True))
        frame = background.copy()
        half = side // 2
        frame[cy - half : cy + half, cx - half : cx + half] = (250, 200, 90)
        frames.append(frame)
        boxes.append((cx, cy, side, side))
    return np.stack(frames), np.array(boxes, np.float32)


@pytest.fixture(scope="session")
def draw():
    return square_frames


@pytest.fixture(scope="session")
def pad_all():
    """Puts images on a canvas: `(images, canvas) -> list of frames`."""
    return lambda images, canvas=(128, 128): [video.pad(i, canvas) for i in images]


def trusting_config():
    config = get_config()
    config.tracking.selection = "clean"
    config.model.preprocessing.order = "RGB"
    config.tracking.window, config.tracking.penalty = 0.1, 0.05
    return config


@pytest.fixture
def config():
    """Settings of a tracker that trusts the network; a test may change them."""
    return trusting_config()


@pytest.fixture(scope="session")
def tiny_variables():
    return Tiny(), {"params": {"gain": jnp.float32(8.0)}}


@pytest.fixture(scope="session")
def tiny(tiny_variables):
    """A tracker and its variables."""
    model, variables = tiny_variables
    return siamese.make(trusting_config(), model), variables


def small_cract_config():
    config = get_config()
    config.tracking.selection = "clean"
    config.model.preprocessing.order = "RGB"
    config.model.preprocessing.scale = (64.0, 64.0, 64.0)
    config.tracking.window = 0.1
    config.tracking.penalty = 0.05
    config.tracking.size_rate = 0.5
    config.online.update(
        {"channels": 16, "hidden": 32, "first_steps": 4, "first_iterations": 6}
        | {"first_positives": 12, "first_negatives": 24, "every": 3, "positives": 6}
        | {"negatives": 8, "candidates": 16, "iterations": 4, "groups": 3}
        | {"short_frames": 4}
    )
    return config


@pytest.fixture
def cract_config():
    """Settings of the small CRACT; a test may change them."""
    return small_cract_config()


@pytest.fixture(scope="session")
def cract_variables():
    """The small CRACT and its variables."""
    model = small_cract()
    z, x = jnp.zeros((1, 32, 32, 3)), jnp.zeros((1, 64, 64, 3))
    return model, jax.jit(model.init)(jax.random.key(0), z, x)


@pytest.fixture(scope="session")
def cract(cract_variables):
    """The small CRACT's tracker and its variables."""
    model, variables = cract_variables
    return two_stage.make(small_cract_config(), model), variables
