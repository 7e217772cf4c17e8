"""One optimizer step, and the only place where it is pmapped."""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxtrack.data.settings import Augmentation
from jaxtrack.ops.preprocess import Preprocessing, normalize
from jaxtrack.trackers.family import Batch, Forward, Loss, Metrics
from jaxtrack.training.augmentation import augment_batch
from jaxtrack.training.state import TrainState

AXIS = "batch"
Step = Callable[[TrainState, Batch], tuple[TrainState, Metrics]]


class DeviceStep(Protocol):
    """`train_step` with its options given."""

    def __call__(
        self, state: TrainState, batch: Batch, *, axis_name: str | None = None
    ) -> tuple[TrainState, Metrics]:
        """Updates the parameters once, from this device's part of the batch."""


def train_step(
    state: TrainState,
    batch: Batch,
    *,
    network: nn.Module,
    forward: Forward,
    loss: Loss,
    optimizer: optax.GradientTransformation,
    preprocessing: Preprocessing,
    train_backbone: bool,
    ema_decay: float = 0.0,
    accumulate: int = 1,
    seed: int = 0,
    augmentation: Augmentation | None = None,
    axis_name: str | None = None,
) -> tuple[TrainState, Metrics]:
    """Updates the parameters once.

    The loss function returns a device's share of a globally normalised loss, so
    gradients are summed over devices, not averaged; N devices then equal one. With
    `accumulate = A` the batch is taken in A parts one after the other and their
    gradients are averaged: each part normalises by its own counts, which for a loss
    with counts of positives is close to, not equal to, the undivided batch.
    The averaged parameters follow `d ema + (1 - d) params` with
    `d = min(ema_decay, (1 + step) / (10 + step))`.

    Args:
      state: before the step.
      batch: this device's pairs, see `jaxtrack.data.batch`; `[B, ...]`. `forward` and
        `loss` also find "key" in it, a random key for every pair of the step.
      network: whose parameters are updated.
      forward: runs the network on a batch of preprocessed images.
      loss: shares of sums.
      optimizer: as `make_optimizer` builds it.
      preprocessing: of the images, as the network expects them.
      train_backbone: static; whether gradients reach the backbone.
      ema_decay: of the averaged parameters, if the state has any.
      accumulate: parts of the batch; `B` must be a multiple.
      seed: of the random keys.
      augmentation: applied to the crops first; None applies none.
      axis_name: mapped axis of the devices that share the batch.

    Returns:
      The state after the step, and metrics of the whole batch: those of the loss, and
      "grad_norm" (before clipping).
    """
    size = len(batch["is_positive"])
    batch = {**batch, "key": _pair_keys(seed, state.step, size, axis_name)}
    if augmentation is not None:
        batch = augment_batch(batch["key"], batch, augmentation)
    apply = nn.apply(forward, network, mutable=["batch_stats"])

    def part_loss(params, batch_stats, part):
        names = ("z_image", "x_image")
        images = {name: normalize(part[name], preprocessing) for name in names}
        outputs, updated = apply(
            {"params": params, "batch_stats": batch_stats},
            {**part, **images},
            train=True,
            train_backbone=train_backbone,
        )
        value, metrics = loss(outputs, part, axis_name=axis_name)
        return value, (metrics, updated.get("batch_stats", batch_stats))

    grads, metrics, batch_stats = _accumulated(
        jax.grad(part_loss, has_aux=True), state, batch, accumulate=accumulate
    )
    if axis_name is not None:
        grads, metrics = lax.psum((grads, metrics), axis_name)
    metrics["grad_norm"] = optax.tree.norm(grads)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    ema = _averaged(state, params, ema_decay)
    return TrainState(state.step + 1, params, batch_stats, opt_state, ema), metrics


def _averaged(state, params, ema_decay):
    """Moves the averaged parameters, if there are any; see `train_step`."""
    if state.ema is None:
        return None
    step = state.step.astype(jnp.float32)
    decay = jnp.minimum(ema_decay, (1 + step) / (10 + step))
    return jax.tree.map(lambda e, p: decay * e + (1 - decay) * p, state.ema, params)


def _pair_keys(seed, number, size, axis_name):
    """Returns a key for each pair, the same however the batch is split over devices."""
    first = 0 if axis_name is None else lax.axis_index(axis_name) * size
    key = jax.random.fold_in(jax.random.key(seed), number)
    return jax.vmap(jax.random.fold_in, (None, 0))(key, first + jnp.arange(size))


def _accumulated(gradient, state, batch, *, accumulate):
    """Averages gradients and metrics over the batch's parts; threads statistics."""

    def part_step(batch_stats, part):
        grads, (metrics, batch_stats) = gradient(state.params, batch_stats, part)
        return batch_stats, (grads, metrics)

    if accumulate == 1:
        batch_stats, (grads, metrics) = part_step(state.batch_stats, batch)
        return grads, metrics, batch_stats

    def split(array):
        return array.reshape(accumulate, -1, *array.shape[1:])

    def body(carry, part):
        batch_stats, total = carry
        batch_stats, new = part_step(batch_stats, part)
        return (batch_stats, jax.tree.map(jnp.add, total, new)), None

    parts = jax.tree.map(split, dict(batch))
    shapes = jax.eval_shape(
        part_step, state.batch_stats, jax.tree.map(lambda a: a[0], parts)
    )[1]
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    (batch_stats, total), _ = lax.scan(body, (state.batch_stats, zeros), parts)
    grads, metrics = jax.tree.map(lambda a: a / accumulate, total)
    return grads, metrics, batch_stats


def pmap_step(step: DeviceStep, *, devices: list[jax.Device] | None = None) -> Step:
    """Maps a step over devices: state whole on each, batch split, state donated.

    Args:
      step: `train_step` with its options given.
      devices: local devices to use; None takes all of all processes.

    Returns:
      `(state, batch [D, B / D, ...]) -> (state, metrics)`; the state passed in is
      gone afterwards, and neither result has an axis of devices.
    """
    return jax.pmap(
        partial(step, axis_name=AXIS),
        axis_name=AXIS,
        in_axes=(None, 0),
        out_axes=(None, None),
        donate_argnums=(0,),
        devices=devices,
    )


def replicate(tree: Any) -> Any:
    """Copies a tree to every local device, with the sharding of the mapped step.

    With this sharding the step is compiled only once; with several processes the mapped
    step takes the arrays of each process instead.
    """
    if jax.process_count() > 1:
        return jax.tree.map(np.asarray, tree)
    mesh = Mesh(np.array(jax.local_devices()), (AXIS,))
    return jax.device_put(tree, NamedSharding(mesh, PartitionSpec()))
