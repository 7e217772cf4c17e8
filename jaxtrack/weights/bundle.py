"""A trained tracker in one safetensors file: settings, preprocessing and weights.

The file's metadata holds `jaxtrack`, the version of this layout; `settings`, JSON of
dotted field -> value, of every field that tracking reads; `step`, the optimizer steps
of the training. Its arrays are named `params/backbone/...` and `batch_stats/...`; of
"float24" each parameter is a float16 that any program reads, and `residues/...` int8,
the next eight bits: the value is `half + residue * spacing(half) / 256`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax.traverse_util import flatten_dict, unflatten_dict
from ml_collections import ConfigDict
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from jaxtrack import config as config_lib
from jaxtrack.errors import InputError, unwritable
from jaxtrack.weights import digests
from jaxtrack.weights.files import read_safetensors
from jaxtrack.weights.matching import match

SUFFIX = ".safetensors"
LAYOUT = "1"
DTYPES = ("float16", "float24", "float32")
_STATS, _RESIDUES = "batch_stats/", "residues/"


class Bundle(NamedTuple):
    """A trained network.

    Attributes:
      config: its settings, including its preprocessing. A file keeps those that
        tracking reads; the others are the defaults.
      variables: "params" (averaged ones, if kept) and "batch_stats", numpy arrays.
      step: optimizer steps it was trained for.
      provenance: source of imported weights, see `files.provenance`; ready for JSON.
    """

    config: ConfigDict
    variables: dict[str, Any]
    step: int
    provenance: Mapping[str, Any] = MappingProxyType({})


def write(path: str | Path, bundle: Bundle, *, dtype: str = "float24") -> None:
    """Writes a trained tracker into one file.

    Statistics of batch normalization stay float32: variances of dead channels are too
    small for float16. Parameters rounded to float16 track equally well, but not
    identically: where two cells score alike, the other one is chosen, and boxes differ
    from then on.
    Those of "float24" agree with float32's to thousandths of a pixel.

    Args:
      path: the file, ending in `.safetensors`; an existing file is replaced.
      bundle: what to write; see `jaxtrack.trackers.with_preprocessing`.
      dtype: of the parameters in the file, one of `DTYPES`; read back they are float32.

    Raises:
      InputError: the suffix or dtype is not supported, the preprocessing is not set, a
        parameter is too large for the type, or the file cannot be written.
    """
    path = _checked(path)
    if dtype not in DTYPES:
        raise InputError(f"dtype {dtype!r}: use one of {', '.join(DTYPES)}")
    config_lib.preprocessing(bundle.config)  # Raises if the preprocessing is not set.
    arrays = {}
    for name, array in flatten_dict(dict(bundle.variables), sep="/").items():
        array = np.asarray(array, np.float32, order="C")
        kept = "float32" if dtype == "float32" or _STATS in name else "float16"
        with np.errstate(over="ignore"):
            arrays[name] = array.astype(kept)
        if np.isinf(arrays[name]).any():
            raise InputError(f"{name} holds numbers too large for {dtype}: use float32")
        if dtype == "float24" and kept == "float16":
            arrays[name], rest = split(array)
            arrays[_RESIDUES + name.removeprefix("params/")] = rest
    settings = config_lib.of_tracking(bundle.config)
    metadata = {"jaxtrack": LAYOUT, "settings": json.dumps(settings)}
    metadata |= {"step": str(bundle.step)}
    if bundle.provenance:
        metadata["provenance"] = json.dumps(dict(bundle.provenance))
    _write(path, arrays, metadata)


def write_state_dict(
    path: str | Path, arrays: Mapping[str, np.ndarray], *, dtype: str = "float32"
) -> None:
    """Writes arrays under PyTorch's names, as `safetensors.torch.load_file` reads them.

    Args:
      path: the file, ending in `.safetensors`; an existing file is replaced.
      arrays: by name.
      dtype: of the arrays in the file, "float16" or "float32".

    Raises:
      InputError: the suffix or dtype is not supported, or the file cannot be written.
    """
    if dtype not in ("float16", "float32"):
        raise InputError(f"dtype {dtype!r}: PyTorch's names take float16 or float32")
    arrays = {k: np.asarray(a, dtype, order="C") for k, a in arrays.items()}
    _write(_checked(path), arrays, {"format": "pt"})


def _checked(path):
    """Raises for any other suffix."""
    path = Path(path)
    if path.suffix != SUFFIX:
        raise InputError(f"{path}: the name of a tracker's file ends in {SUFFIX}")
    return path


def _write(path, arrays, metadata):
    """Writes a file with a digest of its content, atomically."""
    metadata = metadata | {digests.KEY: digests.of_file(arrays, metadata)}
    content = save(arrays, metadata)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as fault:
        raise unwritable(path, fault) from fault
    finally:
        partial.unlink(missing_ok=True)


def read(
    path: str | Path, *, added: Mapping[str, Any] = MappingProxyType({})
) -> Bundle:
    """Reads a trained tracker from one file.

    This does not check that the arrays fit the network; see `check`.

    Args:
      path: a file written by `write`.
      added: dotted field -> value, of settings that are newer than the file.

    Returns:
      Settings and float32 variables.

    Raises:
      InputError: the file is missing, damaged, or not a tracker's, or its settings are
        not those of this version.
    """
    arrays, metadata = read_safetensors(path)
    if metadata.get("jaxtrack") != LAYOUT:
        raise InputError(_foreign(path, metadata))
    try:
        settings, step = json.loads(metadata["settings"]), int(metadata["step"])
        provenance = json.loads(metadata.get("provenance", "{}"))
        settings = {**added, **settings}
        config = config_lib.from_tracking(settings, source=str(path))
    except (KeyError, ValueError, AttributeError) as fault:
        if isinstance(fault, InputError):
            raise
        raise InputError(f"{path}: its settings are damaged: {fault}") from fault
    arrays = _joined(arrays)
    variables = {"params": {}, "batch_stats": {}} | unflatten_dict(arrays, sep="/")
    return Bundle(config, variables, step, provenance)


def is_bundle(path: str | Path) -> bool:
    """Returns whether a file is a tracker with its settings, by its metadata alone.

    Args:
      path: any file.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            return "jaxtrack" in (file.metadata() or {})
    except (SafetensorError, OSError, ValueError):
        return False


