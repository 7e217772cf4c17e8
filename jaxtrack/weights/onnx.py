"""Weights of ONNX files that PyTorch exported, under the names of its modules."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from jaxtrack.errors import InputError, require

if TYPE_CHECKING:
    import onnx

# Operators with weights; their second input is the weight, the third the bias.
_LAYERS = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def read_onnx(path: str | Path) -> dict[str, np.ndarray]:
    """Reads the weights of an ONNX file as a state dict.

    An exporter that folds batch normalizations into kernels names the results by
    numbers. Their modules are found by the operators that use them: the weight of
    `/features/features.1/conv/conv.3/fc/fc.0/Gemm` is `features.1.conv.3.fc.0.weight`.
    Constants that no layer uses, such as shapes, are left out.

    Args:
      path: the file.

    Returns:
      Arrays by name, as in a state dict; batch normalizations that were folded have
      none, and the convolutions before them have a bias.

    Raises:
      InputError: if the file is missing, damaged, or keeps its arrays elsewhere, or the
        package onnx is not installed.
    """
    require("onnx")
    import onnx
    from google.protobuf.message import DecodeError

    path = Path(path)
    try:
        model = onnx.ModelProto.FromString(path.read_bytes())
        return dict(_named(model.graph))
    except OSError as fault:
        raise InputError(f"{path}: cannot be read: {fault.strerror}") from fault
    except (DecodeError, ValueError, TypeError, LookupError) as fault:
        raise InputError(f"{path}: damaged, or no ONNX file: {fault}") from fault


def _named(graph: "onnx.GraphProto") -> Iterator[tuple[str, np.ndarray]]:
    """Yields names and arrays of a graph's weights."""
    from onnx import TensorProto, numpy_helper

    arrays = {}
    for tensor in graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL:
            raise ValueError("its arrays are in a file of their own")
        if tensor.data_type == TensorProto.STRING:
            continue
        arrays[tensor.name] = numpy_helper.to_array(tensor)
    names = {}
    for node in graph.node:
        if node.op_type not in _LAYERS:
            continue
        for role, given in zip(("weight", "bias"), node.input[1:3], strict=False):
            if given not in arrays or given in names:
                continue
            names[given] = f"{_module(node.name)}.{role}"
            if role == "weight" and _is_turned(node):
                arrays[given] = arrays[given].T
    for name, array in arrays.items():
        if name in names or not name.startswith(("/", "onnx::")):
            yield names.get(name, name), array


def _module(node: str) -> str:
    """Returns the module of a node.

    A part of its name that begins with the last one, as `conv.3` after `conv`, stands
    for both.
    """
    parts: list[str] = []
    for part in node.strip("/").split("/")[:-1]:
        if parts and part.startswith(f"{parts[-1]}."):
            parts.pop()
        parts.append(part)
    return ".".join(parts)


def _is_turned(node: "onnx.NodeProto") -> bool:
    """Whether a layer's weight is `[Cin, Cout]`, where PyTorch has `[Cout, Cin]`."""
    if node.op_type == "MatMul":
        return True
    turns = {attribute.name: attribute.i for attribute in node.attribute}
    return node.op_type == "Gemm" and not turns.get("transB", 0)
