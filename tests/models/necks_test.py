"""Tests for jaxtrack.models.necks."""

from functools import partial

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models.necks import (
    AdjustNeck,
    FuseNeck,
    PyramidNeck,
    central_crop,
    upsample_twice,
)
from tests.networks import drawn


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def test_upsampling_is_bilinear_with_half_pixel_centers(variant):
    x = normal(1, 5, 4, 3)
    expected = cv2.resize(x[0], (8, 10), interpolation=cv2.INTER_LINEAR)
    y = variant(upsample_twice)(x)[0]
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("size", "start", "cells"), [(15, 4, 7), (16, 4, 8)])
def test_crop_keeps_the_center(size, start, cells):
    x = jnp.arange(size * size).reshape(1, size, size, 1)
    cropped = central_crop(x, cells)
    assert cropped.shape == (1, cells, cells, 1)
    assert cropped[0, 0, 0, 0] == start * size + start
    assert central_crop(x, None) is x


def test_levels_are_cropped_after_the_statistics():
    """In training, cells that are cut off still count in mean and variance."""
    level = normal(1, 7, 7, 3)
    neck = AdjustNeck(features=4)
    variables = drawn(neck, (level, level))
    options = {"train": True, "mutable": ["batch_stats"]}
    (whole, new), (part, new_of_part) = (
        jax.jit(partial(neck.apply, crop=crop, **options))(variables, (level, level))
        for crop in (None, 3)
    )
    np.testing.assert_allclose(part[1], whole[1][:, 2:5, 2:5], rtol=1e-6)
    jax.tree.map(np.testing.assert_array_equal, new, new_of_part)
    assert set(variables["params"]) == {"conv2", "bn2", "conv3", "bn3"}


def test_the_last_levels_are_taken():
    """With the names and values they have among all levels."""
    levels = tuple(normal(1, 4, 4, 3 + i, seed=i) for i in range(3))
    whole = AdjustNeck(features=4)
    variables = drawn(whole, levels)
    every = jax.jit(whole.apply)(variables, levels)
    assert len(every) == 3
    for last in (1, 2, 3):
        neck = AdjustNeck(features=4, last=last)
        of_last = jax.eval_shape(neck.init, jax.random.key(0), levels)["params"]
        stages = range(5 - last, 5)
        assert set(of_last) == {f"{part}{i}" for part in ("conv", "bn") for i in stages}
        found = jax.jit(neck.apply)(variables, levels)
        assert len(found) == last
        jax.tree.map(np.testing.assert_array_equal, found, every[-last:])


def test_fusion_is_a_convolution_of_both():
    """The sum of one of each, phi_3 first, then the normalization as it stands."""
    levels = tuple(normal(2, 4, 5, c, seed=c) for c in (3, 2, 6))
    neck = FuseNeck(features=7)
    variables = drawn(neck, levels)
    kernel = np.asarray(variables["params"]["conv"]["kernel"])[0, 0]
    assert kernel.shape == (2 + 6, 7)
    stats = {"mean": normal(7, seed=1), "var": 1 + normal(7, seed=2) ** 2}
    affine = {"scale": normal(7, seed=3), "bias": normal(7, seed=4)}
    variables = {
        "params": {**variables["params"], "bn": affine},
        "batch_stats": {"bn": stats},
    }
    y = levels[1] @ kernel[:2] + levels[2] @ kernel[2:]
    y = (y - stats["mean"]) / np.sqrt(stats["var"] + 1e-5)
    fused = jax.jit(neck.apply)(variables, levels)
    expected = y * affine["scale"] + affine["bias"]
    np.testing.assert_allclose(fused, expected, rtol=1e-4, atol=1e-4)


def test_fusion_normalizes_by_the_batch_in_training():
    levels = tuple(normal(4, 5, 5, 3, seed=i) for i in range(3))
    neck = FuseNeck(features=6)
    variables = jax.jit(neck.init)(jax.random.key(0), levels)
    run = partial(neck.apply, train=True, mutable=["batch_stats"])
    y, new = jax.jit(run)(variables, levels)
    np.testing.assert_allclose(np.mean(y, (0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(np.std(y, (0, 1, 2)), 1, rtol=1e-3)
    kernel = np.asarray(variables["params"]["conv"]["kernel"])[0, 0]
    z = np.concatenate(levels[1:], axis=-1) @ kernel
    found = new["batch_stats"]["bn"]
    np.testing.assert_allclose(found["mean"], 0.1 * z.mean((0, 1, 2)), atol=1e-5)
    unbiased = np.var(z, (0, 1, 2), ddof=1)
    np.testing.assert_allclose(found["var"], 0.9 + 0.1 * unbiased, rtol=1e-4)


def test_pyramid_sums_the_levels():
    """One 1x1 convolution of joined maps is the sum of one of each."""
    fine, middle, deep = normal(1, 8, 8, 3), normal(1, 4, 4, 2), normal(1, 4, 4, 5)
    neck = PyramidNeck(features=6)
    variables = drawn(neck, (fine, middle, deep))
    y = jax.jit(neck.apply)(variables, (fine, middle, deep))
    params = jax.tree.map(np.asarray, variables["params"])
    kernel = params["coarse"]["kernel"][0, 0]
    coarse = middle @ kernel[:2] + deep @ kernel[2:]
    coarse = cv2.resize(coarse[0], (8, 8), interpolation=cv2.INTER_LINEAR)
    expected = fine[0] @ params["fine"]["kernel"][0, 0] + params["fine"]["bias"]
    expected += coarse
    np.testing.assert_allclose(y[0], expected, rtol=1e-4, atol=1e-5)
    crop = jax.jit(partial(neck.apply, crop=4))
    cropped = crop(variables, (fine, middle, deep))
    np.testing.assert_array_equal(cropped, y[:, 2:6, 2:6])
