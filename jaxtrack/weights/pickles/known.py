"""The known names in a pickle, which build tensors, numpy arrays, ordered dicts."""

import math
from pickle import UnpicklingError

import ml_dtypes
import numpy as np

from jaxtrack.weights.pickles.machine import Construct
from jaxtrack.weights.pickles.values import (
    Budget,
    Inert,
    Name,
    Pending,
    entries,
    finished,
    is_whole,
    members,
)

_BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
# PyTorch's name of a type -> the first part of its storage's class, and numpy's type.
_TYPES = {
    "float64": ("Double", "<f8"),
    "float32": ("Float", "<f4"),
    "float16": ("Half", "<f2"),
    "bfloat16": ("BFloat16", _BFLOAT16),
    "int64": ("Long", "<i8"),
    "int32": ("Int", "<i4"),
    "int16": ("Short", "<i2"),
    "int8": ("Char", "i1"),
    "uint8": ("Byte", "u1"),
    "bool": ("Bool", "?"),
    "uint16": ("UInt16", "<u2"),
    "uint32": ("UInt32", "<u4"),
    "uint64": ("UInt64", "<u8"),
    "complex64": ("ComplexFloat", "<c8"),
    "complex128": ("ComplexDouble", "<c16"),
    "qint8": ("QInt8", "i1"),
    "quint8": ("QUInt8", "u1"),
    "qint32": ("QInt32", "<i4"),
}
_FLOAT8 = ("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz")
_BY_TYPE = {f"torch.{name}": np.dtype(kind) for name, (_, kind) in _TYPES.items()}
_BY_TYPE |= {f"torch.{name}": np.dtype(getattr(ml_dtypes, name)) for name in _FLOAT8}
STORAGES = {f"{first}Storage": np.dtype(kind) for first, kind in _TYPES.values()}
STORAGES["UntypedStorage"] = np.dtype("u1")
# Other names in state dicts, which are never called.
HARMLESS = frozenset(
    [f"torch.{name}" for name in (*STORAGES, "device", "Tensor")]
    + [f"torch.cuda.{name}" for name in STORAGES]
    + ["torch.storage.UntypedStorage", "numpy.ndarray", *_BY_TYPE]
    + [f"{m}.{t}" for m in ("builtins", "__builtin__") for t in ("list", "dict", "int")]
)


def known_names(budget: Budget) -> dict[str, Construct]:
    """Returns a constructor for each known name.

    Args:
      budget: of the file.
    """

    def tensor(args):
        return _tensor(budget, *args[:4])

    def typed_tensor(args):  # `storage` is bytes.
        storage, offset, shape, strides, _, _, dtype = args[:7]
        if dtype.path not in _BY_TYPE:
            return Inert(dtype.path, args)
        return _tensor(
            budget, storage.view(_BY_TYPE[dtype.path]), offset, shape, strides
        )

    def of_type(args):  # For a subclass: a function, the class, the arguments.
        function, _, inner = args[:3]
        if not isinstance(function, Name) or function.path not in tensors:
            return Inert("torch._tensor._rebuild_from_type_v2", args)
        return tensors[function.path](inner)

    tensors = {
        "torch._utils._rebuild_tensor": tensor,
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_tensor_v3": typed_tensor,
        "torch._utils._rebuild_parameter": lambda args: args[0],
        "torch._utils._rebuild_parameter_with_state": lambda args: args[0],
        "torch.nn.parameter.Parameter": lambda args: args[0],
    }
    known = {
        **tensors,
        "torch._tensor._rebuild_from_type_v2": of_type,
        "torch.Size": lambda args: tuple(members(args, budget)),
        "collections.OrderedDict": lambda args: entries(args, budget),
        "collections.defaultdict": lambda args: {},
        "_codecs.encode": lambda args: _encoded(budget, *args[:2]),
        "copyreg._reconstructor": _reconstructed,
        "copy_reg._reconstructor": _reconstructed,
        "numpy.dtype": lambda args: _NumpyType(args[0]),
        **_numpy_names(budget),
    }
    for module in ("builtins", "__builtin__"):
        for kind in ("set", "frozenset"):
            known[f"{module}.{kind}"] = lambda args: members(args, budget)
    return known


