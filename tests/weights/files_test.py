"""Tests for jaxtrack.weights.files: any file of weights, read without its code."""

import argparse
import collections
import gzip
import io
import pickle
import struct
import tarfile
import tracemalloc
import zipfile

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from jaxtrack import weights
from jaxtrack.errors import InputError
from jaxtrack.weights.pickles import machine
from tests.weights.torch_files import Stub, tensor, write

forms = pytest.mark.parametrize("form", ["zip", "legacy"])
TWELVE = np.arange(12, dtype=np.float32)


class Ordered(collections.OrderedDict):
    """A class that a file may name."""


class Module:
    """Has the attributes of PyTorch's modules."""

    def __init__(self):
        self._parameters, self._modules = {"weight": 1}, {}


@forms
def test_reads_tensors_of_a_shared_storage(tmp_path, form):
    """A contiguous tensor, a transposed one, one that starts inside, one repeated."""
    content = collections.OrderedDict(
        whole=tensor("0", (3, 4), (4, 1)),
        turned=tensor("0", (4, 3), (1, 4)),
        inside=tensor("0", (2,), (3,), offset=5),
        empty=tensor("0", (0,), (1,)),
        alone=tensor("2", (0, 3), (3, 1), count=0),
        expanded=tensor("0", (3, 5), (0, 1)),
        count=tensor("1", (), (), count=1, kind="LongStorage"),
    )
    numbers = {"0": TWELVE, "1": np.array([7]), "2": TWELVE[:0]}
    read = weights.read(write(tmp_path / "w.pth", content, numbers, form)).arrays
    np.testing.assert_array_equal(read["whole"], TWELVE.reshape(3, 4))
    np.testing.assert_array_equal(read["turned"], TWELVE.reshape(3, 4).T)
    np.testing.assert_array_equal(read["inside"], [5, 8])
    np.testing.assert_array_equal(read["expanded"], [TWELVE[:5]] * 3)
    assert read["empty"].shape == (0,) and read["alone"].shape == (0, 3)
    assert read["count"] == 7 and read["count"].dtype == np.int64


@forms
def test_half_precision_is_read(tmp_path, form):
    """A bfloat16 is a float32's upper half: 1 is 3f80, -2.5 is c020, 3.140625 4049."""
    half = np.array([1, -2.5, 3.140625], np.float16)
    bits = np.array([0x3F80, 0xC020, 0x4049], "<u2")
    content = {
        "half": tensor("0", (3,), (1,), count=3, kind="HalfStorage"),
        "brain": tensor("1", (3,), (1,), count=3, kind="BFloat16Storage"),
    }
    path = write(tmp_path / "w.pth", content, {"0": half, "1": bits}, form)
    read = weights.read(path).arrays
    assert [a.dtype.name for a in read.values()] == ["float16", "bfloat16"]
    for array in read.values():
        np.testing.assert_array_equal(array.astype(np.float32), [1, -2.5, 3.140625])
    path = tmp_path / "w.safetensors"
    safetensors.numpy.save_file({"a": half.astype(ml_dtypes.bfloat16)}, path)
    np.testing.assert_array_equal(
        weights.read(path).arrays["a"].astype(np.float32), [1, -2.5, 3.140625]
    )


@forms
@pytest.mark.parametrize(
    "wrapper", ["", "state_dict", "net", "net.state_dict", "weights", "ema.model"]
)
def test_what_training_scripts_save_is_unwrapped(tmp_path, form, wrapper):
    """Settings, scores and the optimizer beside the weights are named, not needed."""
    parameter = Stub(
        "torch._utils _rebuild_parameter",
        *(tensor("0", (12,), (1,)), True, collections.OrderedDict()),
    )
    state = Ordered({"module.a.weight": tensor("0", (3, 4), (4, 1))})
    state["module.a.bias"] = parameter
    state["module.bn.num_batches_tracked"] = tensor("0", (), ())
    beside = {
        "args": argparse.Namespace(lr=0.1, more=argparse.Namespace(x=(1, {2}))),
        "best": np.float64(0.7),
        "device": Stub("torch device", "cuda", 0),
        "optimizer": {"state": {0: {"momentum_buffer": tensor("0", (12,), (1,))}}},
    }
    content = state
    for key in reversed(wrapper.split(".") if wrapper else []):
        content = {"epoch": 3, **beside, key: content}
    found = weights.read(write(tmp_path / "w.pth", content, {"0": TWELVE}, form))
    assert list(found.arrays) == ["a.weight", "a.bias"]
    np.testing.assert_array_equal(found.arrays["a.bias"], TWELVE)
    assert found.weights.wrapper == wrapper
    assert (found.weights.prefix, found.weights.counters) == ("module.", 1)
    named = ["epoch", *beside] if wrapper else []
    assert list(found.weights.beside[:5]) == named
    inert = [f"{__name__}.Ordered"]
    assert list(found.inert) == (["argparse.Namespace", *inert] if wrapper else inert)


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_numpy_arrays_are_read(tmp_path, protocol):
    content = {
        "weight": np.arange(6, dtype=">f4").reshape(2, 3),
        "turned": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "scalar": np.array(2.5),
    }
    path = tmp_path / "w.pkl"
    path.write_bytes(pickle.dumps({"model": content, "lr": np.float32(1)}, protocol))
    found = weights.read(path)
    assert found.inert == () and found.weights.beside == ("lr",)
    for name, array in content.items():
        np.testing.assert_array_equal(found.arrays[name], array)


