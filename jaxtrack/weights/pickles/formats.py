"""Reads the files that PyTorch saves, without PyTorch.

A `.pth` file is a pickle, which can call any function that it names. Here it is read as
data by `pickles.machine`; `pickles.known` lists the few names that build something, and
every other name becomes an inert object.
"""

import io
from pickle import UnpicklingError
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from jaxtrack.weights.archives import Archive
from jaxtrack.weights.pickles import known
from jaxtrack.weights.pickles.machine import Machine
from jaxtrack.weights.pickles.values import Budget, Name, is_whole

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # First pickle of a file before version 1.6.
LEGACY_PROTOCOL = 1001
TORCHSCRIPT = "a TorchScript archive"


class Pickled(NamedTuple):
    """The content of a PyTorch file.

    Attributes:
      content: tensors as numpy arrays, unknown objects as `values.Inert`.
      form: a description of its format.
      inert: unknown names in the file, in order.
    """

    content: Any
    form: str
    inert: tuple[str, ...]


def read_zip(archive: Archive) -> Pickled:
    """Reads the format since PyTorch 1.6: `<name>/data.pkl`, `<name>/data/<key>`.

    Args:
      archive: with one `data.pkl`.

    Raises:
      UnpicklingError, ValueError, LookupError and others: it is damaged.
    """
    (name,) = (n for n in archive.names if n.endswith("/data.pkl"))
    root = name.removesuffix("data.pkl")
    if f"{root}byteorder" in archive.names:
        if archive.read(f"{root}byteorder") != b"little":
            raise UnpicklingError("its data are big-endian")
    storages: dict[Any, np.ndarray] = {}

    def load_storage(dtype, key, count):
        if key not in storages:
            data = archive.read(f"{root}data/{key}")
            storages[key] = np.frombuffer(data, dtype, count)
        return storages[key]

    file = io.BytesIO(archive.read(name))
    machine = _machine(file, load_storage, archive.budget)
    content = machine.load()
    form = TORCHSCRIPT if archive.has_code(root) else "torch.save's archive"
    return Pickled(content, form, _unknown_names(machine))


def read_stream(file: BinaryIO, size: int, budget: Budget) -> Pickled:
    """Reads PyTorch's older format, or one plain pickle.

    The older format is a sequence: a magic number, a version, properties of the
    machine, the object, the storages' keys, and for each storage its count and numbers.

    Args:
      file: at its start; `read(n)` must not allocate more than the file has.
      size: of the file, bytes.
      budget: of the file.

    Raises:
      UnpicklingError, ValueError, LookupError and others: it is damaged.
    """
    machine = _machine(file, _no_storage, budget)
    first = machine.load()
    if isinstance(first, int) and first == LEGACY_MAGIC:
        content, inert = _read_legacy(file, size, budget)
        return Pickled(content, "torch.save's older form", inert)
    return Pickled(first, "a pickle", _unknown_names(machine))


def _read_legacy(file, size, budget):
    """Reads the rest of a file after the magic number."""
    storages: dict[Any, np.ndarray] = {}
    left = Budget(size)

    def load_storage(dtype, key, count):
        if key not in storages:
            left.spend(count * dtype.itemsize)
            storages[key] = np.zeros(count, dtype)  # Filled below.
        return storages[key]

    if _machine(file, _no_storage, budget).load() != LEGACY_PROTOCOL:
        raise UnpicklingError("it does not begin like a file of torch.save")
    if not _machine(file, _no_storage, budget).load()["little_endian"]:
        raise UnpicklingError("its data are big-endian")
    machine = _machine(file, load_storage, budget)
    content = machine.load()
    for key in _machine(file, _no_storage, budget).load():
        storage = storages[key]
        count = int.from_bytes(file.read(8), "little")
        data = file.read(storage.nbytes)
        if count != storage.size or len(data) != storage.nbytes:
            raise UnpicklingError("the file ends early")
        storage.view("u1")[:] = np.frombuffer(data, "u1")
    return content, _unknown_names(machine)


def _no_storage(dtype, key, count):
    """Raises for a tensor without data."""
    raise UnpicklingError("it refers to data that it does not contain")


def _unknown_names(machine):
    """Returns the unknown names that may matter."""
    return tuple(name for name in machine.inert if name not in known.HARMLESS)


def _machine(file, load_storage, budget, *, is_nested=False):
    """Returns the machine that reads one pickle."""

    def refer(reference):
        if reference[0] == "module":  # A class with its source.
            return reference[1]
        kind, name, key, _, count = reference[:5]
        if kind != "storage" or not isinstance(name, Name):
            raise UnpicklingError("it refers to something unknown")
        dtype = known.STORAGES.get(name.path.rpartition(".")[2])
        if dtype is None:
            raise UnpicklingError(f"its data have the unknown dtype {name.path}")
        if not (isinstance(key, str) or is_whole(key)) or not is_whole(count):
            raise UnpicklingError("a reference to its data is damaged")
        if count < 0:
            raise UnpicklingError("a reference to its data is damaged")
        storage = load_storage(dtype, key, count)
        if len(reference) > 5 and reference[5] is not None:
            _, offset, length = reference[5]
            storage = storage[offset : offset + length]
        return storage

    names = known.known_names(budget)
    if not is_nested:
        names["torch.storage._load_from_bytes"] = lambda args: _nested(args[0], budget)
    return Machine(file, known=names, refer=refer, budget=budget)


def _nested(data, budget):
    """Reads a storage that is embedded in a plain pickle as a file."""
    budget.spend(len(data))
    file = io.BytesIO(data)
    if _machine(file, _no_storage, budget, is_nested=True).load() != LEGACY_MAGIC:
        raise UnpicklingError("a storage does not begin like a file of torch.save")
    return _read_legacy(file, len(data), budget)[0]
