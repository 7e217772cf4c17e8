"""The gradient of a batch whose parts go through the network one after the other."""

from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.trackers.family import Batch, Metrics, Outputs

Tree = Any
# Gradients of the parameters, metrics, and the new running statistics.
Gradient = tuple[Tree, Metrics, Tree]


class Apply(Protocol):
    """Applies a network in training."""

    def __call__(self, params: Tree, batch: Batch) -> tuple[Outputs, Tree]:
        """Returns the outputs, and running statistics moved once."""


class BatchLoss(Protocol):
    """Computes a device's share of the loss; see `jaxtrack.trackers.family.Loss`."""

    def __call__(self, outputs: Outputs, batch: Batch) -> tuple[jax.Array, Metrics]:
        """Returns shares of the loss and of the metrics."""


class Accumulate(Protocol):
    """Computes the gradient of a batch in parts."""

    def __call__(
        self, apply: Apply, loss: BatchLoss, params: Tree, batch: Batch, *, parts: int
    ) -> Gradient:
        """Returns gradients, metrics and running statistics.

        Args:
          apply: runs the network.
          loss: of outputs, `[b, ...]` arrays of floats.
          params: of the network.
          batch: this device's pairs, `[B, ...]`.
          parts: number of neighboring parts; B must be a multiple.
        """


def averaged(
    apply: Apply, loss: BatchLoss, params: Tree, batch: Batch, *, parts: int
) -> Gradient:
    """Averages the gradients of the parts' own losses; see `Accumulate`.

    A part divides by its own counts, so it is close to the undivided batch only.
    """

    def part_loss(params, part):
        outputs, stats = apply(params, part)
        value, metrics = loss(outputs, part)
        return value, (metrics, stats)

    def of_part(part):
        grads, (metrics, stats) = jax.grad(part_loss, has_aux=True)(params, part)
        return grads, metrics, stats

    if parts == 1:
        return of_part(batch)
    return _mean(_sum(of_part, _split(batch, parts)), parts)


def exact(
    apply: Apply, loss: BatchLoss, params: Tree, batch: Batch, *, parts: int
) -> Gradient:
    """Computes the gradient of the undivided batch's loss; see `Accumulate`.

    The parts' outputs y_i are computed first, then the loss L of all of them, and then,
    by a second pass through the network, sum_i dL/dy_i dy_i/dw. It equals the undivided
    batch where no output of `apply` depends on more pairs than its part has.
    """
    split = _split(batch, parts)
    _, outputs = lax.scan(lambda _, part: (None, apply(params, part)[0]), None, split)
    outputs = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), outputs)
    slopes, metrics = jax.grad(loss, has_aux=True)(outputs, batch)

    def of_part(part):
        part, slope = part
        _, pull, stats = jax.vjp(lambda p: apply(p, part), params, has_aux=True)
        return *pull(slope), stats

    grads, stats = _sum(of_part, (split, _split(slopes, parts)))
    return grads, metrics, _mean(stats, parts)


def _split(tree, parts):
    """Divides the leading axis into parts."""
    return jax.tree.map(lambda a: a.reshape(parts, -1, *a.shape[1:]), dict(tree))


def _sum(function, parts):
    """Adds what a function returns for each part, one after the other."""
    shapes = jax.eval_shape(function, jax.tree.map(lambda a: a[0], parts))
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)

    def add(total, part):
        return jax.tree.map(jnp.add, total, function(part)), None

    return lax.scan(add, zeros, parts)[0]


def _mean(total, parts):
    """Divides a sum by the number of its parts."""
    return jax.tree.map(lambda a: a / parts, total)
