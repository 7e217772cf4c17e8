"""Augmentation of a batch of pairs on the device, as the group "augment" says."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from jaxtrack.data.settings import Augmentation
from jaxtrack.ops import color, degrade, occlusion
from jaxtrack.trackers.family import Batch

_STREAM = 3  # Of a pair's key; labels and proposals have streams 1 and 2.
_FIELDS = ("z_image", "x_image", "z_xyxy", "xyxy")
_ChangeImage = Callable[[jax.Array, jax.Array], jax.Array]
_ChangePair = Callable[[jax.Array, Batch], Batch]


def augment_batch(key: jax.Array, batch: Batch, augmentation: Augmentation) -> Batch:
    """Changes colors and sharpness of pairs of crops, covers targets, mirrors pairs.

    What becomes of a pair depends on its own key and crops alone. What has probability
    0 is not compiled. A CPU takes one pair after the other and computes what happens
    to it; other devices compute every change of every pair at once and select.

    Args:
      key: a random key for every pair, `[B]`.
      batch: see `jaxtrack.data.batch`; `[B, ...]`.
      augmentation: probabilities; shifts, scales and what fills the outside are the
        loader's.

    Returns:
      The batch with other `z_image`, `x_image`, `z_xyxy` and `xyxy`, of the same types;
      if the settings say so, with "hidden", `[B, x, x]` bool: pixels of the search crop
      where something is in front of the target.
    """
    if not any(chance > 0 for chance, _ in _changes(augmentation)):
        return batch
    change = partial(augment_pair, augmentation=augmentation)
    pairs = {name: jnp.asarray(batch[name]) for name in _FIELDS}
    changed = lax.platform_dependent(
        key,
        pairs,
        cpu=lambda key, pairs: lax.map(lambda one: change(*one), (key, pairs)),
        default=jax.vmap(change),
    )
    return {**batch, **changed}


def augment_pair(key: jax.Array, pair: Batch, *, augmentation: Augmentation) -> Batch:
    """Does to one pair what `augment_batch` does to many.

    Args:
      key: random key; every change draws from a part of its own, so that others may be
        turned on or off without altering it.
      pair: `z_image`, `x_image`, `z_xyxy` and `xyxy` of `jaxtrack.data.batch`, without
        the batch axis.
      augmentation: probabilities.

    Returns:
      The same fields, changed, and perhaps "hidden".
    """
    tells_hidden = augmentation.occluder > 0 and augmentation.occluder_ignored
    if tells_hidden:
        pair = {**pair, "hidden": jnp.zeros(pair["x_image"].shape[:2], bool)}
    changes = _changes(augmentation)
    keys = jax.random.split(jax.random.fold_in(key, _STREAM), len(changes) + 1)
    drawn = jax.random.uniform(keys[-1], (len(changes),))
    for number, (chance, change) in enumerate(changes):
        if chance > 0:
            happens = drawn[number] < chance
            pair = lax.cond(
                happens, change, lambda key, pair: pair, keys[number], dict(pair)
            )
    return pair


def _changes(a: Augmentation) -> list[tuple[int, float, _ChangePair]]:
    """Lists what may happen, in order: its number, how likely it is, what it is."""
    z, x = (partial(_change_image, name) for name in ("z_image", "x_image"))
    changes = (
        (a.occluder, _occlude),
        (a.gray, _gray),
        (a.tone, z(color.random_tone)),
        (a.tone, x(color.random_tone)),
        (a.template_color, z(color.random_color)),
        (a.search_color, x(color.random_color)),
        (a.template_blur, z(degrade.random_plus_blur)),
        (a.search_blur, x(degrade.random_plus_blur)),
        (a.motion_blur, x(degrade.random_motion_blur)),
        (a.low_resolution, x(degrade.random_resolution)),
        (a.noise, x(degrade.random_noise)),
        (a.flip, _flip),
    )
    return changes


def _change_image(name: str, change: _ChangeImage) -> _ChangePair:
    """Turns a change of an image into one of a pair."""
    return lambda key, pair: {**pair, name: change(key, pair[name])}


def _occlude(key, pair):
    """Covers a part of the search crop's target."""
    image, is_covered = occlusion.random_occluder(key, pair["x_image"], pair["xyxy"])
    hidden = {"hidden": is_covered} if "hidden" in pair else {}
    return {**pair, "x_image": image, **hidden}


def _gray(key, pair):
    """Takes the color out of both crops."""
    del key
    images = {name: color.to_gray(pair[name]) for name in ("z_image", "x_image")}
    return {**pair, **images}


def _flip(key, pair):
    """Mirrors both crops, their boxes and what is hidden."""
    del key
    flipped = dict(pair)
    if "hidden" in pair:
        flipped["hidden"] = pair["hidden"][:, ::-1]
    for image, box in (("z_image", "z_xyxy"), ("x_image", "xyxy")):
        x0, y0, x1, y1 = pair[box]
        width = pair[image].shape[1]
        flipped[image] = pair[image][:, ::-1]
        flipped[box] = jnp.stack([width - x1, y0, width - x0, y1])
    return flipped
