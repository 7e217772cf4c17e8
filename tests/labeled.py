"""Losses of tests whose labels are SiamCAR's, straight from the boxes."""

import functools

import jax
import jax.numpy as jnp

from jaxtrack.assign import regions
from jaxtrack.trackers import siamcar, siamla


def _labeled(
    loss,
    outputs,
    xyxy,
    is_positive,
    *keys,
    points,
    positive_size=0.4,
    min_half=0.0,
    ignore_inside=False,
    **options,
):
    """Calls a loss with the labels of `regions.center_region`.

    Where there is no target, the box is empty and every cell NEGATIVE.
    """
    xyxy = jnp.where(jnp.asarray(is_positive)[:, None], jnp.asarray(xyxy), 0)
    label = functools.partial(
        regions.center_region,
        points,
        size=positive_size,
        min_half=min_half,
        ignore_inside=ignore_inside,
    )
    return loss(outputs, xyxy, jax.vmap(label)(xyxy), *keys, points=points, **options)


siamcar_loss = functools.partial(_labeled, siamcar.siamcar_loss)
siamla_loss = functools.partial(_labeled, siamla.siamla_loss)
