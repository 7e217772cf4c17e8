"""Tests for jaxtrack.models.folding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import errors
from flax import linen as nn

from jaxtrack.data.composed import ComposedSource
from jaxtrack.models import folding
from jaxtrack.models.layers import Conv, DepthwiseConv, conv_bn
from jaxtrack.models.norms import BatchNorm
from jaxtrack.ops.grid import Geometry
from jaxtrack.trackers import network_of, tracker_of
from jaxtrack.tracking import run, video
from jaxtrack.weights import shipped
from tests.networks import abstract, build, draw_variables

EPSILON = 0.5  # Far from any default.


class Pair(nn.Module):
    """Convolutions with normalizations behind them, between two images and an output.

    The first pads as TensorFlow, its kernel reaching over the border on one side, and
    has a bias of its own; the normalization of the last is in no convolution.
    """

    @property
    def geometry(self):
        """Crops of 6 pixels."""
        return Geometry(6, 6, 3, 2, 1.0)

    @nn.compact
    def __call__(self, z, x):
        del z
        conv = Conv(4, 3, 2, "SAME", use_bias=True, name="dense")
        x = conv_bn(conv, BatchNorm(4, EPSILON, name="norm1"), x, train=False)
        conv = DepthwiseConv(3, name="depthwise")
        x = conv_bn(conv, BatchNorm(4, name="norm2"), x, train=False)
        a, b = BatchNorm(4, name="norm3").affine()
        return x * a[None, None, None] + b[None, None, None]


def randomised(tree, seed=0):
    """Draws every leaf; variances and scales are positive and no two alike."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda a: rng.uniform(0.3, 3, a.shape).astype(np.float32), tree)


@pytest.fixture(scope="module")
def pair():
    images = jnp.zeros((1, 6, 6, 3))
    shapes = jax.eval_shape(Pair().init, jax.random.key(0), images, images)
    return Pair(), randomised(shapes)


def test_a_pair_by_definition(pair, variant):
    """In float64: a strided convolution of the padded map, its bias, the norm."""
    network, variables = pair
    x = np.random.default_rng(1).standard_normal((1, 6, 6, 3), np.float32)
    params, stats = variables["params"], variables["batch_stats"]

    def normalize(y, name, epsilon=1e-5):
        mean, var = (np.float64(stats[name][key]) for key in ("mean", "var"))
        scale, bias = (np.float64(params[name][key]) for key in ("scale", "bias"))
        return (y - mean) / np.sqrt(var + epsilon) * scale + bias

    kernel = np.float64(params["dense"]["kernel"])
    padded = np.pad(np.float64(x), ((0, 0), (0, 1), (0, 1), (0, 0)))  # 2 * 2 + 3 = 7.
    y = np.zeros((1, 3, 3, 4))
    for i, j in np.ndindex(3, 3):
        cells = padded[0, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
        y[0, i, j] = np.tensordot(cells, kernel, 3) + params["dense"]["bias"]
    y = normalize(y, "norm1", EPSILON)
    padded = np.pad(y, ((0, 0), (1, 1), (1, 1), (0, 0)))
    kernel = np.float64(params["depthwise"]["kernel"])[:, :, 0]
    for i, j in np.ndindex(3, 3):
        y[0, i, j] = np.sum(padded[0, i : i + 3, j : j + 3] * kernel, (0, 1))
    expected = normalize(normalize(y, "norm2"), "norm3")

    folded = folding.fold(network, variables)
    result = variant(lambda x: network.apply(folded, x, x))(x)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


def test_what_is_left_of_a_pair(pair):
    network, variables = pair
    folded = folding.fold(network, variables)
    assert set(folded["params"]["norm1"]) == {"bias"}
    assert set(folded["batch_stats"]) == {"norm3"}  # It is in no convolution.
    np.testing.assert_array_equal(
        folded["params"]["norm3"]["scale"], variables["params"]["norm3"]["scale"]
    )
    assert {leaf.dtype for leaf in jax.tree.leaves(folded)} == {np.dtype("float32")}
    jax.tree.map(np.testing.assert_array_equal, folding.fold(network, folded), folded)
    assert "mean" in variables["batch_stats"]["norm1"]  # The given ones stay.


def test_what_is_folded_does_not_train():
    bn, x = BatchNorm(2), jnp.ones((1, 2, 2, 2))
    with pytest.raises(ValueError, match="folded"):
        bn.apply({"params": {"bias": jnp.ones(2)}}, x, mutable=["batch_stats"])


def test_half_a_normalization_is_no_folded_one(pair):
    network, variables = pair
    params = {**variables["params"], "norm1": {"bias": jnp.ones(4)}}
    x = jax.ShapeDtypeStruct((1, 6, 6, 3), jnp.float32)
    with pytest.raises(errors.ScopeParamNotFoundError, match="scale"):
        jax.eval_shape(network.apply, {**variables, "params": params}, x, x)


def test_every_normalization_is_found():
    """But the backbone's of GoogLeNet: 5, 3 blocks of 7, one of 4, 4 of 10."""
    for name, left in (("cract_r18", 0), ("siamfcpp_googlenet", 70)):
        network, (_, variables) = build(name), abstract(name)
        parts = folding.find(network, variables)
        found = {norm for norm, _ in parts.norms.values()}
        norms = len(jax.tree.leaves(variables["batch_stats"])) // 2  # Mean, variance.
        assert norms - left == len(found) == len(parts.norms)


@pytest.mark.slow
def test_features_of_the_small_network_stay():
    """All its normalizations are in the backbone, whose maps it standardizes."""
    network, variables = build("siamcar_lite0"), draw_variables("siamcar_lite0")
    folded = folding.fold(network, variables)
    assert len(jax.tree.leaves(variables)) == 208
    assert len(jax.tree.leaves(folded)) == 208 - 3 * 33 + 2 * 3  # Norms; maps.
    image = np.random.default_rng(2).standard_normal((1, 128, 128, 3), np.float32)
    encode = jax.jit(lambda v: network.apply(v, image, method="encode_template"))
    expected = encode(variables)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(encode(folded), expected, rtol=0, atol=1e-4 * scale)


@pytest.mark.slow
def test_boxes_of_the_shipped_tracker_stay():
    """Within 0.1 px over a composed video, in which no step goes astray by rounding."""
    saved = shipped.load("lite")
    network, tracker = network_of(saved.config), tracker_of(saved.config)
    source = ComposedSource(num_tracks=1, length=12, size=(240, 320), seed=3)
    canvas = video.canvas_size((240, 320))
    frames = [video.pad(source.frame(0, t).image, canvas) for t in range(12)]
    x0, y0, x1, y1 = source.track_boxes(0)[0]
    first = np.array([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0])
    drivers = run.compile_tracker(tracker)

    def boxes(variables):
        outputs = run.track_video(drivers, variables, frames, first)
        return np.stack([output.box for output in outputs])

    expected = boxes(saved.variables)
    assert np.ptp(expected[:, :2], 0).max() > 3  # It does move.
    folded = folding.fold(network, saved.variables)
    np.testing.assert_allclose(boxes(folded), expected, atol=0.1)
