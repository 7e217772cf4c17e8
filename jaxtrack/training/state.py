"""The state that training carries from step to step."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct

Tree = Any


@struct.dataclass
class TrainState:
    """Everything that a step reads and writes; a pytree.

    Attributes:
      step: optimizer steps done, `[]` int32.
      params: the network's parameters.
      batch_stats: running statistics of its batch normalization.
      opt_state: the optimizer's state, of one shape from first to last step.
      ema: averaged parameters, or None where none are kept.
    """

    step: jax.Array
    params: Tree
    batch_stats: Tree
    opt_state: Tree
    ema: Tree | None


def create(
    variables: Tree, optimizer: optax.GradientTransformation, *, keep_ema: bool
) -> TrainState:
    """Makes the state of step 0.

    Args:
      variables: the network's "params" and, if it has any, "batch_stats".
      optimizer: whose state is initialized.
      keep_ema: whether averaged parameters are kept.

    Returns:
      A state that shares no buffer with `variables`, so that it can be donated, and
      whose leaves have types of their own: a weakly typed leaf becomes a strong one in
      the first update, and the step would be compiled twice.
    """
    params = jax.tree.map(_copy, variables["params"])
    return TrainState(
        step=jnp.zeros((), jnp.int32),
        params=params,
        batch_stats=jax.tree.map(_copy, variables.get("batch_stats", {})),
        opt_state=optimizer.init(params),
        ema=jax.tree.map(_copy, params) if keep_ema else None,
    )


def _copy(leaf):
    """Copies an array; naming the type makes a weak one strong."""
    return jnp.array(leaf, leaf.dtype)