def _numpy_names(budget):
    """Returns constructors of numpy arrays and numbers, for versions 1 and 2."""

    def scalar(args):
        return _of_buffer(_bytes(budget, args[1]), args[0], (), "C")[()]

    def of_buffer(args):
        data, dtype, shape, order = args
        return _of_buffer(_bytes(budget, data), dtype, shape, order)

    known = {}
    for core in ("numpy.core", "numpy._core"):
        known[f"{core}.multiarray._reconstruct"] = lambda args: _NumpyArray(budget)
        known[f"{core}.multiarray.scalar"] = scalar
        known[f"{core}.numeric._frombuffer"] = of_buffer
    return known


def _tensor(budget, storage, offset, shape, strides):
    """Views a storage as a tensor; sizes come from the file, so bounds are checked."""
    if isinstance(storage, Inert):
        return storage
    if not all(map(is_whole, (offset, *shape, *strides))):
        raise UnpicklingError("a tensor's size is not an integer")
    steps = [(n - 1) * s for n, s in zip(shape, strides, strict=True)]
    if min([offset, *shape, *strides], default=0) < 0:
        raise UnpicklingError("a tensor has a negative size")
    if math.prod(shape) == 0:
        return np.zeros(shape, storage.dtype)
    if offset + sum(steps) >= storage.size:
        raise UnpicklingError("a tensor reaches beyond its storage")
    if math.prod(shape) > storage.size:  # An expanded tensor repeats numbers.
        budget.spend(math.prod(shape) * storage.itemsize)
    strides = [s * storage.itemsize for s in strides]
    data, start = storage.view("u1"), offset * storage.itemsize
    return np.ndarray(shape, storage.dtype, data, start, strides)


def _encoded(budget, text, encoding="utf-8"):
    """Converts a string to bytes, as in pickles of protocol 2."""
    if encoding not in ("latin1", "latin-1", "utf-8", "utf8", "ascii"):
        raise UnpicklingError("a string has an unknown encoding")
    budget.spend(len(text))
    return text.encode(encoding)


def _reconstructed(args):
    """Represents a plain object of a class, whose attributes follow."""
    return Inert(args[0].path, args[1:])


class _NumpyType(Pending):
    """A numpy type of numbers; its byte order follows."""

    def __init__(self, name):
        """Takes the name of a numeric type, such as "f4"."""
        super().__init__(_numeric(name))

    def build(self, state):
        """Takes the byte order."""
        order = state[1]
        if order in ("<", ">"):
            self.value = self.value.newbyteorder(order)


class _NumpyArray(Pending):
    """A numpy array, whose numbers follow."""

    def __init__(self, budget):
        """Prepares an array; `budget` is the file's."""
        super().__init__()
        self._budget = budget

    def build(self, state):
        """Takes version, shape, type, order and numbers."""
        _, shape, dtype, is_fortran, data = state
        order = "F" if is_fortran else "C"
        self.value = _of_buffer(_bytes(self._budget, data), dtype, shape, order)


def _numeric(name):
    """Returns a numpy type of numbers."""
    if not isinstance(name, str) or len(name) > 8:
        raise UnpicklingError("an array's dtype is not numeric")
    dtype = np.dtype(name)
    if dtype.kind not in "biufc":
        raise UnpicklingError(f"an array has dtype {name[:8]}, which is not numeric")
    return dtype


def _of_buffer(data, dtype, shape, order):
    """Makes an array from bytes."""
    dtype = finished(dtype)
    if not isinstance(dtype, np.dtype) or not isinstance(data, bytes | bytearray):
        raise UnpicklingError("an array is damaged")
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _bytes(budget, data):
    """Returns an array's numbers; Python 2 wrote them as text."""
    return _encoded(budget, data, "latin-1") if isinstance(data, str) else data
