"""Reads the files that PyTorch saves, without PyTorch and without running their code.

A `.pth` file is a pickle, which may call any function it names. Here only the few names
that a state dict needs are known; every other is refused.
"""

import collections
import math
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from jaxtrack.errors import InputError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # First pickle of a file before version 1.6.
LEGACY_PROTOCOL = 1001
DTYPES = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
FAULTS = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    struct.error,
    EOFError,
    OSError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


def read_torch(path: str | Path) -> dict[str, Any]:
    """Reads a state dict, or a dict that holds one, from a file of `torch.save`.

    Args:
      path: a zip archive (PyTorch 1.6 and later) or the older sequence of pickles.

    Returns:
      What the file holds, tensors as numpy arrays.

    Raises:
      InputError: if the file is absent, damaged, no dict, or names anything but tensors
        and plain containers.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file of weights")
    try:
        with path.open("rb") as file:
            read = _read_zip if zipfile.is_zipfile(file) else _read_legacy
            file.seek(0)
            content = read(file, path.stat().st_size)
    except FAULTS as fault:
        raise InputError(
            f"{path}: not readable as weights that torch.save wrote: {fault}"
        ) from fault
    if not isinstance(content, dict):
        raise InputError(
            f"{path}: holds a {type(content).__name__}, not a dict; save a state dict"
        )
    return dict(content)


class _StorageType(NamedTuple):
    """Stands for one of PyTorch's storage classes."""

    dtype: np.dtype


class _Unpickler(pickle.Unpickler):
    """Knows tensors, parameters and ordered dicts, and refuses all else."""

    def __init__(self, file: BinaryIO, load_storage):
        """Reads `file`; `load_storage(dtype, key, count)` gives a tensor's numbers."""
        super().__init__(file, encoding="utf-8")
        self._load_storage = load_storage

    def find_class(self, module, name):
        """Returns what may stand for a name in the pickle."""
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_parameter"): _parameter,
        }
        if (module, name) in known:
            return known[module, name]
        if module == "torch" and name in DTYPES:
            return _StorageType(DTYPES[name])
        raise pickle.UnpicklingError(
            f"it names {module}.{name}, which no state dict needs"
        )

    def persistent_load(self, pid):
        """Returns the numbers that a tensor refers to."""
        kind, storage, key, _, count = pid[:5]
        if kind != "storage" or (len(pid) > 5 and pid[5] is not None):
            raise pickle.UnpicklingError(f"unknown reference {pid}")
        return self._load_storage(storage.dtype, key, count)


def _tensor(storage, offset, shape, strides, *_):
    """Views a storage as a tensor; sizes come from the file, so bounds are checked."""
    steps = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    if min([offset, *shape, *strides], default=0) < 0:
        raise pickle.UnpicklingError("a tensor has a negative size")
    if math.prod(shape) == 0:
        return np.zeros(shape, storage.dtype)
    if offset + sum(steps) >= storage.size:
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    strides = [s * storage.itemsize for s in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, strides)


def _parameter(data, *_):
    """A parameter is its tensor."""
    return data


def _read_zip(file, size):
    """Reads the archive form: `<name>/data.pkl` and `<name>/data/<key>`."""
    del size
    with zipfile.ZipFile(file) as archive:
        pickles = [n for n in archive.namelist() if n.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise pickle.UnpicklingError("the archive holds no single data.pkl")
        root = pickles[0].removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist():
            order = archive.read(f"{root}byteorder")
            if order != b"little":
                raise pickle.UnpicklingError(f"byte order {order!r} is not supported")

        def load_storage(dtype, key, count):
            data = archive.read(f"{root}data/{key}")
            return np.frombuffer(data, dtype, count)

        with archive.open(pickles[0]) as data:
            return _Unpickler(data, load_storage).load()


def _read_legacy(file, size):
    """Reads the older form: five pickles, then each storage's count and numbers."""
    storages = {}

    def load_storage(dtype, key, count):
        if key not in storages:
            if not 0 <= count * dtype.itemsize <= size:
                raise pickle.UnpicklingError("a storage is larger than the file")
            storages[key] = np.zeros(count, dtype)  # Filled below.
        return storages[key]

    def load():
        return _Unpickler(file, load_storage).load()

    if load() != LEGACY_MAGIC or load() != LEGACY_PROTOCOL:
        raise pickle.UnpicklingError("it does not begin as torch.save's files do")
    if not load()["little_endian"]:
        raise pickle.UnpicklingError("its numbers are big-endian")
    content, keys = load(), load()
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        storage = storages[key]
        if count != storage.size or file.readinto(storage.data) != storage.nbytes:
            raise pickle.UnpicklingError("the file ends early")
    return content
