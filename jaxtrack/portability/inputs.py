"""Weights, crops, outputs and a video that are the same bits on every platform.

All are made of bytes of numpy's frozen generator by exact arithmetic, so that what two
platforms compute from them differs by their own arithmetic alone.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from flax import linen as nn

from jaxtrack.ops.grid import Geometry

Arrays = dict[str, np.ndarray]
Shapes = Mapping[str, jax.ShapeDtypeStruct]
# Of the video, pixels.
_HEIGHT, _WIDTH, _TARGET = 240, 320, 48


def uniform(shape: tuple[int, ...], *, seed: str) -> np.ndarray:
    """Draws numbers of [-1, 1) that are whole multiples of 2^-15.

    Args:
      shape: of the result.
      seed: any text; the same numbers for the same text.

    Returns:
      float32.
    """
    count = int(np.prod(shape, dtype=int))
    data = _random(seed).bytes(2 * count)
    return (np.frombuffer(data, "<i2") / np.float32(2**15)).reshape(shape)


def shapes_of(network: nn.Module) -> tuple[Shapes, Mapping[str, Any]]:
    """Traces a network on one pair of crops; nothing is computed.

    Args:
      network: its geometry gives the crops.

    Returns:
      The shapes of its outputs, and of its variables.
    """
    sides = network.geometry.template_size, network.geometry.search_size
    crops = [jax.ShapeDtypeStruct((1, side, side, 3), np.float32) for side in sides]
    return jax.eval_shape(network.init_with_output, jax.random.key(0), *crops)


def draw_variables(shapes: Mapping[str, Any], *, seed: str = "") -> Mapping[str, Any]:
    """Draws a network's variables, each from its path.

    Kernels have variance 2 / fan-in, scales and variances lie around 1, all others
    around 0.

    Args:
      shapes: of the variables.
      seed: of all numbers.
    """

    def draw(path, leaf):
        names = [str(part.key) for part in path]
        value = uniform(leaf.shape, seed=f"{seed}/{'/'.join(names)}")
        if names[-1] == "kernel":
            # A uniform number of [-1, 1) has variance 1 / 3.
            return value * np.float32(np.sqrt(6 / np.prod(leaf.shape[:-1])))
        return value / 8 + np.float32(names[-1] in ("scale", "var"))

    return jax.tree_util.tree_map_with_path(draw, shapes)


def draw_batch(geometry: Geometry, size: int) -> Arrays:
    """Draws a training batch: textures, with a target in the middle of each crop.

    Args:
      geometry: of the network.
      size: number of pairs; the second one shows no target.
    """
    sides = {"z": geometry.template_size, "x": geometry.search_size}
    half = geometry.template_size * (uniform((size, 2), seed="half") / 16 + 1 / 4)
    shift = geometry.search_size / 16 * uniform((size, 2), seed="shift")
    middles = {"z": np.zeros_like(half), "x": shift}
    found = {"is_positive": np.arange(size) != 1}
    for name, side in sides.items():
        xy = side / 2 + middles[name]
        box = np.concatenate([xy - half, xy + half], axis=1)
        found["xyxy" if name == "x" else "z_xyxy"] = box.astype(np.float32)
        found[f"{name}_image"] = np.stack(
            [_texture(side, side, seed=f"{name}{number}") for number in range(size)]
        )
    return found


def draw_outputs(
    shapes: Shapes, geometry: Geometry, batch: Mapping[str, np.ndarray]
) -> Arrays:
    """Draws what a network might answer to a batch: boxes near the true ones.

    Args:
      shapes: of the network's outputs for one pair.
      geometry: of the network.
      batch: from `draw_batch`.
    """
    boxes = batch["xyxy"]
    at = geometry.offset + geometry.stride * np.arange(geometry.response_size)
    points = np.stack(np.meshgrid(at, at), axis=-1)
    truth = boxes[:, None, None]
    distances = np.concatenate([points - truth[..., :2], truth[..., 2:] - points], -1)
    found = {}
    for name, leaf in shapes.items():
        noise = uniform((len(boxes), *leaf.shape[1:]), seed=name)
        if name == "ltrb":
            noise = np.maximum(distances, 4) * (1 + noise / 4)
        elif name in ("proposals", "aligned"):
            noise = boxes[:, None] + 16 * noise
        elif name in ("deltas", "offsets"):
            noise = noise / 4
        else:
            noise = 3 * noise
        found[name] = noise.astype(np.float32)
    return found


def draw_video(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Composes a video: a textured square before a texture that moves too.

    Args:
      length: number of frames.

    Returns:
      Frames `[T, H, W, 3]` uint8 RGB, and boxes `[T, 4]` cxcywh, pixels.
    """
    # Pale, so that a trained tracker can tell the target from it.
    wide = 96 + _texture(_HEIGHT, 2 * _WIDTH, seed="background", grain=16) // 4
    target = _texture(_TARGET, _TARGET, seed="target", grain=12)
    frames, boxes = [], []
    for time in range(length):
        frame = wide[:, time : time + _WIDTH].copy()
        left = _there_and_back(40 + 4 * time, _WIDTH - _TARGET)
        top = _there_and_back(60 + 2 * time, _HEIGHT - _TARGET)
        frame[top : top + _TARGET, left : left + _TARGET] = target
        frames.append(frame)
        boxes.append((left + _TARGET / 2, top + _TARGET / 2, _TARGET, _TARGET))
    return np.stack(frames), np.array(boxes, np.float32)


def _there_and_back(place, end):
    """Reflects a place that runs on at 0 and at an end."""
    return end - abs(end - place % (2 * end))


def _texture(height, width, *, seed, grain=8):
    """Draws blocks of random colors, `[height, width, 3]` uint8."""
    rows, columns = -(-height // grain), -(-width // grain)
    data = _random(seed).bytes(rows * columns * 3)
    colors = np.frombuffer(data, np.uint8).reshape(rows, columns, 3)
    return colors.repeat(grain, 0).repeat(grain, 1)[:height, :width]


def _random(seed):
    """Returns a generator whose stream numpy has promised never to change."""
    return np.random.RandomState(zlib.crc32(seed.encode()))
