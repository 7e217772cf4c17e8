"""Tests for jaxtrack.weights.onnx and jaxtrack.weights.folded."""

import jax
import numpy as np
import pytest
from flax import linen as nn

from jaxtrack.errors import InputError
from jaxtrack.models import folding
from jaxtrack.models.layers import Conv, DepthwiseConv, conv_bn
from jaxtrack.models.norms import BatchNorm
from jaxtrack.ops import grid
from jaxtrack.trackers.family import WeightNames
from jaxtrack.weights import folded, torch
from jaxtrack.weights.onnx import read_onnx
from tests.networks import drawn

onnx = pytest.importorskip("onnx")


def write(path, nodes, arrays):
    """Writes a graph; what it computes does not matter."""
    helper = onnx.helper
    nodes = [
        helper.make_node(op, inputs, [f"{name}_output"], name=name, **attributes)
        for op, name, inputs, attributes in nodes
    ]
    tensors = [onnx.numpy_helper.from_array(a, name) for name, a in arrays.items()]
    graph = helper.make_graph(nodes, "main", [], [], initializer=tensors)
    path.write_bytes(helper.make_model(graph).SerializeToString())


def test_numbers_become_the_names_of_modules(tmp_path):
    rng = np.random.default_rng(0)
    kernel, bias = rng.random((4, 3, 3, 3), "f4"), rng.random(4, "f4")
    wide, named = rng.random((5, 2), "f4"), rng.random((7, 5), "f4")
    nodes = [
        (
            *("Conv", "/features/features.0/features.0.0/Conv"),
            *(["image", "onnx::Conv_383", "onnx::Conv_384"], {}),
        ),
        ("Clip", "/features/features.0/features.0.2/Clip", ["x", "/low"], {}),
        ("MatMul", "/fc/MatMul", ["x", "onnx::MatMul_9"], {}),
        ("Gemm", "/se/se.1/fc/fc.0/Gemm", ["x", "se.1.fc.0.weight"], {"transB": 1}),
        ("Gemm", "/last/Gemm", ["x", "onnx::Gemm_4"], {}),
        ("Reshape", "/Reshape", ["x", "onnx::Reshape_1"], {}),
    ]
    arrays = {"onnx::Conv_383": kernel, "onnx::Conv_384": bias, "/low": bias[0]}
    arrays |= {"onnx::MatMul_9": wide, "se.1.fc.0.weight": named}
    arrays |= {"onnx::Gemm_4": wide, "onnx::Reshape_1": np.array([1, 2])}
    arrays |= {"token": bias}
    write(tmp_path / "net.onnx", nodes, arrays)
    found = read_onnx(tmp_path / "net.onnx")
    expected = {"features.0.0.weight": kernel, "features.0.0.bias": bias}
    expected |= {"fc.weight": wide.T, "se.1.fc.0.weight": named}
    expected |= {"last.weight": wide.T, "token": bias}
    assert found.keys() == expected.keys()
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_files_that_are_no_weights_are_refused(tmp_path):
    path = tmp_path / "net.onnx"
    with pytest.raises(InputError, match="net.onnx: cannot be read: No such file"):
        read_onnx(path)
    path.write_bytes(b"\x08\x07\x3a\xff\xff\xff\xff\x0fno graph")
    with pytest.raises(InputError, match="net.onnx: damaged, or no ONNX file"):
        read_onnx(path)
    tensor = onnx.TensorProto(name="w", data_location=onnx.TensorProto.EXTERNAL)
    graph = onnx.helper.make_graph([], "main", [], [], initializer=[tensor])
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    with pytest.raises(InputError, match="its arrays are in a file of their own"):
        read_onnx(path)


class Two(nn.Module):
    """Two convolutions with normalizations, the first with a bias of its own."""

    geometry = grid.Geometry(4, 6, 6, 1, 0.5)

    @nn.compact
    def __call__(self, z, x):
        del z
        conv, bn = Conv(4, 3, use_bias=True, name="conv0"), BatchNorm(4, name="bn0")
        x = nn.relu(conv_bn(conv, bn, x, train=False))
        conv, bn = DepthwiseConv(3, name="conv1"), BatchNorm(4, 1e-3, name="bn1")
        return conv_bn(conv, bn, x, train=False)


def test_folded_normalizations_come_back():
    """A state dict of kernels and biases alone gives the same network."""
    network, names = Two(), WeightNames(rules=())
    images = [np.random.default_rng(0).random((1, n, n, 3), "f4") for n in (4, 6)]
    variables = drawn(network, *images)
    norms = folding.find(network, variables).norms
    state_dict = torch.state_dict_of(names, folding.fold(network, variables))
    for number in "01":  # As an exporter leaves them.
        bias = state_dict.pop(f"bn{number}.bias")
        key = f"conv{number}.bias"
        state_dict[key] = state_dict.get(key, 0) + bias
    found = folded.unfold(names, variables, state_dict, norms)
    expected, again = (
        network.apply(v, *images)
        for v in (variables, torch.fill(names, variables, found))
    )
    np.testing.assert_allclose(again, expected, rtol=1e-5, atol=1e-5)
    whole = torch.state_dict_of(names, variables)
    assert folded.unfold(names, variables, whole, norms).keys() == whole.keys()
