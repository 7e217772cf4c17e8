"""Files of weights damaged at random: one clear line, no code run, memory bounded."""

import io
import pickletools
import struct
import sys
import tracemalloc

import numpy as np
import onnx
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxtrack import weights
from jaxtrack.errors import InputError
from tests.weights.torch_files import tensor, write

# What Python tells of, were code of a file run or a name in it looked up.
CALLS = ("os.system", "os.mkdir", "os.exec", "subprocess.Popen", "pickle.find_class")
LARGEST = (64 << 20) + (24 << 10)  # What files of at most 3 KB may unpack to.
_seen = []
sys.addaudithook(lambda event, _: _seen.append(event) if event in CALLS else None)


def whole_files(folder):
    """Makes a whole file of each kind; returns their bytes."""
    arrays = {"a.weight": np.arange(12, dtype=np.float32), "b": np.float32([[1, 2]])}
    content = {"state_dict": {"a.weight": tensor("0", (3, 4), (4, 1))}}
    content |= {"best": np.float64(1), "b": np.arange(3), "c": {1, 2}, "d": 1 + 2j}
    made = {}
    for form in ("zip", "legacy"):
        path = write(folder / form, content, {"0": arrays["a.weight"]}, form)
        made[form] = path.read_bytes()
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, **arrays)
        made[save.__name__] = file.getvalue()
    made["safetensors"] = safetensors.numpy.save(arrays)
    made["onnx"] = graph(arrays)
    return made


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    return whole_files(tmp_path_factory.mktemp("whole"))


def graph(arrays):
    """Returns the bytes of an ONNX file with two layers."""
    helper = onnx.helper
    nodes = [
        helper.make_node("Gemm", ["x", "a.weight"], ["y"], name="/a/Gemm", transB=1),
        helper.make_node("Conv", ["y", "onnx::Conv_1"], ["z"], name="/c/c.0/Conv"),
    ]
    tensors = [onnx.numpy_helper.from_array(a, name) for name, a in arrays.items()]
    kernel = np.ones((2, 1, 2, 2), np.float16)
    tensors.append(onnx.numpy_helper.from_array(kernel, "onnx::Conv_1"))
    whole = helper.make_graph(nodes, "main", [], [], initializer=tensors)
    return helper.make_model(whole).SerializeToString()


def named(path, kind):
    """Returns the path with the suffix that tells the format, where one does."""
    return path.with_suffix(".onnx") if kind == "onnx" else path


def read_damaged(path, data, read=weights.read):
    """Reads a file, which succeeds or ends in one line; nothing else may happen.

    Returns:
      What was read, None where it was refused; and the memory that it took, bytes.
    """
    path.write_bytes(data)
    _seen.clear()
    found = None
    tracemalloc.start()  # Here alone: all else would take three times as long.
    try:
        found = read(path)
    except InputError as fault:
        told = str(fault)
        assert told.startswith(f"{path}") and told.isprintable() and len(told) < 2500
    finally:
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert not _seen, _seen
    assert taken < LARGEST
    return found, taken


@pytest.fixture
def path(tmp_path):
    return tmp_path / "w.pth"


# Numbers that sizes and offsets are mistaken for, as files hold them.
NUMBERS = [
    struct.pack(kind, value)
    for kind, values in (
        ("<H", (0, 1, 0xFFFF)),
        ("<I", (0, 1, 2**31 - 1, 2**31, 2**32 - 1)),
        ("<Q", (0, 1, 2**32, 2**62, 2**63, 2**64 - 1)),
    )
    for value in values
]
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),  # The place, of the whole file.
        st.integers(0, 40),  # Bytes that are taken out there.
        st.one_of(st.sampled_from(NUMBERS), st.binary(max_size=12)),
    ),
    min_size=1,
    max_size=6,
)


def edited(data, edits):
    """Replaces bytes at some places."""
    for place, taken, put in edits:
        start = int(place * len(data))
        data = data[:start] + put + data[start + taken :]
    return data


SMALL = st.sampled_from([0, 1, 2, 3, -1, 255, 2**31 - 1])
TEXT = st.sampled_from(
    ["state_dict", "os", "system", "torch", "FloatStorage", "storage", "0", "cpu", ""]
)
NAMES = st.sampled_from(
    [
        *("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3"),
        *("torch._utils _rebuild_parameter", "torch FloatStorage", "torch Size"),
        *("torch._tensor _rebuild_from_type_v2", "torch.storage _load_from_bytes"),
        *("collections OrderedDict", "numpy dtype", "numpy.core.multiarray scalar"),
        *("numpy.core.multiarray _reconstruct", "numpy ndarray", "_codecs encode"),
        *("numpy._core.numeric _frombuffer", "builtins set", "builtins eval"),
        *("copyreg _reconstructor", "os system", "argparse Namespace"),
    ]
)


def coded(operation):
    """Draws the bytes of one operation of a pickle with its argument."""
    code = operation.code.encode("latin-1")
    if operation.arg is None:
        return st.just(code)
    sizes = {"1": "<B", "2": "<H", "4": "<i", "8": "<Q"}
    kind = operation.arg.name
    if operation.name in ("GLOBAL", "INST"):
        lines = NAMES.map(lambda name: name.replace(" ", "\n").encode() + b"\n")
        return lines.map(lambda name: code + name)
    if kind in ("uint1", "uint2", "int4", "uint4", "uint8"):
        form = sizes[kind[-1]]
        return st.integers(0, 9).map(lambda n: code + struct.pack(form, n))
    if kind[-1] in sizes and kind[:4] in ("stri", "byte", "unic"):
        form = sizes[kind[-1]]
        return TEXT.map(lambda t: code + struct.pack(form, len(t)) + t.encode())
    if kind == "float8":
        return st.just(code + struct.pack(">d", 1.5))
    return SMALL.map(lambda number: code + f"{number}\n".encode())


PICKLES = st.lists(
    st.one_of(
        st.sampled_from(pickletools.opcodes).flatmap(coded),
        st.sampled_from([b"K\x01", b"}", b"]", b")", b"(", b"\x85", b"\x86", b"s"]),
        NAMES.map(lambda name: b"c" + name.replace(" ", "\n").encode() + b"\n"),
        st.sampled_from([b"R", b"b", b"\x94", b"u", b"e", b"t", b"h\x00", b"Q"]),
    ),
    max_size=40,
).map(lambda operations: b"".join(operations) + b".")


def times(count):
    """Runs a test on so many examples, the same ones each time."""
    return settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def run(path, originals, examples):
    """Reads spoilt files, a third of the examples each: edited, pickles, anything."""

    @times(examples * 2 // 5)
    @given(st.sampled_from(sorted(originals)), EDITS)
    def spoil(kind, edits):
        read_damaged(named(path, kind), edited(originals[kind], edits))

    @times(examples * 2 // 5)
    @given(PICKLES)
    def compose(data):
        read_damaged(path, data)

    @times(examples // 5)
    @given(st.sampled_from([b"", b"PK\3\4", b"\x80\x02"]), st.binary(max_size=200))
    def invent(head, rest):
        read_damaged(path, head + rest)

    for check in (spoil, compose, invent):
        check()


def test_whole_files_are_read(path, originals):
    for kind, data in originals.items():
        named(path, kind).write_bytes(data)
        assert weights.read(named(path, kind)).arrays["a.weight"].size == 12


def test_spoilt_files(path, originals):
    run(path, originals, 20)


@pytest.mark.slow
def test_many_spoilt_files(path, originals):
    run(path, originals, 6_000)
