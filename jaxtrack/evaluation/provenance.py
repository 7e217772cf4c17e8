"""What a run is made of: weights, versions, device, precision."""

import hashlib
import importlib.metadata
import platform

import jax
import numpy as np

_PACKAGES = ("jaxtrack", "jax", "jaxlib", "flax", "numpy", "opencv-python-headless")


def hash_arrays(tree) -> str:
    """SHA-256 of a pytree: names, shapes, types and bytes of its leaves.

    Args:
      tree: of arrays, on the host or on a device.

    Returns:
      64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        array = np.ascontiguousarray(leaf)
        digest.update(
            f"{jax.tree_util.keystr(path)}{array.shape}{array.dtype}".encode()
        )
        digest.update(array.tobytes())
    return digest.hexdigest()


def environment(*, precision: str) -> dict:
    """Versions, device and precision of this process.

    Args:
      precision: type the network computes in.

    Returns:
      What the stamp records beside the identity; it never decides about reuse.
    """
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "unknown"
    device = jax.devices()[0]
    return {
        "versions": versions,
        "device": f"{device.platform}: {device.device_kind}",
        "num_devices": jax.device_count(),
        "precision": precision,
        "matmul_precision": str(jax.config.jax_default_matmul_precision or "default"),
    }
