"""A CRACT small enough to train in a test."""

import dataclasses
from typing import Any

import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.models.norms import BatchNorm
from jaxtrack.models.refine import Refiner
from jaxtrack.models.two_stage import TwoStage
from jaxtrack.trackers import cract

from .conftest import GEOMETRY, TinyBackbone, normalized

SIZES = ((12.0, 12.0), (8.0, 16.0))


class TinyNeck(nn.Module):
    """A convolution with batch normalization; the template's is not cropped."""

    axis_name: str | None

    @nn.compact
    def __call__(self, levels, *, crop=None, train=False):
        del crop
        x = nn.Conv(4, (1, 1), name="conv")(levels)
        bn = BatchNorm(4, axis_name=self.axis_name, name="bn")
        return normalized(bn, x, train=train)


class TinyCorrelation(nn.Module):
    """The search features times the template's mean."""

    @nn.compact
    def __call__(self, z, x, *, train=False):
        del train
        return z.mean((1, 2), keepdims=True) * x


class TinyHead(nn.Module):
    """Two logits and four deltas an anchor."""

    @nn.compact
    def __call__(self, response, *, train=False):
        del train
        maps = nn.Conv(6 * len(SIZES), (3, 3), name="head")(response)
        maps = maps.reshape(*maps.shape[:3], len(SIZES), 6)
        return {"cls": maps[..., :2], "deltas": 0.3 * maps[..., 2:]}


def tiny_cract(*, refinement="cascade", axis_name=None, dtype: Any = jnp.float32):
    """Returns CRACT with a few thousand parameters."""
    return TwoStage(
        backbone=TinyBackbone(axis_name, dtype),
        neck=TinyNeck(axis_name),
        correlation=TinyCorrelation(),
        head=TinyHead(),
        fuse=TinyNeck(axis_name),
        refiner=Refiner(refinement, (2,), 8.0, 4.0, features=4, hidden=8),
        template_cells=2,
        geometry=GEOMETRY,
        anchors=SIZES,
    )


def build(config, *, search_size=0, axis_name=None):
    """Builds the tiny CRACT, whatever the search crop's size."""
    del search_size
    dtype = jnp.dtype(config.model.dtype)
    return tiny_cract(axis_name=axis_name, dtype=dtype)


FAMILY = dataclasses.replace(cract.FAMILY, network=build)


def set_cract(config):
    """Changes settings so that they fit the tiny CRACT."""
    config.model.name, config.labels.assigner = "cract_tiny", "iou"
    config.loss.regression, config.labels.iou_high = "smooth_l1", 0.5
    config.loss.weights = (1.0, 1.0, 0.0)
    config.refine.train_proposals, config.refine.jittered = 12, 4
    config.refine.samples, config.refine.positives = 8, 4
    return config
