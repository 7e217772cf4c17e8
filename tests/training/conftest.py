"""A network and a loader small enough to train in a test."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax

from jaxtrack.config import get_config
from jaxtrack.models.norms import BatchNorm
from jaxtrack.ops.grid import Geometry
from jaxtrack.trackers import siamcar
from jaxtrack.training import loop

GEOMETRY = Geometry(
    template_size=16, search_size=32, response_size=4, stride=8, offset=4
)


def normalized(bn, x, *, train):
    """Normalizes by the batch, or by running statistics."""
    if train:
        return bn(x)
    a, b = bn.affine()
    return x * a[None, None, None] + b[None, None, None]


class TinyBackbone(nn.Module):
    """One frozen and one trainable convolution, with batch normalization."""

    axis_name: str | None
    dtype: Any

    @nn.compact
    def __call__(self, image, *, train):
        x = nn.Conv(4, (8, 8), (8, 8), dtype=self.dtype, name="conv1")(image)
        x = lax.stop_gradient(x)
        x = nn.Conv(6, (1, 1), dtype=self.dtype, name="layer2")(x)
        x = x.astype(jnp.float32)
        bn = BatchNorm(6, axis_name=self.axis_name, name="bn")
        x = normalized(bn, x, train=train)
        return x if train else lax.stop_gradient(x)


class TinyTracker(nn.Module):
    """What the training code asks of a network, with a few hundred parameters."""

    axis_name: str | None = None
    dtype: Any = jnp.float32
    geometry: Geometry = GEOMETRY
    anchors: tuple[tuple[float, float], ...] = ()

    @nn.compact
    def __call__(self, z_image, x_image, *, train=False, train_backbone=False):
        backbone = TinyBackbone(self.axis_name, self.dtype, name="backbone")
        z = backbone(z_image, train=train_backbone).mean((1, 2), keepdims=True)
        r = z * backbone(x_image, train=train_backbone)
        bn = BatchNorm(6, axis_name=self.axis_name, name="neck")
        r = normalized(bn, r, train=train)
        # A weakly typed bias, which the first update would make a strong one.
        bias = {"bias_init": lambda key, shape, dtype: jnp.full(shape, 0.0)}
        r = nn.Conv(7, (3, 3), dtype=self.dtype, **bias, name="head")(r)
        r = r.astype(jnp.float32)
        cls, ltrb, centerness = jnp.split(r, (2, 6), axis=-1)
        return {"cls": cls, "ltrb": 8 * jnp.exp(ltrb), "centerness": centerness}


def make_batch(number, size=8):
    """One batch of noise with a random box in each search image."""
    rng = np.random.default_rng([7, number])
    corner = rng.uniform(2, 10, (size, 2))
    box = np.concatenate([corner, corner + rng.uniform(10, 20, (size, 2))], axis=1)
    return {
        "z_image": rng.integers(0, 256, (size, 16, 16, 3), np.uint8),
        "x_image": rng.integers(0, 256, (size, 32, 32, 3), np.uint8),
        "z_xyxy": np.tile(np.float32([4, 5, 12, 11]), (size, 1)),
        "xyxy": box.astype(np.float32),
        "is_positive": rng.random(size) > 0.2,
    }


class MemoryLoader:
    """Numbered batches; remembers where it is."""

    contents = ("noise",)

    def __init__(self, size=8):
        self.size, self.position, self.is_closed = size, 0, False

    def __next__(self):
        self.position += 1
        return make_batch(self.position, self.size)

    def get_state(self):
        return {"position": self.position}

    def set_state(self, state):
        self.position = state["position"]

    def close(self):
        self.is_closed = True


def build_tiny(config, *, search_size=0, axis_name=None):
    """Builds the tiny tracker, whatever the search crop's size."""
    del search_size
    return TinyTracker(axis_name, jnp.dtype(config.model.dtype))


TINY = dataclasses.replace(siamcar.FAMILY, network=build_tiny)


def small_config():
    """Settings of a run of 6 steps whose backbone joins at step 3."""
    config = get_config()
    config.model.name = "tiny"
    config.model.preprocessing.order = "BGR"
    config.model.preprocessing.scale = (128.0, 128.0, 128.0)
    for name in ("template_color", "search_color", "search_blur"):
        config.augment[name] = 0.0  # Compiled in its own tests alone.
    config.run.batch_size = 8
    config.run.num_epochs, config.run.pairs_per_epoch = 2, 24
    config.optimizer.warmup_epochs, config.optimizer.backbone_from_epoch = 1.0, 1.0
    config.optimizer.lr = 0.05
    config.optimizer.lr_warmup = 0.01
    config.optimizer.lr_end = 0.01
    config.optimizer.ema_decay = 0.9
    config.run.log_every, config.run.checkpoint_every = 2, 2
    return config


@pytest.fixture
def tiny_config(monkeypatch):
    """`small_config`, with the loader in its place."""
    monkeypatch.setattr(
        loop, "open_loader", lambda c, geometry: MemoryLoader(c.run.batch_size)
    )
    return small_config()
