"""A conditional update that is free for a batch of videos if none is due."""

from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax import lax


class Update(Protocol):
    """Computes a new operand from an operand and read-only inputs."""

    def __call__(self, operand: Any, *inputs: Any) -> Any:
        """Returns a pytree of the operand's structure, shapes and dtypes."""


def run_if(pred: jax.Array, update: Update, operand: Any, *inputs: Any) -> Any:
    """Applies an update where a condition holds and returns the operand where not.

    For one video this is `lax.cond(pred, update, keep the operand, operand, *inputs)`.
    Under `jax.vmap` with a condition for each video that becomes a select, which runs
    every update in every frame; this function first checks if any is due, and skips
    all if none is. If one is, an accelerator computes all, and each video selects
    by its condition; a CPU, which gains nothing from a batch, computes those
    that are due, one after another.

    Args:
      pred: `[]` bool.
      update: (operand, *inputs) -> pytree of the operand's structure, shapes and
        dtypes. What `update` closes over must be the same for all videos: under
        `jax.vmap` it may not be batched, so everything that differs between videos
        belongs in `operand` or `inputs`.
      operand: a pytree of arrays. Derivatives with respect to it are not defined.
      *inputs: read-only pytrees of arrays; unlike the operand's they are not copied
        where nothing is due.

    Returns:
      `update(operand, *inputs)` or `operand`.
    """

    @jax.custom_batching.custom_vmap
    def run(pred, operand, inputs):
        def keep(operand, *inputs):
            return operand

        return lax.cond(pred, update, keep, operand, *inputs)

    @run.def_vmap
    def _(axis_size, in_batched, pred, operand, inputs):
        _, operand_batched, inputs_batched = in_batched
        out_batched = jax.tree.map(lambda _: True, operand_batched)
        operand = jax.tree.map(
            lambda a, is_batched: (
                a if is_batched else jnp.broadcast_to(a, (axis_size, *a.shape))
            ),
            operand,
            operand_batched,
        )
        together = partial(_together, update, inputs_batched)
        one_by_one = partial(_one_by_one, update, inputs_batched, axis_size)

        def run_all(carry, *inputs):
            return lax.platform_dependent(
                carry, *inputs, cpu=one_by_one, default=together
            )

        # By `run_if` again, so that a vmap of a vmap checks all conditions.
        _, out = run_if(jnp.any(pred), run_all, (pred, operand), *inputs)
        return out, out_batched

    return run(jnp.asarray(pred), operand, inputs)


def _together(update, inputs_batched, carry, *inputs):
    """Computes the updates of all videos and selects those that are due."""
    pred, operand = carry
    axes = jax.tree.map(lambda is_batched: 0 if is_batched else None, inputs_batched)

    def pick(new, old):
        # One row for all videos if the condition is not batched.
        due = jnp.reshape(pred, (-1,) + (1,) * (new.ndim - 1))
        return jnp.where(due, new, old)

    new = jax.vmap(update, (0, *axes))(operand, *inputs)
    return pred, jax.tree.map(pick, new, operand)


def _one_by_one(update, inputs_batched, axis_size, carry, *inputs):
    """Computes the updates that are due, one after another."""
    pred, operand = carry
    preds = jnp.broadcast_to(pred, (axis_size,))

    def body(i, operand):
        row = jax.tree.map(lambda a: a[i], operand)
        read = jax.tree.map(
            lambda a, is_batched: a[i] if is_batched else a, inputs, inputs_batched
        )
        new = run_if(preds[i], update, row, *read)
        return jax.tree.map(
            lambda a, n: lax.dynamic_update_index_in_dim(a, n, i, 0), operand, new
        )

    return pred, lax.fori_loop(0, axis_size, body, operand)
