"""What is drawn, found by its color."""

import cv2
import numpy as np

from jaxtrack.report.plots import style


def decoded(content):
    """Pixels of a figure or of a file, RGB."""
    content = content if isinstance(content, bytes) else style.file_of(content, "png")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    return image.astype(int)


def near(image, color, tolerance=12):
    """Where a color is: `#rrggbb`, or that of the tracker at a place."""
    color = style.color_of(color) if isinstance(color, int) else color
    return np.all(abs(image - list(bytes.fromhex(color[1:]))) < tolerance, axis=-1)


def border(image):
    """The outermost pixels."""
    edges = image[:2], image[-2:], image[:, :2], image[:, -2:]
    return np.concatenate([edge.ravel() for edge in edges])
