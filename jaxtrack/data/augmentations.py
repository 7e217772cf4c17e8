"""Changes of a crop's colours and sharpness; each draws its own random numbers.

All take and return `[H, W, 3]` uint8 RGB and leave their argument as it was.
"""

import cv2
import numpy as np

# Directions in which the colours of natural images vary (principal components of RGB
# values times their deviations), as pysot's augmentation has them; rows R, G, B.
_COLOR_DIRECTIONS = np.array(
    [
        [-0.55919361, 0.98062831, -0.41940627],
        [1.72091413, 0.19879334, -1.82968581],
        [4.64467907, 4.73710203, 4.88324118],
    ]
)
_BLUR_SIZES = np.arange(5, 46, 2)


def to_gray(image: np.ndarray) -> np.ndarray:
    """Takes the colour out of an image."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)


def shift_color(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Subtracts `M n`, `n ~ N(0, I)`, from every pixel, as pysot does.

    The shift is rounded and the result kept in [0, 255], where pysot goes on in float.
    """
    shift = -_COLOR_DIRECTIONS @ rng.standard_normal(3)
    return cv2.add(image, np.array([*np.round(shift), 0.0]))


def blur_plus(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurs with a plus-shaped kernel, as pysot does.

    Of odd size `k` in 5 ... 45; its middle column weighs `w` in all, its middle row
    `1 - w`, `w ~ U(0, 1)`: two box blurs instead of one big kernel.
    """
    size = int(rng.choice(_BLUR_SIZES))
    weight = rng.random()
    vertical = cv2.blur(image, (1, size))
    horizontal = cv2.blur(image, (size, 1))
    return cv2.addWeighted(vertical, weight, horizontal, 1 - weight, 0)


def blur_motion(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurs along a line of 3 to 15 px at any angle."""
    length = int(rng.integers(1, 8)) * 2 + 1
    angle = rng.random() * np.pi
    half = (length - 1) / 2
    along = np.linspace(-half, half, 4 * length)
    kernel = np.zeros((length, length), np.float32)
    rows = np.round(half + along * np.sin(angle)).astype(int)
    columns = np.round(half + along * np.cos(angle)).astype(int)
    kernel[rows, columns] = 1
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def lower_resolution(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shrinks an image to between a quarter and two thirds, and enlarges it again."""
    height, width = image.shape[:2]
    factor = rng.uniform(0.25, 0.67)
    small = (max(round(width * factor), 1), max(round(height * factor), 1))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)


def add_noise(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Adds Gaussian noise of deviation `U(2, 14)` grey levels.

    Noise of a quarter of the rows is drawn and laid out four times, shifted along the
    rows: drawing all of it would take as long as decoding a frame.
    """
    height, width, channels = image.shape
    rows = -(-height // 4)
    drawn = rng.standard_normal((rows, width, channels), np.float32)
    drawn *= rng.uniform(2, 14)
    shifts = rng.integers(width, size=4)
    noise = np.concatenate([np.roll(drawn, shift, axis=1) for shift in shifts])
    return cv2.add(image, noise[:height], dtype=cv2.CV_8U)


def change_tone(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Changes gain, gamma and saturation.

    `v -> 255 (v / 255) ^ gamma * gain`, gamma and gain in `exp(U(-0.3, 0.3))`; then
    every pixel moves to or from its grey value: `s v + (1 - s) gray`, where
    `s ~ U(0.5, 1.5)`.
    """
    gamma, gain = np.exp(rng.uniform(-0.3, 0.3, size=2))
    saturation = rng.uniform(0.5, 1.5)
    curve = 255 * gain * (np.arange(256) / 255) ** gamma
    toned = cv2.LUT(image, np.clip(np.round(curve), 0, 255).astype(np.uint8))
    return cv2.addWeighted(toned, saturation, to_gray(toned), 1 - saturation, 0)


def occlude(
    image: np.ndarray, xyxy: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Covers a part of the target with a piece of the crop's surroundings.

    The piece is a rectangle or an ellipse of 0.3 to 0.7 of the target's sides around a
    point of the target; it shows the part of the crop that lies opposite, mirrored.

    Args:
      image: the crop, `[S, S, 3]` uint8.
      xyxy: box of the target, `[4]` xyxy px of the crop.
      rng: random numbers.

    Returns:
      The crop with the piece.
    """
    size = image.shape[0]
    low, wh = xyxy[:2], xyxy[2:] - xyxy[:2]
    center = low + rng.uniform(0, 1, size=2) * wh
    half = rng.uniform(0.15, 0.35, size=2) * wh
    is_ellipse = rng.random() < 0.5
    x0, y0 = np.clip(np.round(center - half), 0, size).astype(int)
    x1, y1 = np.clip(np.round(center + half), 0, size).astype(int)
    if x1 <= x0 or y1 <= y0:
        return image
    # Far from the target in a search crop: half a crop away, in both directions.
    shifted = np.roll(image, (size // 2, size // 2), axis=(0, 1))
    piece = shifted[y0:y1, x0:x1][:, ::-1]
    result = image.copy()
    if not is_ellipse:
        result[y0:y1, x0:x1] = piece
        return result
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    middle = ((x1 - x0) // 2, (y1 - y0) // 2)
    cv2.ellipse(mask, middle, middle, 0, 0, 360, 255, -1)
    result[y0:y1, x0:x1][mask > 0] = piece[mask > 0]
    return result
