"""Stochastic depth and dropout of features, around any network's forward function."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn

from jaxtrack.errors import InputError
from jaxtrack.models.backbones.efficientnet import EfficientNetLite0, MBConv
from jaxtrack.models.backbones.efficientnet_b0 import EfficientNetB0
from jaxtrack.models.siamese import Forward

_STREAM = 4  # Of a pair's key; labels, proposals and augmentation have 1, 2 and 3.
_WITH_BLOCKS = EfficientNetLite0, EfficientNetB0


def drop(key: jax.Array, maps: Any, rate: float, *, whole: bool) -> Any:
    """Sets channels of maps to 0 at random, or whole maps; each pair draws its own.

        y = b x / (1 - rate),  b ~ Bernoulli(1 - rate)

    Channels: Tompson et al. (arXiv:1411.4280), section 3.2. Maps: Huang et al.,
    stochastic depth (arXiv:1603.09382), with Tan & Le's scaling of what is kept.

    Args:
      key: a random key for every pair, `[B]`.
      maps: pytree of `[B, H, W, C]`; maps of equal C lose the same channels.
      rate: probability of a 0, in [0, 1).
      whole: whether all channels of a pair share one b.

    Returns:
      The same pytree; b has no gradient.
    """

    def dropped(x: jax.Array) -> jax.Array:
        shape = (1,) if whole else (x.shape[-1],)
        draw = jax.vmap(lambda one: jax.random.bernoulli(one, 1 - rate, shape))
        kept = draw(key)[:, None, None]
        return jnp.where(kept, x / (1 - rate), 0).astype(x.dtype)

    return jax.tree.map(dropped, maps)


def regularized(
    forward: Forward,
    network: nn.Module,
    *,
    stochastic_depth: float = 0.0,
    feature_dropout: float = 0.0,
) -> Forward:
    """Returns a forward function that drops features at random while it trains.

    `stochastic_depth` leaves out the residual branch of each block of EfficientNet that
    trains. `feature_dropout` sets channels of what the correlation compares to 0, the
    same ones of template and search crop. What a pair loses depends on its own key
    alone. Where both are 0 it is `forward` itself.

    Args:
      forward: of a family.
      network: see `jaxtrack.models.siamese.Siamese`.
      stochastic_depth: probability that a pair skips a block, in [0, 1).
      feature_dropout: probability that a pair loses a channel, in [0, 1).

    Raises:
      InputError: the backbone has no such blocks, but `stochastic_depth` is not 0.
    """
    if stochastic_depth and not isinstance(network.backbone, _WITH_BLOCKS):
        raise InputError(
            "config.optimizer.stochastic_depth needs a backbone of MBConv blocks, not "
            f"{type(network.backbone).__name__}: take an EfficientNet, or set it to 0"
        )
    if not (stochastic_depth or feature_dropout):
        return forward

    def dropping(
        network: nn.Module,
        batch: Mapping[str, jax.Array],
        *,
        train: bool,
        train_backbone: bool,
    ) -> Mapping[str, jax.Array]:
        key = _folded(batch["key"], _STREAM)
        calls = 0  # Each block and crop draws its own.

        def change(following, args, kwargs, context):
            nonlocal calls
            if context.method_name != "__call__" or not kwargs.get("train"):
                return following(*args, **kwargs)
            calls += 1
            own = _folded(key, calls)
            if feature_dropout and context.module.name == "correlation":
                args = drop(own, args, feature_dropout, whole=False)
            out = following(*args, **kwargs)
            is_block = isinstance(context.module, MBConv)
            if stochastic_depth and is_block and out.shape == args[0].shape:
                branch = drop(own, out - args[0], stochastic_depth, whole=True)
                return args[0] + branch
            return out

        with nn.intercept_methods(change):
            return forward(network, batch, train=train, train_backbone=train_backbone)

    return dropping


def _folded(key, number):
    """Folds a number into every key, `[B]`."""
    return jax.vmap(jax.random.fold_in, (0, None))(key, number)
