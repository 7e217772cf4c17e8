"""Tests for jaxtrack.data.composed.sprites."""

import dataclasses
import pathlib

import cv2
import numpy as np
import pytest

from jaxtrack.data.composed import motion, photos, shapes, sprites
from tests.data.composed.motion_test import displacement

PHOTO = pathlib.Path("a photograph in the cache")
FRAME = (80, 100)


def cache_with(image):
    cache = photos.ImageCache(10**8)
    cache.get((PHOTO,), lambda: photos.pyramid(image))
    return cache


def random_sprite(seed, *, strength=0.8, length=20, **looks):
    rng = np.random.default_rng(seed)
    ripple = motion.random_ripple(rng, strength)
    angle = np.linspace(0, 1, length)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1)
    matrix = turn.reshape(-1, 2, 2) * rng.uniform(20, 30)
    path = motion.random_drift(rng, np.arange(length), [8, 8], period=(20, 40))
    centre = np.array([50.0, 40.0]) + path
    skin = sprites.Paint(
        shapes.blob(rng), PHOTO, np.full(2, 25.0), np.array([60.0, 60.0])
    )
    return sprites.Sprite(skin, centre, matrix, ripple, **looks)


def tight_box(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


@pytest.mark.parametrize("seed", range(4))
def test_boxes_are_those_of_the_mask(seed):
    sprite = random_sprite(seed)
    for t, box in enumerate(sprite.boxes()):
        mask = sprites.fill_curves(sprite.curves(t), (0, 0, *FRAME[::-1]))
        # The mask has every pixel the curve touches: up to 1 px more on each side,
        # and OpenCV rounds corners to 1/16 px.
        excess = (tight_box(mask) - box) * (-1, -1, 1, 1)
        assert (excess > -0.07).all() and (excess < 1.07).all(), (t, excess)


@pytest.mark.parametrize("seed", range(4))
def test_boxes_are_those_of_the_changed_pixels(seed):
    """White on black, at half of the brightness: what a viewer would annotate."""
    cache = cache_with(np.full((120, 120, 3), 255, np.uint8))
    sprite = random_sprite(seed)
    for t in (0, 7, 19):
        canvas = np.zeros((*FRAME, 3), np.uint8)
        sprite.draw(canvas, t, cache)
        np.testing.assert_allclose(
            tight_box(canvas[..., 0] > 127), sprite.boxes()[t], atol=1.3
        )


@pytest.mark.parametrize("seed", range(4))
def test_the_drawn_area_is_the_outlines(seed):
    """No half pixel is added all around, although the mask touches more pixels."""
    cache = cache_with(np.full((120, 120, 3), 255, np.uint8))
    sprite = random_sprite(seed)
    canvas = np.zeros((*FRAME, 3), np.uint8)
    sprite.draw(canvas, 4, cache)
    area = cv2.contourArea(sprite.curves(4)[0].astype(np.float32))
    np.testing.assert_allclose(canvas[..., 0].sum() / 255, area, rtol=0.03)


def test_texture_moves_with_the_outline():
    """A photograph of coordinates comes out as the map of the module's docstring."""
    x = np.arange(120, dtype=np.uint8)
    image = np.stack([*np.meshgrid(2 * x, 2 * x), np.zeros((120, 120), np.uint8)], -1)
    sprite = random_sprite(1, strength=1.0)
    ellipse = shapes.blob(np.random.default_rng(1), roughness=0.0)
    skin = sprite.skin._replace(curve=ellipse)
    sprite = dataclasses.replace(sprite, skin=skin)
    canvas = np.zeros((*FRAME, 3), np.uint8)
    sprite.draw(canvas, 19, cache_with(image))
    column, row = np.round(sprite.centre[19]).astype(int)
    for pixel in [(row, column), (row - 4, column + 3), (row + 4, column - 5)]:
        point = np.array([pixel[1] + 0.5, pixel[0] + 0.5])
        local = np.linalg.solve(sprite.matrix[19], point - sprite.centre[19])
        rest = local + displacement(sprite.ripple, local[None], np.array([19]))[0]
        # Photograph pixel i, whose centre is i + 0.5, has the colour 2 i.
        expected = 2 * (rest * 25.0 + 60.0 - 0.5)
        np.testing.assert_allclose(canvas[pixel][:2], expected, atol=0.75)


def test_box_needs_no_drawing_and_drawing_needs_only_the_region():
    sprite = random_sprite(0)
    canvas = np.full((*FRAME, 3), 77, np.uint8)
    sprite.draw(canvas, 0, cache_with(np.zeros((120, 120, 3), np.uint8)))
    x0, y0, x1, y1 = sprite.boxes()[0]
    outside = np.ones(FRAME, bool)
    outside[int(y0) - 1 : int(y1) + 2, int(x0) - 1 : int(x1) + 2] = False
    assert (canvas[outside] == 77).all()
    assert (canvas == 0).any()


def test_a_sprite_off_the_canvas_draws_nothing():
    sprite = random_sprite(0)
    sprite = sprites.Sprite(
        sprite.skin, sprite.centre + 500, sprite.matrix, sprite.ripple
    )
    canvas = np.full((*FRAME, 3), 77, np.uint8)
    sprite.draw(canvas, 0, cache_with(np.zeros((120, 120, 3), np.uint8)))
    assert (canvas == 77).all()


def test_holes_are_open():
    square = np.array([[10.0, 10], [50, 10], [50, 50], [10, 50]])
    mask = sprites.fill_curves([square, (square - 30) / 2 + 30], (0, 0, 60, 60))
    assert mask[15, 15] == 255
    assert mask[30, 30] == 0


def test_marking_stays_within_the_outline():
    plain = random_sprite(2)
    whole = sprites.Paint(
        shapes.blob(np.random.default_rng(9)) * 3, PHOTO, np.ones(2), np.zeros(2)
    )
    marked = random_sprite(2, marking=whole)
    cache = cache_with(np.full((120, 120, 3), 255, np.uint8))
    canvases = [np.zeros((*FRAME, 3), np.uint8) for _ in range(2)]
    for sprite, canvas in zip((plain, marked), canvases, strict=True):
        sprite.draw(canvas, 3, cache)
    np.testing.assert_allclose(canvases[0], canvases[1], atol=1)


def test_motion_blur_widens_along_the_motion_only():
    sprite = random_sprite(0, strength=0.0)
    path = sprite.centre[:1] + np.arange(20)[:, None] * (8.0, 0.0) - (80.0, 0.0)
    cache = cache_with(np.full((120, 120, 3), 255, np.uint8))
    boxes = []
    for shutter in (0.0, 1.0):
        moving = sprites.Sprite(
            sprite.skin, path, sprite.matrix, sprite.ripple, shutter=shutter
        )
        canvas = np.zeros((*FRAME, 3), np.uint8)
        moving.draw(canvas, 10, cache)
        boxes.append(tight_box(canvas[..., 0] > 20))
    wider = (boxes[1] - boxes[0]) * (-1, -1, 1, 1)
    assert (wider[[0, 2]] >= 2).all()
    assert (np.abs(wider[[1, 3]]) <= 1).all()


def test_tint_and_relief_change_colours():
    cache = cache_with(np.full((120, 120, 3), 200, np.uint8))
    canvas = np.zeros((*FRAME, 3), np.uint8)
    sprite = random_sprite(0, tint=np.diag([1.0, 0.5, 0.25]), relief=0.6)
    sprite.draw(canvas, 0, cache)
    middle = canvas[40, 50].astype(float)
    np.testing.assert_allclose(middle[1:] / middle[0], [0.5, 0.25], atol=0.02)
    border = canvas[..., 0][canvas[..., 0] > 0].min()
    assert border < 0.8 * canvas[..., 0].max()


def test_footage_mirrors_outline_and_texture_together():
    class Still:
        outlines = ((np.array([[0.0, 0], [1, 0], [0, 2]]),),)

        def texture(self, cache, frame):
            return (), np.array([3.0, 4.0]), np.array([5.0, 6.0])

    footage = sprites.Footage(Still(), np.zeros(1, int), True)
    (curve,) = footage.outline(0)
    _, scale, offset = footage.texture(None, 0)
    np.testing.assert_array_equal(curve[1] * scale + offset, [1 * 3 + 5, 6])