@forms
def test_runs_no_code(tmp_path, form):
    """What a file names is not called; tensors beside it are read."""
    marker = tmp_path / "called"
    content = {"weight": tensor("0", (12,), (1,))}
    content["evil"] = Stub("os mkdir", str(marker))
    found = weights.read(write(tmp_path / "w.pth", content, {"0": TWELVE}, form))
    assert list(found.arrays) == ["weight"] and not marker.exists()
    assert (found.inert, found.weights.beside) == (("os.mkdir",), ("evil",))


@forms
@pytest.mark.parametrize("key", [None, "model"])
def test_says_what_to_save_instead_of_a_network(tmp_path, form, key):
    content = {key: Module(), "best": tensor("0", (), ())} if key else Module()
    numbers = {"0": TWELVE} if key else {}
    path = write(tmp_path / "net.pth", content, numbers, form)
    load = r'torch\.load\("net\.pth", weights_only=False\)'
    load += r'\["model"\]' if key else ""
    match = rf'files_test\.Module.*{load}\.state_dict\(\), "net_weights\.pth"'
    with pytest.raises(InputError, match=match):
        weights.read(path)
    if form == "zip" and not key:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("model/code/__torch__.py", "")
        with pytest.raises(InputError, match=r'torch\.jit\.load\("net\.pth"\)'):
            weights.read(path)


@forms
@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        *(((3, 4), (4, 1), 1), ((13,), (1,), 0), ((2,), (-1,), 5), ((2,), (1,), -1)),
        *(((1.0,), (1,), 0), ((2**70,), (0,), 0), ((2**40,), (0,), 0)),
        ((50,), ("long" * 9,), 0),
    ],
)
def test_refuses_tensors_beyond_their_storage(tmp_path, form, shape, strides, offset):
    content = {"weight": tensor("0", shape, strides, offset)}
    path = write(tmp_path / "w.pth", content, {"0": TWELVE}, form)
    with pytest.raises(InputError, match=r"beyond its|negative|not an int|far more"):
        weights.read(path)


@forms
def test_refuses_damaged_files(tmp_path, form):
    content = {"weight": tensor("0", (12,), (1,))}
    path = write(tmp_path / "w.pth", content, {"0": TWELVE}, form)
    data = path.read_bytes()
    for length in (0, 3, len(data) // 2, len(data) - 5):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"w\.pth: not readable"):
            weights.read(path)


def test_refuses_a_storage_larger_than_the_file(tmp_path):
    content = {"weight": tensor("0", (1,), (1,), count=2**40)}
    path = write(tmp_path / "w.pth", content, {"0": TWELVE}, "legacy")
    with pytest.raises(InputError, match="far more than its own size"):
        weights.read(path)


@forms
def test_refuses_what_holds_no_arrays(tmp_path, form):
    for content, message in (
        ([1, 2], "holds a list, not arrays by name; save a state dict"),
        ({}, "holds no arrays by name: it is empty"),
        ({"epoch": 3, "a\nb": 1}, r"no arrays by name: it has epoch, a\\nb$"),
    ):
        path = write(tmp_path / "w.pth", content, {}, form)
        with pytest.raises(InputError, match=message):
            weights.read(path)


def test_names_an_absent_file(tmp_path):
    with pytest.raises(InputError, match=r"absent\.pth: no such file"):
        weights.read(tmp_path / "absent.pth")


def npz(header, data=b"", method=zipfile.ZIP_STORED):
    """Makes an `.npz` of one array whose header is given as text."""
    text = header.encode("latin-1")
    array = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.npy", array, method)
    return file.getvalue()


def inflating():
    """Makes an archive of `torch.save` that unpacks to 200 MB of zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", bytes(200 << 20))
    return file.getvalue()


def damaged(archive):
    """Spoils the first bytes of the first member, behind the name `a.npy`."""
    return archive[:35] + b"\xff\xff" + archive[37:]


HEADER = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }\n"
LIST, STOP = pickle.EMPTY_LIST, pickle.STOP
BOMBS = {
    "shape": npz(HEADER % 2**34),
    "negative": npz(HEADER % -1),
    "string": npz("{'descr': '''<f4', 'shape': (1,)}"),
    "nested": npz("(" * 5000),
    "objects": npz(HEADER.replace("<f4", "|O") % 1, bytes(8)),
    "method": npz(HEADER % 1, bytes(4), zipfile.ZIP_BZIP2),
    "deflate": damaged(npz(HEADER % 99, bytes(396), zipfile.ZIP_DEFLATED)),
    "inflate": inflating(),
    "memo": b"\x80\x02}r\xff\xff\xff\x7f.",
    "memo text": b"\x80\x02}p99999999999\n.",
    "length": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"abc.",
    "deep": LIST + b"\x85" * 30_000 + STOP,
    "deep key": b"}" + b"(" + LIST + b"\x85" * 30_000 + b"K\x01u" + STOP,
    "long key": b"}" + b"\x8b" + struct.pack("<i", 9999) + b"\x7f" * 9999 + b"K\x01s.",
    "prefix": b"}" + b"X" + struct.pack("<I", 700_000) + b"module." * 100_000
    + b"K\x01s.",
    "copies": b"(lp0\n" + b"K\x01a" * 5000 + b"0" + b"cbuiltins\nset\ng0\n\x85R0" * 9000
    + b"}.",
    "encodings": b"X" + struct.pack("<I", 99_999) + b"a" * 99_999 + b"q\x000"
    + b"c_codecs\nencode\nh\x00\x85R" * 9000 + b"}.",
    "itself": b"}q\x00X\x05\x00\x00\x00modelh\x00s.",
    "safetensors": struct.pack("<Q", 2**40) + b"{" + bytes(99),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_memory_is_bounded(tmp_path, name):
    """Each is told in one line; what is allocated stays near the file's own size."""
    path = tmp_path / "bomb"
    path.write_bytes(BOMBS[name])
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="bomb: ") as fault:
            weights.read(path)
        assert tracemalloc.get_traced_memory()[1] < (150 << 20)
    finally:
        tracemalloc.stop()
    assert "\n" not in str(fault.value) and len(str(fault.value)) < 1000


