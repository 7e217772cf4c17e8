"""Fixtures shared by all tests."""

import gc
import importlib.metadata
import os
import pathlib

# Tests compile much and run little. Without LLVM's optimization they take a quarter
# less time; code from the older emitters, which jaxlib 0.10 still has, compiles in half
# the time of that from MLIR, and programs in one part a tenth faster than in 32.
# `make test-all` compiles as users do.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0"
    + (
        " --xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
        if importlib.metadata.version("jaxlib").startswith("0.10.")
        else ""
    ),
)
# What one test, worker or child process has compiled serves the others, however small;
# delete the folder to start cold.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR",
    str(pathlib.Path(__file__).resolve().parents[1] / ".pytest_cache" / "xla"),
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

import jax
import pytest
from absl import flags

jax.config.update("jax_num_cpu_devices", 8)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_default_matmul_precision", "highest")

# Tracing makes objects by the million, hardly any of which are garbage: looked through
# every 700 of them, they take a quarter longer.
gc.set_threshold(50_000, 20, 100)

ROOT = pathlib.Path(__file__).resolve().parents[1]


def pytest_configure():
    """Lets grain's workers read absl flags, which no command line parses here."""
    flags.FLAGS.mark_as_parsed()


def _pmapped(fn):
    """Calls `fn` on two devices with equal arguments; returns the second result."""

    def call(*args):
        two = jax.tree.map(lambda a: jax.numpy.stack([a, a]), args)
        devices = jax.local_devices()[:2]
        return jax.tree.map(lambda a: a[1], jax.pmap(fn, devices=devices)(*two))

    return call


WAYS = ("jit", "pmap", "eager")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Leaves two of three ways of calling a function to `make test-all`.

    Compiling is nearly all that these tests cost. In a file the ways take turns from
    test to test, so that `make test` sees each of them; the dearest, one program for
    each operation, comes last.
    """
    places = {}
    for item in items:
        params = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        way = params.pop("variant", None)
        if way is None:
            continue
        turns = places.setdefault(item.path, {})
        turn = turns.setdefault((item.originalname, str(params)), len(turns))
        if way != WAYS[turn % len(WAYS)]:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=WAYS)
def variant(request):
    """Calls a function as users will: op by op, jitted, and pmapped."""
    if request.param == "pmap" and jax.local_device_count() < 2:
        pytest.skip("needs two devices")
    return {"eager": lambda f: f, "jit": jax.jit, "pmap": _pmapped}[request.param]


@pytest.fixture(scope="session")
def shared():
    """The folder of real video and goldens that is not part of the project."""
    folder = pathlib.Path(os.environ.get("JAXTRACK_SHARED", ROOT.parent / "shared"))
    if not (folder / "realdata").is_dir():
        pytest.skip(f"no real data: {folder}/realdata is absent (JAXTRACK_SHARED)")
    return folder


@pytest.fixture(scope="session")
def goldens():
    """Values computed with public implementations; see tests/goldens/README.md."""
    return ROOT / "tests" / "goldens"


@pytest.fixture(scope="session")
def realweights(shared):
    """The folder of public trackers' weights, which are no part of the project."""
    if not (shared / "realweights").is_dir():
        pytest.skip(f"no weights: {shared}/realweights is absent")
    return shared / "realweights"
