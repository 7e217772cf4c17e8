"""Exported graphs compute what the network computes."""

import jax
import numpy as np
import pytest

from jaxtrack import cli, trackers
from jaxtrack import config as config_lib
from jaxtrack.models.norms import GroupNorm
from jaxtrack.ops import preprocess
from jaxtrack.ops.dense_conv import dense_conv
from jaxtrack.ops.depthwise_conv import depthwise_conv
from jaxtrack.ops.plain import plain_forms
from jaxtrack.training.inference import load_for_inference
from tests.export import programs


def test_plain_forms_are_equal_and_free_of_platforms():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 64, 64, 3)).astype(np.float32)
    dense = rng.normal(size=(3, 3, 3, 8)).astype(np.float32)
    depthwise = rng.normal(size=(3, 3, 1, 3)).astype(np.float32)
    norm = GroupNorm(3)
    variables = {"params": {"scale": np.full(3, 2.0), "bias": np.ones(3)}}
    variables = jax.tree.map(np.float32, variables)
    for function in (
        lambda x: dense_conv(x, dense, padding=1),
        lambda x: depthwise_conv(x, depthwise),
        lambda x: norm.apply(variables, x),
    ):
        assert "platform_index" in str(jax.make_jaxpr(function)(x))
        expected = function(x)
        # Another function, as what was traced is kept.
        plain = lambda x, function=function: function(x)  # noqa: E731
        with plain_forms():
            assert "platform_index" not in str(jax.make_jaxpr(plain)(x))
            np.testing.assert_allclose(plain(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Of the converter's own.
def test_graphs_of_the_shipped_tracker(tmp_path):
    pytest.importorskip("jax2onnx", reason="needs jaxtrack[onnx]")
    onnxruntime = pytest.importorskip("onnxruntime")
    out = tmp_path / "exported"
    cli.main(["export", "--checkpoint=lite", "--format=onnx", f"--out={out}"])

    saved = load_for_inference("lite")
    config = trackers.with_preprocessing(saved.config)
    pixels, network = config_lib.preprocessing(config), trackers.network_of(config)
    rng = np.random.default_rng(0)
    z, x = (
        rng.uniform(0, 255, (3, side, side, 3)).astype(np.float32)
        for side in network.geometry[:2]
    )
    outputs = jax.jit(network.apply)(
        saved.variables, *(preprocess.normalize(image, pixels) for image in (z, x))
    )
    template, search = (
        onnxruntime.InferenceSession(out / name)
        for name in ("template.onnx", "search.onnx")
    )
    (features,) = template.run(None, {"template": z})
    cls, quality, xyxy = search.run(None, {"search": x, "features_0": features})
    sigmoid = lambda v: 1 / (1 + np.exp(-np.asarray(v, np.float64)))  # noqa: E731
    logits = np.asarray(outputs["cls"], np.float64).reshape(3, -1, 2)
    np.testing.assert_allclose(cls, sigmoid(logits[..., 1] - logits[..., 0]), atol=1e-4)
    expected = sigmoid(outputs["centerness"]).reshape(3, -1)
    np.testing.assert_allclose(quality, expected, atol=1e-4)
    ltrb = np.asarray(outputs["ltrb"]).reshape(3, -1, 4)
    wh = xyxy[..., 2:] - xyxy[..., :2]
    # Sides of boxes of up to a hundred pixels, of float32.
    np.testing.assert_allclose(wh, ltrb[..., :2] + ltrb[..., 2:], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_documented_program_follows_the_same_target(tmp_path):
    pytest.importorskip("jax2onnx", reason="needs jaxtrack[onnx]")
    out = tmp_path / "exported"
    cli.main(["export", "--checkpoint=lite", "--format=onnx", f"--out={out}"])
    ours, found = programs.track(tmp_path, "track_onnx.py")
    low = np.maximum(ours[:, :2], found[:, :2])
    high = np.minimum(ours[:, :2] + ours[:, 2:4], found[:, :2] + found[:, 2:4])
    both = np.clip(high - low, 0, None).prod(1)
    iou = both / (ours[:, 2:4].prod(1) + found[:, 2:4].prod(1) - both)
    # Its crops are OpenCV's: blurred where the package averages blocks of pixels.
    assert iou.mean() > 0.85
