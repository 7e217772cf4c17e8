"""Partial occlusion of targets as data augmentation."""

import jax
import jax.numpy as jnp

_HALF_SHARES = 0.15, 0.35  # Of the target's sides: half of the piece's.


def cover(
    image: jax.Array, piece: jax.Array, *, is_ellipse: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Covers a part of a crop with the mirrored part on the opposite side.

    "Opposite" is half a crop away in both directions, wrapping at the border: far
    from the target in a search crop.

    Args:
      image: the crop, `[S, S, 3]` uint8.
      piece: the part to cover, `[4]` xyxy px, whole numbers.
      is_ellipse: whether only the ellipse within it is, `[]` bool.

    Returns:
      The crop, `[S, S, 3]` uint8, and which of its pixels are covered, `[S, S]` bool.
    """
    size, channels = image.shape[0], image.shape[2]
    x0, y0, x1, y1 = piece
    opposite = jnp.roll(image, (size // 2, size // 2), axis=(0, 1))[:, ::-1]
    # Column x of the piece shows column x0 + x1 - 1 - x of what lies opposite.
    opposite = opposite.reshape(size, -1)
    opposite = jnp.roll(opposite, channels * (x0 + x1 - size), axis=1)
    opposite = opposite.reshape(image.shape)
    middles = jnp.arange(size, dtype=jnp.float32) + 0.5
    across = _distance(middles, x0, x1)[None]
    down = _distance(middles, y0, y1)[:, None]
    in_box = jnp.maximum(across, down) < 1
    in_ellipse = across**2 + down**2 < 1
    is_covered = jnp.where(is_ellipse, in_ellipse, in_box)
    return jnp.where(is_covered[..., None], opposite, image), is_covered


def random_occluder(
    key: jax.Array, image: jax.Array, xyxy: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Covers a part of the target with a piece of the crop's surroundings.

    The piece is a rectangle or an ellipse of 0.3 to 0.7 of the target's sides around a
    point of the target.

    Args:
      key: random key.
      image: the crop, `[S, S, 3]` uint8.
      xyxy: box of the target, `[4]` xyxy px of the crop; it may lie outside.

    Returns:
      The crop, `[S, S, 3]` uint8, and which of its pixels are covered, `[S, S]` bool.
    """
    size = image.shape[0]
    drawn = jax.random.uniform(key, (5,))
    low, wh = xyxy[:2], xyxy[2:] - xyxy[:2]
    center = low + drawn[:2] * wh
    least, most = _HALF_SHARES
    half = (least + (most - least) * drawn[2:4]) * wh
    corners = jnp.concatenate([center - half, center + half])
    piece = jnp.clip(jnp.round(corners), 0, size).astype(jnp.int32)
    return cover(image, piece, is_ellipse=drawn[4] < 0.5)


def _distance(places, low, high):
    """Maps positions linearly so that an interval becomes [-1, 1]."""
    low, high = low.astype(jnp.float32), high.astype(jnp.float32)
    return jnp.abs(2 * places - low - high) / (high - low)
