"""Tests for jaxtrack.weights.bundle: a tracker in one file."""

import json

import jax
import numpy as np
import pytest
from flax import linen as nn
from safetensors.numpy import save_file

from jaxtrack import config as config_lib
from jaxtrack import configs, trackers
from jaxtrack.errors import InputError
from jaxtrack.ops.grid import Geometry
from jaxtrack.weights import bundle, digests, files
from tests.networks import FITTING


class Net(nn.Module):
    """One dense layer over the mean of the crops."""

    geometry: Geometry = Geometry(8, 16, 3, 4, 2.0)

    @nn.compact
    def __call__(self, z, x):
        return nn.Dense(2, name="head")(z.mean((1, 2)) + x.mean((1, 2)))


def made(**changes):
    """A tracker of a few numbers, some of which float16 rounds."""
    config = trackers.with_preprocessing(configs.load("siamcar_lite0"))
    config_lib.update(config, changes, source="test")
    params = {"head": {"kernel": np.full((3, 2), 0.1), "bias": np.zeros(2)}}
    stats = {"neck": {"var": np.array([1e-22, 566.0])}}
    variables = {"params": params, "batch_stats": stats}
    return bundle.Bundle(config, jax.tree.map(np.float32, variables), 7)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "mine.safetensors"


def test_no_flipped_bit_is_read_as_another_tracker(path):
    bundle.write(path, made())
    content, whole = path.read_bytes(), bundle.read(path)
    for place in range(0, len(content), 37):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            read = bundle.read(path)
        except InputError as fault:
            assert "mine.safetensors" in str(fault)
            continue
        # Where the digest lost its name, the file has none, and all else is whole.
        assert digests.KEY.encode() not in changed
        jax.tree.map(np.testing.assert_array_equal, read.variables, whole.variables)
        assert read.config == whole.config
    # A file without a digest, such as of another program, is read.
    bundle.write(path, made())
    arrays, metadata = files.read_safetensors(path)
    metadata.pop(digests.KEY)
    save_file(arrays, path, metadata)
    assert bundle.read(path).step == 7


def test_what_is_written_is_read(path):
    own = made(**{"tracking.window": 0.3, "data.context": 0.4, "run.batch_size": 5})
    kinds = {"float32": 0.0, "float24": 2.0**-19, "float16": 2.0**-11}
    for dtype, largest in kinds.items():
        bundle.write(path, own, dtype=dtype)
        assert sorted(path.parent.iterdir()) == [path]
        read = bundle.read(path)
        assert read.step == 7
        for a, b in zip(
            *map(jax.tree.leaves, (own.variables, read.variables)), strict=1
        ):
            np.testing.assert_allclose(b, a, rtol=largest)
            assert b.dtype == np.float32
        stats = [b.variables["batch_stats"]["neck"]["var"] for b in (own, read)]
        np.testing.assert_array_equal(*stats)
        assert read.config.is_locked
        assert config_lib.of_tracking(read.config) == config_lib.of_tracking(own.config)
        assert read.config.run == config_lib.get_config().run


def test_a_single_number_keeps_its_shape(path):
    """SiamFC++'s scale of its boxes has no axis."""
    own = made()._replace(variables={"params": {"si": np.float32(1.1)}})
    for dtype in bundle.DTYPES:
        bundle.write(path, own, dtype=dtype)
        found = bundle.read(path).variables["params"]["si"]
        assert found.shape == () and abs(found - 1.1) < 1e-3
    bundle.write_state_dict(path, {"head.si": np.float32(1.1)})
    assert files.read(path).arrays["head.si"].shape == ()


def test_a_residue_is_the_next_eight_bits(path):
    draws = np.random.default_rng(0).standard_normal((2, 5000)).astype(np.float32)
    values = np.concatenate(
        [draws[0] * np.exp(4 * draws[1]), [0, -0.0, 1e-7, -65504, 1]]
    )
    ties = np.float32(1) + np.arange(-40, 40, dtype=np.float32) / 2**11
    values = np.concatenate([values, ties, -ties, [65519.99]])
    values = np.clip(values, -65504, 65519.99).astype(np.float32)
    own = made()._replace(variables={"params": {"a": values}, "batch_stats": {}})
    bundle.write(path, own, dtype="float24")
    read = bundle.read(path).variables["params"]["a"]
    half = values.astype(np.float16).astype(np.float32)
    exponent = np.floor(np.log2(np.maximum(np.abs(half), 2.0**-14)))
    spacing = 2.0 ** (exponent - 10)
    assert np.max(np.abs(half - values) / spacing) > 0.49
    # Written again, the numbers stay: those in the middle of two float16 as well.
    bundle.write(path, bundle.read(path), dtype="float24")
    again = bundle.read(path).variables["params"]["a"]
    np.testing.assert_array_equal(again.view(np.uint32), read.view(np.uint32))
    assert np.max(np.abs(read - values) / spacing) <= 1 / 256
    np.testing.assert_array_equal(np.signbit(read), np.signbit(values))
    arrays = files.read_safetensors(path)[0]
    assert {k: a.dtype.name for k, a in arrays.items()} == {
        "params/a": "float16",
        "residues/a": "int8",
    }


