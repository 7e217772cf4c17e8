"""Draws the weights and images of the networks' goldens from their names alone.

Any framework can draw the same ones, so the goldens hold no weights.
"""

import json
import zlib

import numpy as np


def tensor(key, shape, seed=1):
    """Returns the entry `key` of a state dict."""
    rng = _generator(key, seed)
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf in ("running_mean", "bias"):
        values = 0.1 * rng.standard_normal(shape)
    elif leaf == "running_var" or len(shape) == 1:
        values = rng.uniform(0.5, 1.5, shape)
    else:
        values = rng.standard_normal(shape) * np.sqrt(1 / np.prod(shape[1:]))
    return values.astype(np.float32)


def image(name, shape, seed=1):
    """Returns an image of noise in [0, 255]; `shape` is NCHW."""
    return _generator(name, seed).uniform(0, 255, shape).astype(np.float32)


def state_dict(goldens, name, tensor=tensor):
    """Returns the state dict that `<name>_s1.json` lists."""
    shapes = json.loads((goldens / f"{name}_s1.json").read_text())["state_dict"]
    return {key: tensor(key, tuple(shape)) for key, shape in shapes.items()}


def relative_error(ours, golden):
    """Norm of the difference over the norm of the golden."""
    ours, golden = np.asarray(ours, np.float64), np.asarray(golden, np.float64)
    assert ours.shape == golden.shape
    return np.linalg.norm(ours - golden) / np.linalg.norm(golden)


def _generator(name, seed):
    """The random numbers that belong to a name."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])
