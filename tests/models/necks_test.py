"""Tests for jaxtrack.models.necks."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.necks import (
    AdjustNeck,
    PyramidNeck,
    central_crop,
    upsample_twice,
)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def test_upsampling_is_bilinear_with_half_pixel_centres(variant):
    x = normal(1, 5, 4, 3)
    expected = cv2.resize(x[0], (8, 10), interpolation=cv2.INTER_LINEAR)
    y = variant(upsample_twice)(x)[0]
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("size", "start", "cells"), [(15, 4, 7), (16, 4, 8)])
def test_crop_keeps_the_centre(size, start, cells):
    x = jnp.arange(size * size).reshape(1, size, size, 1)
    cropped = central_crop(x, cells)
    assert cropped.shape == (1, cells, cells, 1)
    assert cropped[0, 0, 0, 0] == start * size + start
    assert central_crop(x, None) is x


def test_levels_are_cropped_after_the_statistics():
    """In training, cells that are cut off still count in mean and variance."""
    level = normal(1, 7, 7, 3)
    neck = AdjustNeck(features=4)
    variables = neck.init(jax.random.key(0), (level, level))
    whole, new = neck.apply(
        variables, (level, level), train=True, mutable=["batch_stats"]
    )
    part, new_of_part = neck.apply(
        variables, (level, level), crop=3, train=True, mutable=["batch_stats"]
    )
    np.testing.assert_allclose(part[1], whole[1][:, 2:5, 2:5], rtol=1e-6)
    jax.tree.map(np.testing.assert_array_equal, new, new_of_part)
    assert set(variables["params"]) == {"conv2", "bn2", "conv3", "bn3"}


def test_pyramid_sums_the_levels():
    """One 1x1 convolution of joined maps is the sum of one of each."""
    fine, middle, deep = normal(1, 8, 8, 3), normal(1, 4, 4, 2), normal(1, 4, 4, 5)
    neck = PyramidNeck(features=6)
    y, variables = neck.init_with_output(jax.random.key(0), (fine, middle, deep))
    params = variables["params"]
    kernel = np.asarray(params["coarse"]["kernel"])[0, 0]
    coarse = middle @ kernel[:2] + deep @ kernel[2:]
    coarse = cv2.resize(coarse[0], (8, 8), interpolation=cv2.INTER_LINEAR)
    expected = fine[0] @ np.asarray(params["fine"]["kernel"])[0, 0] + coarse
    np.testing.assert_allclose(y[0], expected, rtol=1e-4, atol=1e-5)
    cropped = neck.apply(variables, (fine, middle, deep), crop=4)
    np.testing.assert_array_equal(cropped, y[:, 2:6, 2:6])
