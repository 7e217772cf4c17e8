"""One optimizer step, and the only place where it is pmapped."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxtrack.data.settings import Augmentation
from jaxtrack.models.norms import statistics_of
from jaxtrack.models.remat import recompute
from jaxtrack.ops.preprocess import Preprocessing, normalize
from jaxtrack.trackers.family import Batch, Forward, Loss, Metrics
from jaxtrack.training import accumulation
from jaxtrack.training.augmentation import augment_batch
from jaxtrack.training.division import UNDIVIDED, Division
from jaxtrack.training.schedule import Rates
from jaxtrack.training.state import TrainState

AXIS = "batch"
_IMAGES = ("z_image", "x_image")
Step = Callable[[TrainState, Batch, Rates], tuple[TrainState, Metrics]]


class DeviceStep(Protocol):
    """`train_step` with its options given."""

    def __call__(
        self,
        state: TrainState,
        batch: Batch,
        rates: Rates,
        *,
        axis_name: str | None = None,
    ) -> tuple[TrainState, Metrics]:
        """Updates the parameters once, from this device's part of the batch."""


class Model(NamedTuple):
    """A network, and how it gets from a batch to its loss.

    Attributes:
      network: whose parameters are updated.
      forward: runs the network on a batch of preprocessed images.
      loss: shares of sums.
      preprocessing: of the images, as the network expects them.
    """

    network: nn.Module
    forward: Forward
    loss: Loss
    preprocessing: Preprocessing


def train_step(
    state: TrainState,
    batch: Batch,
    rates: Rates,
    *,
    model: Model,
    optimizer: optax.GradientTransformation,
    train_backbone: bool,
    ema_decay: float = 0.0,
    division: Division = UNDIVIDED,
    remat: bool = False,
    seed: int = 0,
    augmentation: Augmentation | None = None,
    axis_name: str | None = None,
) -> tuple[TrainState, Metrics]:
    """Updates the parameters once.

    The loss function returns a device's share of a globally normalized loss, so
    gradients are summed over devices, not averaged; N devices then equal one. Parts of
    a batch go through the network one after the other; see
    `jaxtrack.training.accumulation`. Running statistics move once a step.
    The averaged parameters follow `d ema + (1 - d) params` with
    `d = min(ema_decay, (1 + step) / (10 + step))`.

    Args:
      state: before the step.
      batch: this device's pairs, see `jaxtrack.data.batch`; `[B, ...]`. `forward` and
        `loss` also find "key" in it, a random key for every pair of the step.
      rates: learning rates, "lr" and "lr_backbone".
      model: the network and its loss.
      optimizer: as `make_optimizer` builds it.
      train_backbone: static; whether gradients reach the backbone.
      ema_decay: of the averaged parameters, if the state has any.
      division: of the batch; `B` must be a multiple of its parts.
      remat: whether blocks of the backbone are computed again in the backward pass.
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
    apply = partial(_applied, state, model, train_backbone, division, remat)
    share = partial(model.loss, axis_name=axis_name)
    accumulate = accumulation.exact if division.is_exact else accumulation.averaged
    grads, metrics, batch_stats = accumulate(
        apply, share, state.params, batch, parts=division.parts
    )
    if axis_name is not None:
        grads, metrics = lax.psum((grads, metrics), axis_name)
    metrics["grad_norm"] = optax.tree.norm(grads)
    options = {"rates": rates, "train_backbone": train_backbone}
    params, opt_state = _updated(state, grads, optimizer, options)
    ema = _averaged(state, params, ema_decay)
    return TrainState(state.step + 1, params, batch_stats, opt_state, ema), metrics


def _applied(state, model, train_backbone, division, remat, params, part):
    """Runs the network on a part of a batch; returns outputs and running statistics."""
    images = {name: normalize(part[name], model.preprocessing) for name in _IMAGES}
    run = nn.apply(model.forward, model.network, mutable=["batch_stats"])
    with statistics_of(division.statistics), recompute(remat):
        outputs, updated = run(
            {"params": params, "batch_stats": state.batch_stats},
            {**part, **images},
            train=True,
            train_backbone=train_backbone,
        )
    return outputs, updated.get("batch_stats", state.batch_stats)


def _updated(state, grads, optimizer, options):
    """Returns parameters and the optimizer's state after an update."""
    update = optax.with_extra_args_support(optimizer).update
    updates, opt_state = update(grads, state.opt_state, state.params, **options)
    return optax.apply_updates(state.params, updates), opt_state


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


def pmap_step(step: DeviceStep, *, devices: list[jax.Device] | None = None) -> Step:
    """Maps a step over devices: state whole on each, batch split, state donated.

    Args:
      step: `train_step` with its options given.
      devices: local devices to use; None takes all of all processes.

    Returns:
      `(state, batch [D, B / D, ...], rates) -> (state, metrics)`; the state passed in
      is gone afterwards, and neither result has an axis of devices.
    """
    return jax.pmap(
        partial(step, axis_name=AXIS),
        axis_name=AXIS,
        in_axes=(None, 0, None),
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
