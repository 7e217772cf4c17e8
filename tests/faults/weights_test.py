"""Files of weights, each damaged thousands of times: read, or refused in one line."""

import random

import jax
import numpy as np
import pytest

from jaxtrack import weights
from jaxtrack.errors import InputError
from jaxtrack.weights import bundle, digests
from tests.weights import bundle_test, fuzz_test

pytestmark = pytest.mark.slow
TIMES = 5_000
# What sizes and offsets are mistaken for: as fields of files, and as ONNX has them.
NUMBERS = [*fuzz_test.NUMBERS, b"\x80" * 9 + b"\x01", b"\xff\xff\xff\xff\x0f"]


def damaged(data, generator):
    """Changes, cuts or doubles 1 to 4 places of a file."""
    for _ in range(generator.randint(1, 4)):
        start, other = (generator.randrange(len(data)) for _ in range(2))
        number, rest = generator.choice(NUMBERS), start + generator.randint(0, 12)
        flipped = bytes([data[start] ^ 1 << other % 8])
        put, rest = generator.choice(
            [
                (flipped, start + 1),
                (number, start + len(number)),
                (number, rest),
                (generator.randbytes(other % 12), rest),
                (data[other : other + 60], start),
                (b"", len(data)),
            ]
        )
        data = data[:start] + put + data[rest:] or b"x"
    return data


def test_thousands_of_damaged_files_are_read_or_refused_in_a_line(tmp_path, row):
    files = {k: (d, weights.read) for k, d in fuzz_test.whole_files(tmp_path).items()}
    bundle.write(tmp_path / "t.safetensors", bundle_test.made())
    files["tracker"] = (tmp_path / "t.safetensors").read_bytes(), bundle.read
    suffixes = {"onnx": ".onnx", "tracker": ".safetensors"}
    generator, found, most = random.Random(0), {}, 0
    for kind, (whole, read) in files.items():
        path = tmp_path / f"w{suffixes.get(kind, '.pth')}"
        for _ in range(TIMES):
            data = damaged(whole, generator)
            content, taken = fuzz_test.read_damaged(path, data, read)
            found[kind] = found.get(kind, 0) + (content is not None)
            most = max(most, taken)
    assert all(number < TIMES / 2 for number in found.values()), found
    number = sum(found.values())
    row(
        f"1 to 4 places of weights changed, cut or doubled: {', '.join(files)}",
        f"{TIMES:,} of each",
        f"one-line errors: {TIMES * len(files) - number:,}; read: {number:,}; "
        f"memory: at most {most / 1e6:.1f} MB",
    )


def test_no_flipped_bit_is_read_as_another_tracker(tmp_path, row):
    path, number = tmp_path / "t.safetensors", 0
    bundle.write(path, bundle_test.made())
    content, whole = path.read_bytes(), bundle.read(path)
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            read = bundle.read(path)
        except InputError:
            continue
        assert digests.KEY.encode() not in changed
        jax.tree.map(np.testing.assert_array_equal, read.variables, whole.variables)
        assert read.config == whole.config
        number += 1
    assert 0 < number < len(digests.KEY) + 10
    row(
        "one bit flipped in a tracker's `.safetensors`",
        f"each of {len(content):,} bytes",
        f"one-line errors: {len(content) - number:,}; read, equal: {number}, in which "
        "the digest's name was hit",
    )
