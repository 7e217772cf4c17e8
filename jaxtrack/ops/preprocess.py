"""The image preprocessing of a checkpoint's network: color order, mean, scale."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


class Preprocessing(NamedTuple):
    """The preprocessing of RGB pixels, which belongs to a network's weights.

    Attributes:
      order: "RGB" or "BGR", the order of the network's input channels.
      mean: subtracted, one number a channel in that order, gray levels.
      scale: divided by afterwards, one number a channel in that order, gray levels.
    """

    order: str
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]


def normalize(image: jax.Array, preprocessing: Preprocessing) -> jax.Array:
    """Converts RGB pixels to a network's input.

        output = (image in the network's order - mean) / scale

    Args:
      image: `[..., 3]` RGB, uint8 or float gray levels 0 to 255.
      preprocessing: the preprocessing that the weights were trained with.

    Returns:
      `[..., 3]` float32 in the network's order of channels.

    Raises:
      ValueError: if the image does not have three channels, or the order is unknown.
    """
    if image.shape[-1:] != (3,):
        raise ValueError(f"expected an image [..., 3], got {image.shape}")
    if preprocessing.order not in ("RGB", "BGR"):
        raise ValueError(f"order must be RGB or BGR, got {preprocessing.order!r}")
    image = jnp.asarray(image).astype(jnp.float32)
    if preprocessing.order == "BGR":
        image = image[..., ::-1]
    mean = jnp.asarray(preprocessing.mean, jnp.float32)
    scale = jnp.asarray(preprocessing.scale, jnp.float32)
    shape = image.shape
    return (image - jnp.broadcast_to(mean, shape)) / jnp.broadcast_to(scale, shape)
