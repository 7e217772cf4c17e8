"""Tests for jaxtrack.trackers.nanotrack.

Those of public weights read `$JAXTRACK_SHARED/realweights` and skip without it.
"""

import functools

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack import configs, trackers, weights
from jaxtrack.datasets import folders
from jaxtrack.datasets.pictures import read_image
from jaxtrack.models import folding
from jaxtrack.ops import grid
from jaxtrack.session import Session
from tests.networks import (
    abstract,
    build,
    count,
    from_state_dict,
    number_variables,
    to_state_dict,
)

NAME = "nanotrack_v2"


def test_outputs_fit_the_geometry():
    outputs, variables = abstract(NAME)
    assert {k: (v.shape, v.dtype) for k, v in outputs.items()} == {
        "cls": ((2, 16, 16, 2), jnp.float32),
        "ltrb": ((2, 16, 16, 4), jnp.float32),
    }
    assert set(variables["params"]) == {"backbone", "correlation", "head"}
    assert count(variables["params"]) == 334_078  # 334.1K, its README says.


def test_points_are_those_of_its_code():
    """Pixel index 127 + 16 (i - 8), whose center is half a pixel more."""
    xy = grid.points(build(NAME).geometry)
    np.testing.assert_array_equal(
        xy[0, :, 0] - 0.5, 127 + 16 * np.arange(-8, 8, dtype="f4")
    )


def test_names_are_those_of_its_code():
    variables = number_variables(NAME)
    state_dict = to_state_dict(NAME, variables)
    for key, shape in {
        "backbone.features.0.0.weight": (16, 3, 3, 3),
        "backbone.features.1.conv.3.fc.2.weight": (16, 8),
        "backbone.features.8.conv.5.fc.0.weight": (40, 144),
        "backbone.features.2.conv.4.running_var": (72,),
        "ban_head.corr_pw_reg.CA_layer.fc1.weight": (64, 64, 1, 1),
        "ban_head.corr_pw_cls.conv_search.1.running_mean": (48,),
        "ban_head.bbox_pw_tower.20.weight": (96, 1, 3, 3),
        "ban_head.cls_pw_tower.22.bias": (96,),
        "ban_head.cls_pred.0.weight": (2, 96, 1, 1),
    }.items():
        assert state_dict[key].shape == shape
    back = from_state_dict(NAME, state_dict)
    jax.tree.map(np.testing.assert_array_equal, back, variables)


@functools.cache
def outputs_of():
    """Compiles levels of two crops and the maps of both, once."""

    def everything(model, z, x):
        both = model.backbone(z), model.backbone(x)
        return *both, model.predict(*map(model.neck, both))

    model = build(NAME)
    return jax.jit(lambda v, z, x: model.apply(v, z, x, method=everything))


def crops_of(shared):
    """Two crops of a real frame, RGB."""
    path = shared / "realdata" / "sequences" / "otb_Car4" / "img" / "0001.jpg"
    image = read_image(path)
    crops = ((image[20:180, 10:170], 127), (image[:230, :230], 255))
    resized = [cv2.resize(np.ascontiguousarray(c), (n, n)) for c, n in crops]
    return [crop[None].astype(np.float32) for crop in resized]


def by_onnxruntime(realweights, z, x):
    """The public networks' maps in the order of `outputs_of`, NCHW."""
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    model = onnx.load(realweights / "nanotrack_backbone_sim.onnx")
    for value, sides in ((model.graph.input[0], "in"), (model.graph.output[0], "out")):
        for dim in value.type.tensor_type.shape.dim[2:]:
            dim.dim_param = sides
    del model.graph.value_info[:]
    backbone = runtime.InferenceSession(model.SerializeToString())
    head = runtime.InferenceSession(realweights / "nanotrack_head_sim.onnx")
    levels = [
        backbone.run(None, {"input": image.transpose(0, 3, 1, 2)})[0]
        for image in (z, x)
    ]
    names = ("input1", "input2")
    return *levels, *head.run(None, dict(zip(names, levels, strict=True)))


@pytest.mark.slow
def test_maps_of_public_weights_are_those_of_onnxruntime(shared, realweights):
    """On a real frame, by the weights of PyTorch and by those of the ONNX files.

    Distances in pixels reach 70: their error is relative.
    """
    z, x = crops_of(shared)
    z_level, x_level, cls, ltrb = by_onnxruntime(realweights, z, x)
    onnx_files = [realweights / f"nanotrack_{p}_sim.onnx" for p in ("backbone", "head")]
    for paths in ([realweights / "nanotrackv2.safetensors"], onnx_files):
        own = weights.import_tracker(configs.load(NAME), paths).variables
        of_z, of_x, outputs = outputs_of()(own, z, x)
        for found, expected in (
            (of_z[-1], z_level),
            (of_x[-1], x_level),
            (outputs["cls"], cls),
        ):
            np.testing.assert_allclose(
                found.transpose(0, 3, 1, 2), expected, rtol=0, atol=1e-4
            )
        found = outputs["ltrb"].transpose(0, 3, 1, 2)
        np.testing.assert_allclose(found, ltrb, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["otb_Crossing", "uav_wakeboard7"])
def test_boxes_of_public_weights_are_those_of_opencv(shared, realweights, name):
    """Frame by frame, to the pixel."""
    path = realweights / "nanotrackv2.safetensors"
    loaded = weights.import_tracker(configs.load(NAME), [path])
    variables = folding.fold(build(NAME), loaded.variables)
    session = Session(trackers.tracker_of(loaded.config), variables)
    params = cv2.TrackerNano_Params()
    params.backbone = str(realweights / "nanotrack_backbone_sim.onnx")
    params.neckhead = str(realweights / "nanotrack_head_sim.onnx")
    theirs = cv2.TrackerNano_create(params)
    video = folders.read_sequence(shared / "realdata" / "sequences" / name)
    images = [read_image(path) for path in video.frames]
    box = tuple(round(float(value)) for value in video.truth[0])
    theirs.init(np.ascontiguousarray(images[0][..., ::-1]), box)
    session.init(images[0], box)
    for number, image in enumerate(images[1:], start=1):
        _, expected = theirs.update(np.ascontiguousarray(image[..., ::-1]))
        found, _ = session.update(image)
        np.testing.assert_array_equal(found, expected, err_msg=f"{number}")