def test_a_pickle_of_too_many_operations(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "MAX_OPERATIONS", 100)
    (tmp_path / "w.pth").write_bytes(LIST * 101 + STOP)
    with pytest.raises(InputError, match="more than 100 operations"):
        weights.read(tmp_path / "w.pth")


def test_the_first_bytes_say_what_a_file_is(tmp_path):
    """A safetensors file without its suffix, and an .npz that is called .pth."""
    arrays = {"module.a": TWELVE, "module.b": np.float32([[1]])}
    safetensors.numpy.save_file(arrays, tmp_path / "a", {"by": "hand"})
    np.savez_compressed(tmp_path / "b.npz", **arrays)
    (tmp_path / "b.npz").rename(tmp_path / "b.pth")
    for name, form in (("a", "safetensors"), ("b.pth", ".npz")):
        found = weights.read(tmp_path / name)
        assert (found.form, found.weights.prefix) == (form, "module.")
        np.testing.assert_array_equal(found.arrays["a"], TWELVE)
        np.testing.assert_array_equal(found.arrays["b"], [[1]])
    assert weights.read(tmp_path / "a").metadata == {"by": "hand"}
    with zipfile.ZipFile(tmp_path / "other", "w") as archive:
        archive.writestr("readme.txt", "")
    with pytest.raises(InputError, match=r"neither data\.pkl nor \.npy"):
        weights.read(tmp_path / "other")


def test_of_two_unknown_state_dicts_none_is_taken(tmp_path):
    content = {"generator": {"a": TWELVE}, "critic": {"a": TWELVE}, "best": 0.5}
    path = tmp_path / "w.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match="by name: it has generator, critic, best"):
        weights.read(path)


def test_files_of_other_kinds_are_named(tmp_path):
    path = tmp_path / "w.pth"
    tar = tarfile.TarInfo("pickle").tobuf(tarfile.USTAR_FORMAT)
    for data, said in (
        (b"version https://git-lfs.github.com/spec/v1\n", "run `git lfs pull`"),
        (b"<!DOCTYPE html>", "a web page: download"),
        (gzip.compress(b"x"), "compressed file: unpack"),
        (tar, "a tar archive"),
        (b"\x89HDF\r\n\x1a\n", "HDF5: save its arrays"),
        (b"", "empty: restore"),
        (b"PK\x03\x04" + bytes(50), "it is damaged .BadZipFile"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=f"w.pth: not readable.*{said}"):
            weights.read(path)
    header = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.ljust(ord("<"))
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\7")
    assert path.read_bytes()[:1] == b"<" and weights.read(path).arrays["a"] == [7]
    np.savez(tmp_path / "w.npz", a=TWELVE, name=np.array("resnet"))
    with pytest.raises(InputError, match="its array name is not numeric"):
        weights.read(tmp_path / "w.npz")


@pytest.mark.parametrize("legacy", [False, True])
def test_reads_what_torch_writes(tmp_path, legacy):
    torch = pytest.importorskip(
        "torch", reason="torch is an extra", exc_type=ImportError
    )
    layer = torch.nn.Conv2d(2, 3, 3).half()
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    content = {"state_dict": layer.state_dict(), "epoch": 3}
    content["optimizer"] = optimizer.state_dict()
    path = tmp_path / "w.pth"
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    found = weights.read(path)
    assert found.weights.beside == ("epoch", "optimizer") and not found.inert
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(found.arrays[key], value.numpy())
    torch.save(layer, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(InputError, match=r"Conv2d.*\.state_dict\(\)"):
        weights.read(path)