def check(bundle: Bundle, network: nn.Module, *, source: str) -> None:
    """Raises if variables do not fit the network; it is traced, not run.

    Args:
      bundle: the tracker that was read.
      network: the network named in its settings.
      source: name of the file, for the error message.

    Raises:
      InputError: arrays are missing, unexpected or of another shape; it names them.
    """
    sizes = network.geometry.template_size, network.geometry.search_size
    crops = [jax.ShapeDtypeStruct((1, n, n, 3), jnp.float32) for n in sizes]
    variables = jax.eval_shape(network.init, jax.random.key(0), *crops)
    shapes = {n: a.shape for n, a in flatten_dict(dict(variables), sep="/").items()}
    fit = match(shapes, flatten_dict(bundle.variables, sep="/"))
    if not fit.is_whole:
        raise InputError(f"{source} does not fit its network: {fit.faults()}")


def split(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Splits numbers into float16 and the residue, in 256ths of its spacing.

    Splitting a number that was joined from the two gives the same two again.

    Args:
      array: float32, within the range of float16.

    Returns:
      float16 and int8 of the same shape.
    """
    half = array.astype(np.float16)
    rest = _residue(array, half)
    # Half a spacing above is half a spacing below the next: int8 ends at 127.
    above = np.nextafter(half, np.finfo(np.float16).max)
    is_tie = (rest > 127) & (above > half)
    half = np.where(is_tie, above, half)
    rest = np.where(is_tie, _residue(array, half), rest)
    return half, np.asarray(np.clip(rest, -128, 127), np.int8)


def _residue(array, half):
    """The residue of rounding to float16, in 256ths of the float16's spacing."""
    lost = (array - half.astype(np.float32)) / _spacing(half)
    return np.round(lost * 256)


def _joined(arrays):
    """Returns float32 arrays, with the residues added."""
    joined = {}
    for name, array in arrays.items():
        if name.startswith(_RESIDUES):
            continue
        joined[name] = array.astype(np.float32)
        rest = arrays.get(_RESIDUES + name.removeprefix("params/"))
        if rest is not None and rest.shape == array.shape:
            full = joined[name] + rest.astype(np.float32) / 256 * _spacing(array)
            joined[name] = np.where(rest == 0, joined[name], full)  # A -0 stays one.
    return joined


def _spacing(half):
    """Distance to the next float16, away from 0."""
    return np.spacing(np.minimum(np.abs(half), np.float16(32768))).astype(np.float32)


def _foreign(path, metadata):
    """Returns the error message for a file that is not a tracker's."""
    if "jaxtrack" in metadata:
        return (
            f"{path} has layout {metadata['jaxtrack']}, this version reads {LAYOUT}: "
            "install the version that wrote it, or write it again"
        )
    return without_settings(path)


def without_settings(path: str | Path) -> str:
    """Returns the error message for a file that holds only weights.

    Args:
      path: of the file.
    """
    return (
        f"{path} holds no tracker's settings: name the network of its weights, as "
        "--model=siamcar_r50 (jaxtrack.load(..., model=...) in a program); "
        f"`jaxtrack weights inspect {path} --fits` finds which it is"
    )
