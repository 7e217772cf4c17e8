"""Reads zip archives and the numpy arrays in them, in bounded memory."""

import io
import math
import warnings
import zipfile
from pickle import UnpicklingError
from typing import BinaryIO

import numpy as np

from jaxtrack.weights.pickles.values import Budget

_CHUNK = 1 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADER = 10_000  # Characters of an array's header that numpy reads, its own limit.
_ARRAY = ".npy"


class Archive:
    """A zip archive whose unpacked members must not exceed a budget."""

    def __init__(self, file: BinaryIO, budget: Budget):
        """Reads the list of members.

        Args:
          file: of the archive.
          budget: budget of unpacked bytes.
        """
        self._zip = zipfile.ZipFile(file)
        self.budget = budget
        self.names = {info.filename: info for info in self._zip.infolist()}

    def read(self, name: str) -> bytes:
        """Returns a member.

        Args:
          name: name of the member.

        Raises:
          UnpicklingError: it is encrypted, or packed in another way than torch and
            numpy do, or too much was unpacked.
          LookupError, zipfile.BadZipFile, zlib.error and others: it is damaged.
        """
        info = self.names[name]
        if info.flag_bits & 1 or info.compress_type not in _METHODS:
            raise UnpicklingError("it is encrypted or packed in an unusual way")
        self.budget.spend(info.file_size)
        parts = []
        with self._zip.open(info) as member:
            # In chunks: a member may be larger than its header says.
            while part := member.read(_CHUNK):
                parts.append(part)
        return b"".join(parts)

    def has_code(self, root: str) -> bool:
        """Returns whether it contains code besides arrays, as TorchScript files do."""
        return any(name.startswith(f"{root}code/") for name in self.names)

    def is_of_torch(self) -> bool:
        """Returns whether `torch.save` wrote it."""
        return sum(name.endswith("/data.pkl") for name in self.names) == 1

    def is_of_numpy(self) -> bool:
        """Returns whether `numpy.savez` wrote it."""
        return bool(self.names) and all(name.endswith(_ARRAY) for name in self.names)


def read_npz(archive: Archive) -> dict[str, np.ndarray]:
    """Returns the arrays of an `.npz` by name.

    Args:
      archive: of members `<name>.npy`.

    Raises:
      ValueError, LookupError and others: it is damaged, or an array is not numeric.
    """
    return {
        name.removesuffix(_ARRAY): _read_npy(archive.read(name), name)
        for name in archive.names
    }


def _read_npy(data, name):
    """Returns the array of an `.npy`, whose header has its shape and dtype."""
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError("an array has a header of an unknown version")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Headers that Python 2 wrote.
        shape, is_fortran, dtype = readers[version](file, max_header_size=_HEADER)
    if dtype.kind not in "biufc":
        raise ValueError(f"its array {name.removesuffix(_ARRAY)} is not numeric")
    if min(shape, default=0) < 0:
        raise ValueError("an array has a negative size")
    count, start = math.prod(shape), file.tell()
    if count * dtype.itemsize != len(data) - start:
        raise ValueError("an array's shape is not that of its numbers")
    array = np.frombuffer(data, dtype, count, start)
    return array.reshape(shape, order="F" if is_fortran else "C")
