"""Goldens' weights by a user's road: a file, a checkpoint, a file, by commands.

The golden tests of the networks compare maps of the same variables.
"""

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

from jaxtrack import cli, trackers
from jaxtrack.training.inference import load_for_inference
from jaxtrack.weights import files
from jaxtrack.weights.torch import fill_backbone
from tests.goldens import draw
from tests.networks import (
    abstract,
    build,
    from_state_dict,
    weight_names,
)

from . import torch_files

pytestmark = pytest.mark.slow
KINDS = {"float32": "FloatStorage", "int64": "LongStorage"}


def write(path, state_dict, form):
    """Writes a state dict as its authors' training might."""
    if form == "npz":
        np.savez(path, **state_dict)
    elif form == "safetensors":
        save_file({key: np.asarray(a) for key, a in state_dict.items()}, path)
    else:
        tensors = {
            f"module.{key}": torch_files.tensor(
                *(key, value.shape, [s // value.itemsize for s in value.strides]),
                **{"count": value.size, "kind": KINDS[value.dtype.name]},
            )
            for key, value in state_dict.items()
        }
        content = {"epoch": 20, "state_dict": tensors}
        torch_files.write(path, content, state_dict, form)


@pytest.mark.parametrize(
    ("name", "form", "order"),
    [
        ("siamcar_r50", "zip", "BGR"),
        ("siamrpnpp_r50", "legacy", "BGR"),
        ("siamfcpp_googlenet", "safetensors", "RGB"),
    ],
)
def test_a_goldens_file_becomes_the_same_numbers(goldens, name, form, order, tmp_path):
    drawn = draw.state_dict(goldens, name)
    path = tmp_path / f"model.{'pth' if form in ('zip', 'legacy') else form}"
    write(path, drawn, form)
    out, written = tmp_path / "run", tmp_path / "torch.safetensors"
    cli.main(["weights", "import", f"--model={name}", f"--file={path}", f"--out={out}"])
    loaded = load_for_inference(out)
    same = from_state_dict(name, drawn)
    jax.tree.map(np.testing.assert_array_equal, loaded.variables, same)
    assert trackers.network_of(loaded.config) == build(name)
    assert loaded.config.model.preprocessing.order == order
    # And out again: every array, bit for bit.
    cli.main(["weights", "export", str(out), "--names=torch", f"--out={written}"])
    again = files.read(written).arrays
    kept = {k: v for k, v in drawn.items() if not k.endswith("num_batches_tracked")}
    assert set(again) == set(kept)
    for key, value in kept.items():
        np.testing.assert_array_equal(again[key], value, strict=True)


@pytest.mark.parametrize(
    ("golden", "name", "form"),
    [
        ("resnet18_atrous", "siamcar_r18", "legacy"),
        ("efficientnet_b0", "rpn_effb0", "zip"),
    ],
)
def test_a_golden_backbones_file_has_the_same_numbers(
    goldens, golden, name, form, tmp_path
):
    drawn = draw.state_dict(goldens, golden)
    write(tmp_path / "backbone.pth", drawn, form)
    arrays = files.read(tmp_path / "backbone.pth").arrays
    names, shapes = weight_names(name), abstract(name)[1]
    found, expected = (
        {kind: tree["backbone"] for kind, tree in filled.items()}
        for filled in (fill_backbone(names, shapes, a) for a in (arrays, drawn))
    )
    jax.tree.map(np.testing.assert_array_equal, found, expected)
