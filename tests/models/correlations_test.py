"""Tests for jaxtrack.models.correlations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.models import correlations
from jaxtrack.models.correlations import (
    BranchCorrelation,
    LevelCorrelation,
    PositionedCorrelation,
    PositionEmbedding,
    SearchCorrelation,
)
from jaxtrack.ops import xcorr
from tests.networks import drawn


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def test_levels_are_joined_in_order():
    z = (normal(1, 2, 2, 3), normal(1, 2, 2, 3, seed=1))
    x = (normal(1, 4, 4, 3, seed=2), normal(1, 4, 4, 3, seed=3))
    module = LevelCorrelation(features=5)
    variables = drawn(module, z, x)
    y = module.apply(variables, z, x)
    down = jax.tree.map(np.asarray, variables["params"]["down"])
    # Cell (0, 0): products of the template with the top-left search cells.
    r = [np.sum(a * b[:, :2, :2], (1, 2)) for a, b in zip(z, x, strict=True)]
    expected = np.concatenate(r, -1) @ down["kernel"][0, 0] + down["bias"]
    np.testing.assert_allclose(y[:, 0, 0], expected, rtol=1e-4, atol=1e-5)
    assert y.shape == (1, 3, 3, 5)


@pytest.mark.parametrize(
    ("depthwise", "pixelwise", "inputs"),
    [(True, False, 16 + 16), (False, True, 16 + 9), (True, True, 16 + 9 + 16)],
)
def test_choices_keep_the_search_map(depthwise, pixelwise, inputs):
    z, x = normal(2, 3, 3, 16), normal(2, 6, 6, 16, seed=1)
    module = SearchCorrelation(depthwise, pixelwise, features=8, groups=2)
    y, variables = jax.eval_shape(module.init_with_output, jax.random.key(0), z, x)
    assert y.shape == (2, 6, 6, 8)
    assert variables["params"]["fuse"]["kernel"].shape == (1, 1, inputs, 8)


@pytest.mark.parametrize(("size", "corner"), [(3, (3, 2)), (4, (2, 1))])
def test_padded_depthwise_peaks_at_the_target(size, corner):
    """The peak is the cell at the template's center (below right of it when even)."""
    z = normal(1, size, size, 4)
    top, left = corner
    x = jnp.zeros((1, 8, 8, 4)).at[:, top : top + size, left : left + size].set(z)
    r = correlations._normalized_depthwise_xcorr(jnp.asarray(z), x).sum(-1)[0]
    peak = jnp.unravel_index(jnp.argmax(r), r.shape)
    assert peak == (top + size // 2, left + size // 2)
    # Every cell of unit length: the sum of products is Hz Wz, times C / (Hz Wz).
    np.testing.assert_allclose(r[peak], 4.0, rtol=1e-3)


def expanded(module, z, x):
    """The embedding's maps less its bias, and the kernel that expands them."""
    variables = drawn(module, z, x)
    p = np.asarray(module.apply(variables, z, x))
    expand = jax.tree.map(np.asarray, variables["params"]["expand"])
    return p - expand["bias"], expand["kernel"][0, 0]


def test_position_embedding_by_hand():
    # One level: z is 1 2 / 3 4 and x counts from 0, three a row. At the top left
    # 1*0 + 2*1 + 3*3 + 4*4 = 27; divided by the four products it adds: 6.75.
    z = jnp.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    x = jnp.arange(9.0).reshape(1, 3, 3, 1)
    p, kernel = expanded(PositionEmbedding(features=5), z, x)
    maps = np.array([[27, 37], [57, 67]])[None, ..., None] / 4
    np.testing.assert_allclose(p, maps @ kernel, rtol=1e-5)


def test_position_embedding_sums_the_depthwise_correlation():
    levels = [
        (normal(2, 2, 2, 6, seed=i), normal(2, 5, 5, 6, seed=9 + i)) for i in (0, 1)
    ]
    z, x = zip(*levels, strict=True)
    p, kernel = expanded(PositionEmbedding(features=3), z, x)
    maps = [np.sum(xcorr.depthwise_xcorr(*zx), -1) / (2 * 2 * 6) for zx in levels]
    np.testing.assert_allclose(p, np.stack(maps, -1) @ kernel, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("size", "corner"), [(3, (3, 2)), (4, (2, 1))])
def test_position_on_the_search_grid_peaks_at_the_target(size, corner):
    z = normal(1, size, size, 4)
    top, left = corner
    x = jnp.zeros((1, 8, 8, 4)).at[:, top : top + size, left : left + size].set(z)
    p, kernel = expanded(PositionEmbedding(features=1, on_search_grid=True), z, x)
    r = p[0, ..., 0] / kernel[0, 0]
    assert r.shape == (8, 8)
    peak = jnp.unravel_index(jnp.argmax(r), r.shape)
    assert peak == (top + size // 2, left + size // 2)
    np.testing.assert_allclose(r[peak], 1.0, rtol=1e-3)  # The mean of cosines of 1.


def test_positioned_correlation_returns_both():
    z, x = normal(2, 3, 3, 16), normal(2, 6, 6, 16, seed=1)
    response = SearchCorrelation(False, True, features=8, groups=2)
    position = PositionEmbedding(features=8, on_search_grid=True)
    both = PositionedCorrelation(response, position)
    shapes = jax.eval_shape(both.init_with_output, jax.random.key(0), z, x)
    (r, p), variables = shapes
    assert r.shape == p.shape == (2, 6, 6, 8)
    assert set(variables["params"]) == {"response", "position"}
    alone = PositionedCorrelation(response, None)
    r, p = jax.eval_shape(alone.init_with_output, jax.random.key(0), z, x)[0]
    assert r.shape == (2, 6, 6, 8)
    assert p is None


def test_branches_by_definition():
    """Each its own 3 x 3 convolutions, ReLU and correlation, level by level."""
    z = (normal(1, 4, 4, 3), normal(1, 4, 4, 5, seed=1))
    x = (normal(1, 7, 6, 3, seed=2), normal(1, 7, 6, 5, seed=3))
    module = BranchCorrelation(features=2)
    found, variables = jax.jit(module.init_with_output)(jax.random.key(0), z, x)
    assert set(found) == {"cls", "loc"}
    shift = 1 / np.sqrt(1 + 1e-5)  # The normalization's start.

    def filtered(m, name):
        kernel = np.float64(variables["params"][name]["kernel"])
        windows = np.lib.stride_tricks.sliding_window_view(m, (3, 3), axis=(1, 2))
        y = np.einsum("bijcuv,uvco->bijo", windows, kernel) * shift
        return np.maximum(y, 0)

    for branch, responses in found.items():
        for i, response in enumerate(responses):
            kernel = filtered(z[i], f"{branch}{i + 2}_kernel")  # 2 x 2 cells.
            search = filtered(x[i], f"{branch}{i + 2}_search")
            windows = np.lib.stride_tricks.sliding_window_view(
                search, (2, 2), axis=(1, 2)
            )
            expected = np.einsum("bijcuv,buvc->bijc", windows, kernel)
            assert response.shape == (1, 4, 3, 2)
            np.testing.assert_allclose(response, expected, rtol=1e-4, atol=1e-4)


def test_branches_normalize_by_the_batch_in_training():
    z, x = (normal(2, 4, 4, 3),), (normal(2, 6, 6, 3, seed=1),)
    module = BranchCorrelation(features=2)
    variables = drawn(module, z, x)
    new = jax.jit(
        lambda v: module.apply(v, z, x, train=True, mutable=["batch_stats"])[1]
    )(variables)
    moved = jax.tree.map(
        lambda a, b: np.any(a != b), variables["batch_stats"], new["batch_stats"]
    )
    assert len(jax.tree.leaves(moved)) == 2 * 2 * 2  # Branch, role, mean or variance.
    assert all(jax.tree.leaves(moved))
