"""The optimizer: one tree of states from the first step to the last."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from ml_collections import ConfigDict

from jaxtrack.models.backbones import param_group

KINDS = ("sgd", "adamw", "lars", "lamb")
# The trust coefficient of LARS, eta of arXiv:1708.03888, section 5.
_LARS_TRUST = 0.001


def make_optimizer(
    *,
    kind: str,
    group: Callable[[tuple[str, ...]], str],
    momentum: float,
    adam_b2: float = 0.999,
    weight_decay: float,
    clip_norm: float,
) -> optax.GradientTransformation:
    """Builds an optimizer with a backbone that joins later.

    The gradient g is clipped to `clip_norm` over all parameters. With the decay d of a
    parameter w, the momentum m and the rate r, the four kinds are

        "sgd":    v <- m v + (g + d w),             w <- w - r v    (as torch, so pysot)
        "adamw":                                    w <- w - r (adam(g) + d w)
        "lars":   v <- m v + r t (g + d w),         w <- w - v,
                  t = 0.001 |w| / |g + d w|         (arXiv:1708.03888, algorithm 1)
        "lamb":   u = adam(g) + d w,                w <- w - r |w| / |u| u
                                                    (arXiv:1904.00962, algorithm 2)

    "lars" and "lamb" take the norms of one array at a time, and treat biases and the
    parameters of normalization, arrays of one axis, without decay and with a ratio of
    1, as both papers' code does. `update` takes two more arguments: `rates`, "lr" of
    the head and "lr_backbone", numbers that may be traced, and `train_backbone`, which
    is static. While it is False the backbone's parameters and moments do not move; the
    tree of states is the same before and after, so that a checkpoint of either time is
    read at any time.

    Args:
      kind: "sgd", "adamw", "lars" or "lamb".
      group: path of a parameter to "head", "backbone" or "frozen" (never moved).
      momentum: of SGD and LARS, or Adam's b1.
      adam_b2: Adam's b2.
      weight_decay: of all moving parameters; see above for "lars" and "lamb".
      clip_norm: largest norm of the whole gradient.

    Returns:
      An optax transformation.

    Raises:
      ValueError: for another `kind`.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")

    numbers = {"momentum": momentum, "adam_b2": adam_b2, "weight_decay": weight_decay}
    rule = partial(_rule, kind=kind, **numbers)
    rules = {
        "head": rule("lr"),
        "backbone": _late(rule("lr_backbone")),
        "frozen": optax.set_to_zero(),
    }
    return optax.chain(
        optax.clip_by_global_norm(clip_norm),
        optax.partition(rules, lambda params: _labels(params, group)),
    )


def _rule(
    rate: str, *, kind: str, momentum: float, adam_b2: float, weight_decay: float
) -> optax.GradientTransformation:
    """Returns the update of moving parameters by one of the rates."""
    scale = _scale_by(rate)
    mask = _matrices if kind in ("lars", "lamb") else None
    decay = optax.add_decayed_weights(weight_decay, mask)
    adam = optax.scale_by_adam(momentum, adam_b2)
    if kind == "sgd":
        return optax.chain(decay, optax.trace(momentum), scale)
    if kind == "adamw":
        return optax.chain(adam, decay, scale)
    if kind == "lars":
        trust = optax.scale_by_trust_ratio(trust_coefficient=_LARS_TRUST)
        parts = decay, optax.masked(trust, _matrices), scale, optax.trace(momentum)
        return optax.chain(*parts)
    trust = optax.scale_by_trust_ratio()
    return optax.chain(adam, decay, optax.masked(trust, _matrices), scale)


def _scale_by(name: str) -> optax.GradientTransformationExtraArgs:
    """Multiplies updates by minus one of the rates that `update` is given."""

    def update(updates, state, params=None, *, rates, **extra):
        del params, extra
        return jax.tree.map(lambda leaf: -rates[name] * leaf, updates), state

    return optax.GradientTransformationExtraArgs(lambda _: optax.EmptyState(), update)


def _late(
    inner: optax.GradientTransformation,
) -> optax.GradientTransformationExtraArgs:
    """Leaves parameters and moments where they are until the backbone trains."""
    inner = optax.with_extra_args_support(inner)

    def update(updates, state, params=None, *, train_backbone, **extra):
        if train_backbone:
            return inner.update(updates, state, params, **extra)
        return jax.tree.map(jnp.zeros_like, updates), state

    return optax.GradientTransformationExtraArgs(inner.init, update)


def of_config(config: ConfigDict) -> optax.GradientTransformation:
    """Returns the optimizer that the settings name.

    Args:
      config: the settings.
    """
    return make_optimizer(
        kind=config.optimizer.kind,
        group=param_group,
        momentum=config.optimizer.momentum,
        adam_b2=config.optimizer.adam_b2,
        weight_decay=config.optimizer.weight_decay,
        clip_norm=config.optimizer.clip_norm,
    )


def _matrices(params: Any) -> Any:
    """Returns which leaves have more than one axis: no biases, no norms' parameters."""
    return jax.tree.map(lambda leaf: leaf.ndim > 1, params)


def _labels(params: Any, group: Callable[[tuple[str, ...]], str]) -> Any:
    """Names the group of every leaf."""

    def label(path, _):
        return group(tuple(str(key.key) for key in path))

    return jax.tree_util.tree_map_with_path(label, params)
