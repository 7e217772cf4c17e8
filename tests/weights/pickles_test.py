"""Tests for jaxtrack.weights.pickles."""

import collections
import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.weights import pickles
from jaxtrack.weights.pickles import read_torch


class Stub:
    """Pickles as a name of another library, called with arguments."""

    def __init__(self, name, *args):
        self.name, self.args = name, args


class Writer(pickle._Pickler):
    """Writes what PyTorch would: tensors by a named function, storages by reference."""

    def __init__(self, file, storages):
        super().__init__(file, protocol=2)
        self.storages = storages

    def persistent_id(self, thing):
        if isinstance(thing, tuple) and thing and thing[0] == "STORAGE":
            _, kind, key, count = thing
            tail = (None,) if self.storages == "legacy" else ()
            return ("storage", Stub(f"torch {kind}"), key, "cpu", count, *tail)
        return None

    def save(self, thing, *args, **kwargs):
        if isinstance(thing, Stub):
            module, name = thing.name.split(" ")
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
            if thing.args:
                self.save(thing.args)
                self.write(pickle.REDUCE)
            return
        super().save(thing, *args, **kwargs)


def tensor(key, shape, strides, offset=0, count=12, kind="FloatStorage"):
    storage = ("STORAGE", kind, key, count)
    hooks = collections.OrderedDict()
    return Stub(
        "torch._utils _rebuild_tensor_v2", storage, offset, shape, strides, False, hooks
    )


def write(path, content, numbers, form):
    """Writes `content` with the storages `numbers`, {key: array}."""

    def dump(thing):
        buffer = io.BytesIO()
        Writer(buffer, form).dump(thing)
        return buffer.getvalue()

    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model/data.pkl", dump(content))
            archive.writestr("model/byteorder", "little")
            for key, array in numbers.items():
                archive.writestr(f"model/data/{key}", array.tobytes())
        return path
    head = [pickles.LEGACY_MAGIC, pickles.LEGACY_PROTOCOL, {"little_endian": True}]
    parts = [dump(thing) for thing in (*head, content, list(numbers))]
    for array in numbers.values():
        parts += [struct.pack("<q", array.size), array.tobytes()]
    path.write_bytes(b"".join(parts))
    return path


forms = pytest.mark.parametrize("form", ["zip", "legacy"])
TWELVE = np.arange(12, dtype=np.float32)


@forms
def test_reads_tensors_of_a_shared_storage(tmp_path, form):
    """A contiguous tensor, a transposed one, and one that starts inside."""
    content = collections.OrderedDict(
        whole=tensor("0", (3, 4), (4, 1)),
        turned=tensor("0", (4, 3), (1, 4)),
        inside=tensor("0", (2,), (3,), offset=5),
        empty=tensor("0", (0,), (1,)),
        count=tensor("1", (), (), count=1, kind="LongStorage"),
    )
    numbers = {"0": TWELVE, "1": np.array([7])}
    read = read_torch(write(tmp_path / "w.pth", content, numbers, form))
    np.testing.assert_array_equal(read["whole"], TWELVE.reshape(3, 4))
    np.testing.assert_array_equal(read["turned"], TWELVE.reshape(3, 4).T)
    np.testing.assert_array_equal(read["inside"], [5, 8])
    assert read["empty"].shape == (0,)
    assert read["count"] == 7 and read["count"].dtype == np.int64


@forms
def test_refuses_code(tmp_path, form):
    """Nothing that a file names is called unless it builds a tensor."""
    marker = tmp_path / "called"
    content = {"weight": Stub("os mkdir", str(marker))}
    path = write(tmp_path / "evil.pth", content, {"0": TWELVE}, form)
    with pytest.raises(InputError, match=r"evil\.pth.*names os\.mkdir"):
        read_torch(path)
    assert not marker.exists()


@forms
@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [((3, 4), (4, 1), 1), ((13,), (1,), 0), ((2,), (-1,), 5), ((2,), (1,), -1)],
)
def test_refuses_tensors_beyond_their_storage(tmp_path, form, shape, strides, offset):
    content = {"weight": tensor("0", shape, strides, offset)}
    path = write(tmp_path / "w.pth", content, {"0": TWELVE}, form)
    with pytest.raises(InputError, match=r"beyond its storage|negative size"):
        read_torch(path)


@forms
def test_refuses_damaged_files(tmp_path, form):
    content = {"weight": tensor("0", (12,), (1,))}
    path = write(tmp_path / "w.pth", content, {"0": TWELVE}, form)
    data = path.read_bytes()
    for length in (0, 3, len(data) // 2, len(data) - 5):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"w\.pth: not readable"):
            read_torch(path)


def test_refuses_a_storage_larger_than_the_file(tmp_path):
    content = {"weight": tensor("0", (1,), (1,), count=2**40)}
    path = write(tmp_path / "w.pth", content, {"0": TWELVE}, "legacy")
    with pytest.raises(InputError, match="larger than the file"):
        read_torch(path)


@forms
def test_refuses_what_is_no_dict(tmp_path, form):
    path = write(tmp_path / "w.pth", [1, 2], {}, form)
    with pytest.raises(InputError, match="holds a list, not a dict"):
        read_torch(path)


def test_names_an_absent_file(tmp_path):
    with pytest.raises(InputError, match=r"absent\.pth: no such file"):
        read_torch(tmp_path / "absent.pth")


@pytest.mark.parametrize("legacy", [False, True])
def test_reads_what_torch_writes(tmp_path, legacy):
    torch = pytest.importorskip(
        "torch", reason="torch is an extra", exc_type=ImportError
    )
    layer = torch.nn.Conv2d(2, 3, 3).half()
    state = {
        "state_dict": layer.state_dict(),
        "epoch": 3,
        "scale": torch.ones(2).bool(),
    }
    state["parameter"] = torch.nn.Parameter(torch.arange(3.0))
    path = tmp_path / "w.pth"
    torch.save(state, path, _use_new_zipfile_serialization=not legacy)
    read = read_torch(path)
    assert read["epoch"] == 3
    np.testing.assert_array_equal(read["scale"], [True, True])
    np.testing.assert_array_equal(read["parameter"], [0, 1, 2])
    for key, value in layer.state_dict().items():
        np.testing.assert_array_equal(read["state_dict"][key], value.numpy())
