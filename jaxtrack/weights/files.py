"""Reads arrays by name from any file of weights, in bounded memory."""

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from tokenize import TokenError
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open

from jaxtrack.errors import InputError
from jaxtrack.weights import archives, digests, onnx
from jaxtrack.weights.archives import Archive
from jaxtrack.weights.pickles import formats
from jaxtrack.weights.pickles.values import Budget, Inert
from jaxtrack.weights.state_dict import (
    WRAPPERS,
    StateDict,
    listed,
    plain,
    unwrap,
    wrapper,
)

# A file may unpack to this many times its size and these bytes: weights hardly shrink.
_RATIO, _SPARE = 8, 64 << 20
_FAULTS = (
    UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    SafetensorError,
    TokenError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
_UNWORDED = (LookupError, TypeError, AttributeError, TokenError, SyntaxError)
_UNWORDED += (zipfile.BadZipFile,)
# Beginnings of other files, and what they are.
_OTHERS = {
    b"version https://git-lfs": "a pointer of Git LFS: run `git lfs pull`",
    b"<": "a web page: download the file again",
    b"\x1f\x8b": "a compressed file: unpack it",
    b"7z\xbc\xaf": "an archive: unpack it",
    b"Rar!": "an archive: unpack it",
    b"\x89HDF": "HDF5: save its arrays by name as .npz or .safetensors",
    b"\x93NUMPY": "one array of numpy's: save arrays by name as .npz",
}


class WeightFile(NamedTuple):
    """Content of a weight file.

    Attributes:
      form: how it was written, in words.
      weights: its arrays, and the wrappers that were removed.
      inert: names of classes and functions in it that were not looked up.
      metadata: metadata of a safetensors file.
    """

    form: str
    weights: StateDict
    inert: tuple[str, ...]
    metadata: dict[str, str]

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays by name."""
        return self.weights.arrays


def read(path: str | Path) -> WeightFile:
    """Reads a weight file, whose format is detected by its first bytes or its name.

    No code in it is run, and memory is limited to a few times its size.

    Args:
      path: a file of `torch.save` (either form), a pickle of numpy arrays, an `.npz`, a
        safetensors file, or an `.onnx`.

    Raises:
      InputError: it is missing, damaged, none of these, or holds no arrays by name.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file of weights")
    try:
        with path.open("rb") as file:
            _check_beginning(path, file.read(512))
            file.seek(0)
            content, form, inert, metadata = _read(file, path)
    except InputError:
        raise
    except _FAULTS as fault:
        raise InputError(_unreadable(path, fault)) from fault
    try:
        return WeightFile(form, unwrap(content), inert, metadata)
    except InputError as fault:
        raise InputError(f"{path}: {fault}") from fault


def read_all(paths: Sequence[str | Path]) -> WeightFile:
    """Reads a network from several files, such as backbone and head.

    Args:
      paths: the files; see `read`.

    Returns:
      Their joint content.

    Raises:
      InputError: one cannot be read, or a name is in two of them.
    """
    found = [read(path) for path in paths]
    arrays: dict[str, np.ndarray] = {}
    for path, one in zip(paths, found, strict=True):
        if twice := sorted(arrays.keys() & one.arrays):
            raise InputError(f"{path}: an earlier file has {listed(twice)} too")
        arrays |= one.arrays
    first = found[0]
    beside = tuple(name for one in found for name in one.weights.beside)
    inert = tuple(dict.fromkeys(name for one in found for name in one.inert))
    weights = first.weights._replace(arrays=arrays, beside=beside)
    return first._replace(weights=weights, inert=inert)


def provenance(paths: Sequence[str | Path], found: WeightFile) -> dict[str, Any]:
    """Describes the source of imported weights, ready for `json.dumps`.

    Args:
      paths: the files.
      found: their content.
    """
    hashes = {}
    for path in map(Path, paths):
        with path.open("rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "files": hashes,
        "form": found.form,
        "wrapper": found.weights.wrapper,
        "left_out": [plain(name) for name in found.weights.beside],
        "not_looked_up": [plain(name) for name in found.inert],
    }


class _Clipped:
    """A file whose `read(n)` allocates no more than the rest of the file."""

    def __init__(self, file: BinaryIO, size: int):
        """Wraps a file of `size` bytes."""
        self._file, self._size = file, size
        self.readline, self.tell = file.readline, file.tell

    def read(self, count: int) -> bytes:
        """Reads up to `n` bytes."""
        return self._file.read(min(count, self._size - self._file.tell()))


def _check_beginning(path, head):
    """Raises for a file of another kind that people take for weights."""
    if head[7:9] == b"\0{":
        return  # Safetensors: the length of its header may begin as "<" does.
    kinds = [what for start, what in _OTHERS.items() if head.startswith(start)]
    if head[257:262] == b"ustar":
        kinds = [
            "a tar archive, perhaps of PyTorch before 0.2: unpack it or save again"
        ]
    if not head:
        kinds = ["empty: restore the file"]
    if kinds:
        raise InputError(f"{path}: not readable as a file of weights: it is {kinds[0]}")


def _read(file, path) -> tuple[Any, str, tuple[str, ...], dict[str, str]]:
    """Returns content, form, the names that were not looked up, and metadata."""
    size = path.stat().st_size
    head = file.read(9)
    file.seek(0)
    budget = Budget(_RATIO * size + _SPARE)
    header = int.from_bytes(head[:8], "little")
    if head[:2] == b"PK":
        archive = Archive(file, budget)
        if archive.is_of_numpy():
            return archives.read_npz(archive), ".npz", (), {}
        if not archive.is_of_torch():
            raise UnpicklingError("a zip archive with neither data.pkl nor .npy files")
        found = formats.read_zip(archive)
    elif path.suffix == ".onnx":  # It has no magic number.
        return onnx.read_onnx(path), "ONNX", (), {}
    elif path.suffix == ".safetensors" or (head[8:] == b"{" and header < size):
        arrays, metadata = read_safetensors(path)
        return arrays, "safetensors", (), metadata
    else:
        found = formats.read_stream(_Clipped(file, size), size, budget)
    _check_network(path, found)
    return *found, {}


def read_safetensors(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Reads any safetensors file.

    Args:
      path: the file.

    Returns:
      Arrays by name, with the file's dtypes, and its metadata.

    Raises:
      InputError: it is missing, damaged (by the digest that `bundle` writes, too), or
        of a type that numpy lacks.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file of weights")
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}
            metadata = file.metadata() or {}
    except _FAULTS as fault:
        raise InputError(_unreadable(path, fault, "safetensors")) from fault
    # Files from other programs have none.
    expected = metadata.get(digests.KEY)
    if expected is not None and expected != digests.of_file(arrays, metadata):
        raise InputError(
            f"{path} is damaged: its numbers or settings are not what was written (the "
            "digest differs); restore the file"
        )
    return arrays, metadata


def _check_network(path, found):
    """Raises for a network that was pickled with its class."""
    content = found.content
    if wrapper(content) is not None:
        return
    places = {"": content}
    if isinstance(content, dict):
        places |= {f'["{key}"]': content.get(key) for key in WRAPPERS}
    for key, place in places.items():
        if found.form == formats.TORCHSCRIPT or _is_module(place):
            raise InputError(_network(path, key, place, found.form))


def _is_module(found):
    """Whether an object is one of `torch.nn.Module`, by its attributes."""
    state = found.state if isinstance(found, Inert) else None
    return isinstance(state, dict) and {"_modules", "_parameters"} <= state.keys()


def _network(path, key, found, form):
    """Returns the error message for a pickled network, which lies under a key."""
    what = plain(found.path) if isinstance(found, Inert) else "TorchScript"
    load = f'torch.load("{path.name}", weights_only=False){key}'
    if form == formats.TORCHSCRIPT:
        load = f'torch.jit.load("{path.name}")'
    return (
        f"{path}: holds a whole network pickled with its code ({what}), which is not "
        f"run here; where that code is, save its weights alone: "
        f'torch.save({load}.state_dict(), "{path.stem}_weights.pth")'
    )


def _unreadable(path, fault, kind="a file of weights"):
    """Returns the error message for a file that cannot be read."""
    reason = plain(" ".join(str(fault).split())) or type(fault).__name__
    if isinstance(fault, AttributeError) and "float8" in reason:
        return f"{path}: not readable as {kind}: its dtype is unknown to numpy"
    if isinstance(fault, _UNWORDED):  # Their messages are about Python.
        reason = f"it is damaged ({type(fault).__name__}: {reason})"
    return f"{path}: not readable as {kind}: {reason}"
