"""Tests for jaxtrack.evaluation.provenance."""

import jax.numpy as jnp
import numpy as np

from jaxtrack.evaluation import provenance

TREE = {"params": {"w": np.arange(6.0).reshape(2, 3), "b": np.zeros(3, np.float32)}}


def test_hash_of_arrays_sees_every_change():
    w, b = TREE["params"]["w"], TREE["params"]["b"]
    same = {"params": {"b": b.copy(), "w": w.copy()}}
    assert provenance.hash_arrays(same) == provenance.hash_arrays(TREE)
    changed = [
        {"params": {"w": w + np.eye(2, 3) * 1e-9, "b": b}},
        {"params": {"w": w.reshape(3, 2), "b": b}},
        {"params": {"w": w, "b": b.astype(np.float64)}},
        {"params": {"v": w, "b": b}},
    ]
    hashes = {provenance.hash_arrays(tree) for tree in (TREE, *changed)}
    assert len(hashes) == 5


def test_hash_of_device_arrays_is_that_of_the_host():
    host = {"w": np.arange(4, dtype=np.float32)}
    assert provenance.hash_arrays(
        {"w": jnp.asarray(host["w"])}
    ) == provenance.hash_arrays(host)


def test_environment_names_versions_device_and_precision():
    around = provenance.environment(precision="bfloat16")
    assert around["precision"] == "bfloat16"
    assert around["device"].startswith("cpu")
    assert around["matmul_precision"] == "highest"
    assert {"jax", "jaxtrack", "python", "numpy"} <= set(around["versions"])
