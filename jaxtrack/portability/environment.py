"""What a machine offers to jaxtrack, and what may go wrong on it."""

import importlib.metadata
import importlib.util
import os
import pathlib
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxtrack import devices
from jaxtrack.errors import EXTRAS, InputError

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "grain", "numpy")
# Variables that change what jax does.
VARIABLES = (
    "JAX_PLATFORMS",
    "CUDA_VISIBLE_DEVICES",
    "XLA_FLAGS",
    "JAX_DEFAULT_MATMUL_PRECISION",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
    "XLA_PYTHON_CLIENT_MEM_FRACTION",
    "JAX_ENABLE_X64",
    "JAX_DISABLE_JIT",
)
# Below these, bytes: Grain's workers hand batches over in shared memory, a packed
# training set and its checkpoints need room.
LEAST_SHARED_MEMORY = 256 * 2**20
LEAST_FREE_DISK = 2 * 2**30
# Largest relative error of a number by the precision it is rounded to: a float32 has 24
# bits, TF32 11, bfloat16 8; twice the rounding, for hardware that cuts off instead.
PRECISIONS = (("float32", 2.0**-22), ("TF32", 2.0**-10), ("bfloat16", 2.0**-7))


class Finding(NamedTuple):
    """One thing looked at.

    Attributes:
      name: of the thing, such as "devices".
      value: what was found, in words.
      problem: what will go wrong, and what to do; empty where nothing will.
    """

    name: str
    value: str
    problem: str = ""


def examine(*, cache: str, folder: str = ".") -> Iterator[Finding]:
    """Looks at what decides whether and how fast jaxtrack runs here.

    Args:
      cache: folder of XLA's compilations.
      folder: where results would be written.

    Yields:
      Findings, as they are made: system, versions, extras, variables, devices,
      precision of products, cores, memory, room on the disks, and decoders.
    """
    system = f"{platform.system()} {platform.machine()}"
    yield Finding("system", f"Python {platform.python_version()}, {system}")
    yield _packages()
    yield _extras()
    yield from _variables(os.environ)
    found = find_devices()
    yield found
    if not found.problem:
        yield _precision()
    yield Finding("cores", str(len(os.sched_getaffinity(0))))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield Finding("memory", f"{memory / 2**30:,.1f} GiB")
    yield _shared_memory(pathlib.Path("/dev/shm"))
    yield _room("compilations", pathlib.Path(cache), least=0)
    bank = pathlib.Path(tempfile.gettempdir())
    yield _room("temporary folder", bank, least=LEAST_FREE_DISK)
    yield _room("this folder", pathlib.Path(folder), least=LEAST_FREE_DISK)
    yield _decoders()


def find_devices() -> Finding:
    """Names the devices that jax computes on, or says why there are none."""
    try:
        devices.check()
    except InputError as fault:
        return Finding("devices", "none", str(fault))
    found = jax.local_devices()
    first = found[0]
    value = f"{len(found)} x {first.device_kind} ({first.platform})"
    stats = first.memory_stats() or {}
    if limit := stats.get("bytes_limit"):
        value += f", {limit / 2**30:.1f} GiB each"
    is_chosen = first.platform != "cpu" or os.environ.get("JAX_PLATFORMS")
    return Finding("devices", value, "" if is_chosen else _unused_device())


def _unused_device(driver=pathlib.Path("/proc/driver/nvidia/version")):
    """Says why a GPU is not used; nothing where no driver is loaded."""
    if not driver.exists():
        return ""
    if importlib.util.find_spec("jax_cuda13_plugin") is None:
        return (
            "an NVIDIA driver is loaded, but jax has no support for GPUs: "
            "pip install 'jaxtrack[cuda13]'"
        )
    version = driver.read_text().partition("\n")[0].removeprefix("NVRM version: ")
    return (
        f"an NVIDIA driver is loaded ({version.strip()}), but jax could not use the "
        "GPU: JAX_PLATFORMS=cuda jaxtrack doctor says why; CUDA 13 needs driver 580 or "
        "newer, and CUDA_VISIBLE_DEVICES must name a GPU"
    )