def test_a_file_keeps_every_setting_that_building_a_tracker_reads():
    kept = config_lib.of_tracking(config_lib.get_config())
    for name in trackers.FAMILIES:
        config = trackers.configure(name, **FITTING.get(name, {}))
        config = trackers.with_preprocessing(config).unlock()
        for field in config_lib.flat(config):
            if field not in kept:
                group, leaf = field.split(".")
                del config[group][leaf]
        family = trackers.family_of(config)
        tracker = family.tracker(config, family.network(config))
        assert set(tracker.ranges) <= set(tracker.settings._fields)


def test_what_cannot_be_written_is_refused(path):
    own = made()
    large = jax.tree.map(lambda a: a + 1e5, own.variables)
    opened = own.config.copy_and_resolve_references()
    opened.model.preprocessing.order = ""
    refused = {
        "ends in .safetensors": (path.with_suffix(".npz"), own, "float16"),
        "use one of float16, float24, float32": (path, own, "float8"),
        "params/head/bias holds numbers too large for float16: use float32": (
            *(path, own._replace(variables=large), "float16"),
        ),
        "set it with": (path, own._replace(config=opened), "float16"),
        "cannot write .*No such file": (
            *(path.parent / "none" / path.name, own, "float16"),
        ),
    }
    for message, (where, what, dtype) in refused.items():
        with pytest.raises(InputError, match=message):
            bundle.write(where, what, dtype=dtype)
    assert not list(path.parent.iterdir())


def test_damaged_files_are_refused(path):
    with pytest.raises(InputError, match=r"mine\.safetensors: no such file"):
        bundle.read(path)
    bundle.write(path, made())
    whole = path.read_bytes()
    for content in (whole[:-3], whole[:100], whole[:4], b"", b"\xff" * 50):
        path.write_bytes(content)
        with pytest.raises(InputError, match="mine.* not readable as safetensors"):
            bundle.read(path)


def test_files_of_something_else_are_refused(path):
    arrays = {"params/a": np.ones(2, np.float32)}
    saved = config_lib.of_tracking(made().config)
    short = {k: v for k, v in saved.items() if k != "tracking.window"}
    refused = {
        "no tracker's settings: name the network .* --model=siamcar_r50": None,
        "has layout 9, this version reads 1": {"jaxtrack": "9"},
        "its settings are damaged": {"jaxtrack": "1", "settings": "{", "step": "1"},
        "settings are damaged: 'settings'": {"jaxtrack": "1", "step": "1"},
        "lacks tracking.window; write it again": short,
        "has the unknown tracking.size": saved | {"tracking.size": 1},
        "config.tracking.window is 'x': it must be of type float": saved
        | {"tracking.window": "x"},
    }
    for message, metadata in refused.items():
        if metadata and "jaxtrack" not in metadata:
            text = json.dumps(metadata)
            metadata = {"jaxtrack": "1", "settings": text, "step": "1"}
        save_file(arrays, path, metadata)
        with pytest.raises(InputError, match=message):
            bundle.read(path)
    text = json.dumps(short)
    save_file(arrays, path, {"jaxtrack": "1", "settings": text, "step": "1"})
    added = {"tracking.window": 0.25, "tracking.penalty": 9.0}
    tracking = bundle.read(path, added=added).config.tracking
    assert (tracking.window, tracking.penalty) == (0.25, saved["tracking.penalty"])


def test_arrays_of_another_network_are_named():
    own = made()._replace(
        variables=Net().init(jax.random.key(0), *[np.ones((1, 8, 8, 3))] * 2)
    )
    bundle.check(own, Net(), source="x")
    params = own.variables["params"]["head"]
    for head, message in (
        ({"bias": params["bias"]}, "x does not .*; missing: params/head/kernel$"),
        (params | {"a": np.ones(1)}, "unexpected: params/head/a$"),
        (
            params | {"bias": np.ones(3)},
            r"of another shape: params/head/bias is \[3\], not \[2\]$",
        ),
    ):
        wrong = own._replace(variables={"params": {"head": head}})
        message = message.replace(" .*;", " fit its network:")
        with pytest.raises(InputError, match=message):
            bundle.check(wrong, Net(), source="x")
