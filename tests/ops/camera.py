"""Changes of pictures as OpenCV and numpy make them: what `ops` is compared with."""

import cv2
import numpy as np


def picture(height=40, width=52):
    """Draws smooth waves, edges and noise."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:height, :width]
    waves = [127 + 90 * np.sin((k + 1) * x / 9 + y / (5 + k)) for k in range(3)]
    image = np.stack(waves, -1) + rng.normal(0, 12, (height, width, 3))
    image[10:20, 15:30] = (250, 3, 90)
    return np.clip(np.round(image), 0, 255).astype(np.uint8)


def to_gray(image):
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)


def change_tone(image, *, gamma, gain, saturation):
    curve = 255 * gain * (np.arange(256) / 255) ** gamma
    toned = cv2.LUT(image, np.clip(np.round(curve), 0, 255).astype(np.uint8))
    return cv2.addWeighted(toned, saturation, to_gray(toned), 1 - saturation, 0)


def blur_plus(image, *, half, weight):
    """Filters with the kernel itself, in float64."""
    size = 2 * half + 1
    kernel = np.zeros((size, size))
    kernel[:, half] += weight / size
    kernel[half] += (1 - weight) / size
    return cv2.filter2D(image.astype(np.float64), -1, kernel)


def blur_line(image, *, half, angle):
    """Filters with the kernel itself, in float64."""
    size = 2 * half + 1
    kernel = np.zeros((size, size))
    along = np.arange(-half, half + 1)
    rows = np.round(along * np.sin(angle)).astype(int)
    columns = np.round(along * np.cos(angle)).astype(int)
    np.add.at(kernel, (half + rows, half + columns), 1 / size)
    return cv2.filter2D(image.astype(np.float64), -1, kernel)


def lower_resolution(image, *, factor):
    height, width = image.shape[:2]
    small = (max(round(width * factor), 1), max(round(height * factor), 1))
    shrunk = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_LINEAR)


def cover(image, piece, *, is_ellipse):
    size = len(image)
    x0, y0, x1, y1 = piece
    shifted = np.roll(image, (size // 2, size // 2), axis=(0, 1))
    patch = shifted[y0:y1, x0:x1][:, ::-1]
    y, x = np.mgrid[y0:y1, x0:x1] + 0.5
    radii = (x1 - x0) / 2, (y1 - y0) / 2
    inside = ((x - x0) / radii[0] - 1) ** 2 + ((y - y0) / radii[1] - 1) ** 2 < 1
    result = image.copy()
    where = inside if is_ellipse else np.ones_like(inside)
    result[y0:y1, x0:x1][where] = patch[where]
    return result
