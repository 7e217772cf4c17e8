"""Digests of arrays and settings.

SHA-256 identifies the weights that results were made with. XXH3, which takes a tenth of
its time and does not protect against attacks, detects damage when weights are read.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xxhash

KEY = "jaxtrack_xxh3"  # In a safetensors file's metadata.


def hash_json(value: Any) -> str:
    """SHA-256 of a value's JSON with sorted keys.

    Args:
      value: a value that `json.dumps` accepts.

    Returns:
      64 hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def hash_arrays(tree: Any) -> str:
    """SHA-256 of a pytree: names, shapes, types and bytes of its leaves.

    Args:
      tree: pytree of arrays, on the host or on a device.

    Returns:
      64 hexadecimal digits.
    """
    import jax  # Imported late: scoring results does not need jax.

    digest = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        _add(digest, jax.tree_util.keystr(path), leaf)
    return digest.hexdigest()


def of_leaves(tree: Any) -> dict[str, str]:
    """Digest of every leaf of a pytree, by its name.

    Args:
      tree: pytree of arrays, on the host or on a device.

    Returns:
      Name, such as "params/head/bias", -> 32 hexadecimal digits.
    """
    import jax  # Late: as above.

    by_name = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        digest = xxhash.xxh3_128()
        _add(digest, "", leaf)
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        by_name[name] = digest.hexdigest()
    return by_name


def of_file(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """Digest of a safetensors file's content, without the digest itself.

    Args:
      arrays: by name.
      metadata: metadata of the file.

    Returns:
      32 hexadecimal digits.
    """
    others = {name: text for name, text in metadata.items() if name != KEY}
    digest = xxhash.xxh3_128(json.dumps(others, sort_keys=True).encode())
    for name in sorted(arrays):
        _add(digest, name, arrays[name])
    return digest.hexdigest()


def _add(digest, name, leaf):
    """Adds an array with its name to a digest."""
    array = np.ascontiguousarray(leaf)
    digest.update(f"{name}{array.shape}{array.dtype}".encode())
    # As bytes of any type, without a copy.
    digest.update(array.reshape(-1).view(np.uint8))