def precision_of(error: float) -> str:
    """Names the precision that products of float32 matrices have.

    Args:
      error: as `product_error` measures it.
    """
    for name, limit in PRECISIONS:
        if error <= limit:
            return name
    return "less than bfloat16"


def product_error(precision: jax.lax.Precision | None, *, size: int = 256) -> float:
    """Measures how products of float32 matrices round on the default device.

        max |(A I) - A| / A,   A in [1, 2): what is left of A times the identity

    Sums would hide it: roundings of 256 terms cancel.

    Args:
      precision: asked of jax; None is its default.
      size: of the matrices.
    """
    a = 1 + np.random.default_rng(0).random((size, size), np.float32)
    identity = np.eye(size, dtype=np.float32)
    product = jax.jit(lambda a, b: jnp.matmul(a, b, precision=precision))(a, identity)
    return float(np.max(np.abs(np.asarray(product, np.float64) - a) / a))


def _precision():
    """Reports how exact float32 products are, by default and at best."""
    default, highest = (
        precision_of(product_error(asked))
        for asked in (None, jax.lax.Precision.HIGHEST)
    )
    value = f"computed in {default}"
    if default != highest:
        value += f"; in {highest} with JAX_DEFAULT_MATMUL_PRECISION=highest"
    return Finding("float32 products", value)


def _packages():
    """Lists the versions of what jaxtrack stands on."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    return Finding("packages", ", ".join(versions))


def _extras():
    """Lists the extras that are installed, and those that are not."""
    states: dict[str, bool] = {}
    for package, extra in EXTRAS.items():
        is_here = importlib.util.find_spec(package) is not None
        states[extra] = states.get(extra, True) and is_here
    absent = sorted(name for name, is_here in states.items() if not is_here)
    value = ", ".join(sorted(name for name, is_here in states.items() if is_here))
    value = value or "none"
    if absent:
        value += (
            f"; not installed: {', '.join(absent)} (pip install 'jaxtrack[NAME]' where "
            "one is needed)"
        )
    return Finding("extras", value)


def _variables(environment: Mapping[str, str]):
    """Yields the variables that are set."""
    slow = "everything runs many times slower: unset it"
    for name in VARIABLES:
        if value := environment.get(name):
            is_slow = name == "JAX_DISABLE_JIT" and jax.config.jax_disable_jit
            yield Finding(name, value, slow if is_slow else "")


def _shared_memory(folder):
    """Reports how much shared memory loader workers have."""
    if not folder.exists():
        return Finding("shared memory", "not found")
    total = shutil.disk_usage(folder).total
    problem = ""
    if total < LEAST_SHARED_MEMORY:
        problem = (
            "too small for loader workers, which hand batches over in it: start the "
            "container with --shm-size=1g"
        )
    return Finding("shared memory", f"{total / 2**30:,.2f} GiB", problem)


def _room(name, folder, *, least):
    """Returns whether a folder, or the first one above it that exists, takes files."""
    folder = place = folder.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    value = f"{folder}, {free / 2**30:,.1f} GiB free"
    if not os.access(place, os.W_OK):
        return Finding(name, value, f"{place} cannot be written: choose another folder")
    if free < least:
        problem = f"less than {least / 2**30:.0f} GiB: little room for checkpoints, "
        return Finding(name, value, problem + "packed video and decoded frames")
    return Finding(name, value)


def _decoders():
    """Reports what decodes video."""
    import cv2  # Late: half a second.

    value = f"OpenCV {cv2.__version__}"
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        return Finding("video", f"{value}; no ffmpeg: AV1 and .mp4 out need the extra")
    import imageio_ffmpeg

    return Finding("video", f"{value}, ffmpeg {imageio_ffmpeg.get_ffmpeg_version()}")
