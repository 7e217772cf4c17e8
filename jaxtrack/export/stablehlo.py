"""A whole tracker as StableHLO, which needs only jax.

`init` and `step` are one file each, for all platforms, with the weights inside:

    init(image [H, W, 3] uint8 RGB, xywh [4]) -> state
    step(state, image) -> (state, xywh [4], score [])

Boxes are float32 pixels from the picture's top-left edge, a state is a tuple of arrays.
H and W are free; each size compiles once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax import export

from jaxtrack.tracking import Tracker
from jaxtrack.tracking.state import Frame

PLATFORMS = ("cpu", "cuda", "tpu")
FILES = ("init.stablehlo", "step.stablehlo")


def write(
    folder: str | Path,
    tracker: Tracker,
    variables: Any,
    *,
    platforms: Sequence[str] = PLATFORMS,
) -> None:
    """Writes `init.stablehlo` and `step.stablehlo`, for `jax.export.deserialize`.

    jax guarantees to read them for six months of its releases.

    Args:
      folder: an existing folder.
      tracker: the tracker to export.
      variables: variables of its network, folded or not.
      platforms: platforms that the files support.
    """
    height, width = export.symbolic_shape("h, w")
    image = jax.ShapeDtypeStruct((height, width, 3), jnp.uint8)
    box = jax.ShapeDtypeStruct((4,), jnp.float32)
    hw = jax.ShapeDtypeStruct((2,), jnp.int32)
    # In the state there is no size of a picture, so that any will do for its shapes.
    some = Frame(jax.ShapeDtypeStruct((64, 64, 3), jnp.uint8), hw)
    state = jax.eval_shape(tracker.init, variables, some, box)
    leaves, tree = jax.tree.flatten(state)

    def init(image, xywh):
        xywh = xywh.astype(jnp.float32)
        center = xywh[:2] + xywh[2:] / 2
        box = jnp.concatenate([center, xywh[2:]])
        return tuple(jax.tree.leaves(tracker.init(variables, _frame(image), box)))

    def step(state, image):
        state = jax.tree.unflatten(tree, state)
        state, output = tracker.step(variables, state, _frame(image))
        wh = output.box[2:]
        xywh = jnp.concatenate([output.box[:2] - wh / 2, wh])
        return tuple(jax.tree.leaves(state)), xywh, output.score

    for file, function, arguments in zip(
        FILES, (init, step), ((image, box), (tuple(leaves), image)), strict=True
    ):
        exported = export.export(jax.jit(function), platforms=platforms)(*arguments)
        (Path(folder) / file).write_bytes(exported.serialize())


def _frame(image):
    """Wraps a picture of any size as a canvas that it fills."""
    height, width = image.shape[:2]
    return Frame(image, jnp.stack([jnp.int32(height), jnp.int32(width)]))
