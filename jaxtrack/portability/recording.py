"""Recordings: few numbers of each array that a platform computed, in one file."""

import io
import json
import pathlib
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic

# Of this layout; a change of what is computed or how it is kept raises it.
FORMAT = 1
# Numbers kept of an array.
SKETCH = 64
# Made on a CPU by `jaxtrack portability run --conditions=highest --out=<this file>
# --trackers=lite,siamla_lite0,dla_siamrpnpp_lite0,cract_lite0`.
REFERENCE = pathlib.Path(__file__).parent / "shipped" / "reference.npz"
# What reading a file that is no recording raises, or a damaged one.
_DAMAGES = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    zlib.error,
    zipfile.BadZipFile,
)


class Key(NamedTuple):
    """Names an array.

    Attributes:
      tracker: as in `plan.Item`.
      part: as in `plan.Item`.
      condition: as in `plan.Item`.
      kind: a key of `tolerances.TOLERANCES`.
      name: such as "backbone/patches" or "frame 3".
    """

    tracker: str
    part: str
    condition: str
    kind: str
    name: str


class Recording(NamedTuple):
    """What a platform computed.

    Attributes:
      about: the machine and the versions; "inputs" has a checksum of each tracker and
        part, by which files of other inputs are told.
      values: in the order of computation; a sketch of each array.
    """

    about: dict[str, Any]
    values: dict[Key, np.ndarray]


def sketch(array: np.ndarray) -> np.ndarray:
    """Reduces an array to 64 sums; each number is in one, with a sign.

        s_k = sum of sign_i a_i over all i with bucket_i = k

    The expectation of |s(a) - s(b)|^2 is |a - b|^2, with a relative deviation of
    sqrt(2 / 64), so that a change of any number shows in proportion. Charikar et al.,
    Finding frequent items in data streams (2002), section 3.

    Args:
      array: of any shape and kind of number.

    Returns:
      `[64]` float32, or the array itself, flat, where it is no larger.
    """
    flat = np.asarray(array).astype(np.float64).ravel()
    if flat.size <= SKETCH:
        return flat.astype(np.float32)
    drawn = np.frombuffer(np.random.RandomState(0).bytes(flat.size), np.uint8)
    signs = 1.0 - 2.0 * (drawn >> 7)
    sums = np.bincount(drawn % SKETCH, weights=signs * flat, minlength=SKETCH)
    return sums.astype(np.float32)


def write(path: str | pathlib.Path, recording: Recording) -> None:
    """Writes a recording, whole or not at all.

    Args:
      path: of the file, `.npz`.
      recording: what to write.

    Raises:
      InputError: the folder cannot be written to.
    """
    values = recording.values
    head = {"format": FORMAT, **recording.about, "keys": list(values)}
    flat = [value.ravel() for value in values.values()]
    # One array: a file of many has more of headers than of numbers.
    arrays = {
        "head": np.array(json.dumps(head)),
        "sizes": np.array([value.size for value in flat]),
        "values": np.concatenate([np.zeros(0, np.float32), *flat]),
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    atomic.write_bytes(path, buffer.getvalue())


def read(path: str | pathlib.Path) -> Recording:
    """Reads a recording.

    Args:
      path: of the file.

    Raises:
      InputError: it is missing, no recording, or of another format.
    """
    try:
        with np.load(path) as file:
            about = json.loads(str(file["head"]))
            keys = [Key(*key) for key in about.pop("keys")]
            values = np.split(file["values"], np.cumsum(file["sizes"])[:-1])
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file: `jaxtrack portability run --out={path}` makes it"
        ) from None
    except _DAMAGES as fault:
        raise InputError(
            f"{path}: not a recording of `jaxtrack portability run`: record it again"
        ) from fault
    if about.get("format") != FORMAT:
        raise InputError(
            f"{path}: a recording of format {about.get('format')}, this version reads "
            f"{FORMAT}: record it again"
        )
    return Recording(about, dict(zip(keys, values, strict=True)))


def describe(about: Mapping[str, Any]) -> str:
    """Describes the machine that made a recording."""
    return (
        f"{about['num_devices']} x {about['device']}, jax {about['jax']}, "
        f"jaxtrack {about['jaxtrack']}, default products {about['products']}"
    )
