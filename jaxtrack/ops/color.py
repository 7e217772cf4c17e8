"""Pixel-wise color augmentation.

All take and return `[H, W, 3]` uint8 RGB; `random_*` draw the strength.
"""

import jax
import jax.numpy as jnp
import numpy as np

# Directions in which the colors of natural images vary (principal components of RGB
# values times their deviations), as in pysot's augmentation; rows R, G, B.
COLOR_DIRECTIONS = np.array(
    [
        [-0.55919361, 0.98062831, -0.41940627],
        [1.72091413, 0.19879334, -1.82968581],
        [4.64467907, 4.73710203, 4.88324118],
    ],
    np.float32,
)
_LARGEST_LOG_TONE = 0.3
_SATURATIONS = 0.5, 1.5


def round_levels(image: jax.Array) -> jax.Array:
    """Rounds float gray levels to uint8; values outside [0, 255] saturate.

    Args:
      image: `[...]` float.

    Returns:
      `[...]` uint8.
    """
    return jnp.clip(jnp.round(image), 0, 255).astype(jnp.uint8)


def to_gray(image: jax.Array) -> jax.Array:
    """Converts an image to gray: `v = 0.299 R + 0.587 G + 0.114 B`.

    ITU-R BT.601, as in OpenCV.

    Args:
      image: `[H, W, 3]` uint8.

    Returns:
      `[H, W, 3]` uint8, its channels equal.
    """
    gray = round_levels(_luma(image.astype(jnp.float32)))
    return jnp.broadcast_to(gray, image.shape)


def shift_color(image: jax.Array, shift: jax.Array) -> jax.Array:
    """Adds a color to every pixel.

    Args:
      image: `[H, W, 3]` uint8.
      shift: `[3]` float gray levels.

    Returns:
      `[H, W, 3]` uint8.
    """
    return round_levels(image.astype(jnp.float32) + shift.reshape(1, 1, 3))


def random_color(key: jax.Array, image: jax.Array) -> jax.Array:
    """Subtracts `M n`, `n ~ N(0, I)`, from every pixel, as pysot does.

    Args:
      key: random key.
      image: `[H, W, 3]` uint8.

    Returns:
      `[H, W, 3]` uint8; pysot continues in float.
    """
    drawn = jax.random.normal(key, (1, 3))
    return shift_color(image, -jnp.sum(COLOR_DIRECTIONS * drawn, axis=1))


def change_tone(
    image: jax.Array, *, gamma: jax.Array, gain: jax.Array, saturation: jax.Array
) -> jax.Array:
    """Changes gamma, gain and saturation.

        u = 255 gain (v / 255)^gamma, kept in [0, 255]
        output = saturation u + (1 - saturation) gray(u)

    Args:
      image: values `v`, `[H, W, 3]` uint8.
      gamma: exponent, `[]`.
      gain: factor, `[]`.
      saturation: 0 is gray, 1 leaves colors as they are, `[]`.

    Returns:
      `[H, W, 3]` uint8.
    """
    level = image.astype(jnp.float32) / 255
    # jnp's power takes four times as long on a CPU; log(0) is -inf, exp 0.
    toned = jnp.minimum(255 * gain * jnp.exp(gamma * jnp.log(level)), 255)
    gray = jnp.broadcast_to(_luma(toned), toned.shape)
    return round_levels(saturation * toned + (1 - saturation) * gray)


def random_tone(key: jax.Array, image: jax.Array) -> jax.Array:
    """Changes the tone: gamma and gain in `exp(U(-0.3, 0.3))`, saturation U(0.5, 1.5).

    Args:
      key: random key.
      image: `[H, W, 3]` uint8.

    Returns:
      `[H, W, 3]` uint8.
    """
    drawn = jax.random.uniform(key, (3,))
    gamma, gain = jnp.exp(_LARGEST_LOG_TONE * (2 * drawn[:2] - 1))
    low, high = _SATURATIONS
    saturation = low + (high - low) * drawn[2]
    return change_tone(image, gamma=gamma, gain=gain, saturation=saturation)


def _luma(image):
    """Weighs the channels of `[H, W, 3]` float: `[H, W, 1]`."""
    red, green, blue = jnp.split(image, 3, axis=-1)
    return 0.299 * red + 0.587 * green + 0.114 * blue
