"""Tests for jaxtrack.data.composed.sprites."""

import dataclasses
import pathlib

import cv2
import numpy as np

from jaxtrack.data.composed import motion, shapes, sprites

from .conftest import showing
from .motion_test import displacement

PHOTO = pathlib.Path("a photograph")
FRAME = (80, 100)


def random_sprite(seed, *, strength=0.8, length=20, **looks):
    rng = np.random.default_rng(seed)
    ripple = motion.random_ripple(rng, strength)
    angle = np.linspace(0, 1, length)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1)
    matrix = turn.reshape(-1, 2, 2) * rng.uniform(20, 30)
    path = motion.random_drift(rng, np.arange(length), [8, 8], period=(20, 40))
    center = np.array([50.0, 40.0]) + path
    skin = sprites.Paint(shapes.blob(rng), PHOTO, np.full(2, 25.0), np.full(2, 60.0))
    return sprites.Sprite(skin, center, matrix, ripple, **looks)


def drawn(sprite, t=0, *, level=255, background=0, image=None):
    """Draws a sprite of one gray level, or with a given photograph."""
    canvas = np.full((*FRAME, 3), background, np.uint8)
    plain = np.full((120, 120, 3), level, np.uint8)
    with showing(plain if image is None else image):
        sprite.draw(canvas, t)
    return canvas


def tight_box(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def test_boxes_are_those_of_the_mask():
    for sprite in map(random_sprite, range(4)):
        for t, box in enumerate(sprite.boxes()):
            mask = sprites.fill_curves(sprite.curves(t), (0, 0, *FRAME[::-1]))
            # The mask has every pixel the curve touches: up to 1 px more on each side,
            # and OpenCV rounds corners to 1/16 px.
            excess = (tight_box(mask) - box) * (-1, -1, 1, 1)
            assert (excess > -0.07).all() and (excess < 1.07).all(), (t, excess)


def test_boxes_and_areas_are_those_of_the_changed_pixels():
    """White on black, at half of the brightness: what a viewer would annotate."""
    for sprite in map(random_sprite, range(4)):
        for t in (0, 7, 19):
            white = drawn(sprite, t)[..., 0]
            np.testing.assert_allclose(
                tight_box(white > 127), sprite.boxes()[t], atol=1.3
            )
            # No half pixel is added all around, although the mask touches more pixels.
            area = cv2.contourArea(sprite.curves(t)[0].astype(np.float32))
            np.testing.assert_allclose(white.sum() / 255, area, rtol=0.03)


def test_texture_moves_with_the_outline():
    """A photograph of coordinates comes out as the map of the module's docstring."""
    x = np.arange(120, dtype=np.uint8)
    image = np.stack([*np.meshgrid(2 * x, 2 * x), np.zeros((120, 120), np.uint8)], -1)
    sprite = random_sprite(1, strength=1.0)
    ellipse = shapes.blob(np.random.default_rng(1), roughness=0.0)
    skin = sprite.skin._replace(curve=ellipse)
    sprite = dataclasses.replace(sprite, skin=skin)
    canvas = drawn(sprite, 19, image=image)
    column, row = np.round(sprite.center[19]).astype(int)
    for pixel in [(row, column), (row - 4, column + 3), (row + 4, column - 5)]:
        point = np.array([pixel[1] + 0.5, pixel[0] + 0.5])
        local = np.linalg.solve(sprite.matrix[19], point - sprite.center[19])
        rest = local + displacement(sprite.ripple, local[None], np.array([19]))[0]
        # Photograph pixel i, whose center is i + 0.5, has the color 2 i.
        expected = 2 * (rest * 25.0 + 60.0 - 0.5)
        np.testing.assert_allclose(canvas[pixel][:2], expected, atol=0.75)


def test_drawing_changes_only_the_box():
    sprite = random_sprite(0)
    canvas = drawn(sprite, level=0, background=77)
    x0, y0, x1, y1 = sprite.boxes()[0].astype(int)
    outside = np.ones(FRAME, bool)
    outside[y0 - 1 : y1 + 2, x0 - 1 : x1 + 2] = False
    assert (canvas[outside] == 77).all() and (canvas == 0).any()
    far = dataclasses.replace(sprite, center=sprite.center + 500)
    assert (drawn(far, level=0, background=77) == 77).all()


def test_holes_are_open():
    square = np.array([[10.0, 10], [50, 10], [50, 50], [10, 50]])
    mask = sprites.fill_curves([square, (square - 30) / 2 + 30], (0, 0, 60, 60))
    assert mask[15, 15] == 255
    assert mask[30, 30] == 0


def test_marking_stays_within_the_outline():
    curve = shapes.blob(np.random.default_rng(9)) * 3
    whole = sprites.Paint(curve, PHOTO, np.ones(2), np.zeros(2))
    plain, marked = (
        drawn(random_sprite(2), 3),
        drawn(random_sprite(2, marking=whole), 3),
    )
    np.testing.assert_allclose(plain, marked, atol=1)


def test_motion_blur_widens_along_the_motion_only():
    sprite = random_sprite(0, strength=0.0)
    path = sprite.center[:1] + np.arange(20)[:, None] * (8.0, 0.0) - (80.0, 0.0)
    boxes = []
    for shutter in (0.0, 1.0):
        moving = dataclasses.replace(sprite, center=path, shutter=shutter)
        boxes.append(tight_box(drawn(moving, 10)[..., 0] > 20))
    wider = (boxes[1] - boxes[0]) * (-1, -1, 1, 1)
    assert (wider[[0, 2]] >= 2).all()
    assert (np.abs(wider[[1, 3]]) <= 1).all()


def test_tint_and_relief_change_colors():
    sprite = random_sprite(0, tint=np.diag([1.0, 0.5, 0.25]), relief=0.6)
    canvas = drawn(sprite, level=200)
    middle = canvas[40, 50].astype(float)
    np.testing.assert_allclose(middle[1:] / middle[0], [0.5, 0.25], atol=0.02)
    border = canvas[..., 0][canvas[..., 0] > 0].min()
    assert border < 0.8 * canvas[..., 0].max()


def test_footage_mirrors_outline_and_texture_together():
    class Still:
        outlines = ((np.array([[0.0, 0], [1, 0], [0, 2]]),),)

        def texture(self, frame):
            return (), np.array([3.0, 4.0]), np.array([5.0, 6.0])

    footage = sprites.Footage(Still(), np.zeros(1, int), True)
    (curve,) = footage.outline(0)
    _, scale, offset = footage.texture(0)
    np.testing.assert_array_equal(curve[1] * scale + offset, [1 * 3 + 5, 6])
