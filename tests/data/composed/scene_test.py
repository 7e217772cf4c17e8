"""Tests for jaxtrack.data.composed.scene."""

import dataclasses
import pathlib

import numpy as np
import pytest

from jaxtrack.data.composed import motion, scene, shapes, sprites

from .conftest import showing

PHOTO = pathlib.Path("a photograph in the cache")
LENGTH = 4


def ramp(hw):
    """A photograph whose red is twice the column, and whose green twice the row."""
    rows, columns = np.mgrid[: hw[0], : hw[1]].astype(np.uint8)
    return np.stack([2 * columns, 2 * rows, np.full_like(rows, 50)], -1)


def seen(view, image):
    """What a camera sees of a photograph, 60 x 80 px."""
    with showing(image):
        return view.draw(0, (60, 80), 1)


def drawn(scene, image, t=0, **how):
    """A frame of a scene of one photograph."""
    with showing(image):
        return scene.draw(t, **how)


def backdrop(*, center=(0.5, 0.5), height=1.0, turn=0.0, mirror=False):
    return scene.Backdrop(
        PHOTO,
        np.tile(np.array(center), (LENGTH, 1)),
        np.full(LENGTH, height),
        np.full(LENGTH, turn),
        mirror,
    )


def make_scene(center=(40.0, 30.0), size=20.0, light=1.0, hw=(60, 80)):
    rng = np.random.default_rng(0)
    skin = sprites.Paint(shapes.blob(rng), PHOTO, np.full(2, 20.0), np.full(2, 50.0))
    step = np.arange(LENGTH)[:, None] * (2.0, 1.0)
    matrix = np.tile(np.eye(2) * size, (LENGTH, 1, 1))
    sprite = sprites.Sprite(skin, center + step, matrix, motion.random_ripple(rng, 0.5))
    shown = np.zeros(LENGTH, int)
    lights = np.full((LENGTH, 3), light)
    return scene.Scene(hw, (backdrop(),), shown, (sprite,), 0, lights)


def test_a_view_of_everything_is_the_photograph():
    image = ramp((60, 80))
    np.testing.assert_array_equal(seen(backdrop(), image), image)


def test_mirrored_view_is_the_photograph_mirrored():
    image = ramp((60, 80))
    np.testing.assert_array_equal(seen(backdrop(mirror=True), image), image[:, ::-1])


def test_half_the_height_is_twice_the_size():
    """Frame px x is photograph px center + (x - 40) / 2, edge origin."""
    view = backdrop(center=(0.6, 0.4), height=0.5)
    found = seen(view, ramp((60, 80)))
    x, y = 30, 20  # Index; the pixel's center is at + 0.5.
    shown = np.array([0.6 * 80 + (x + 0.5 - 40) / 2, 0.4 * 60 + (y + 0.5 - 30) / 2])
    np.testing.assert_allclose(found[y, x, :2], 2 * (shown - 0.5), atol=1)


def test_a_quarter_turn_turns():
    """Towards the frame's right lies the photograph's bottom."""
    view = backdrop(turn=np.pi / 2, height=0.5)
    found = seen(view, ramp((60, 80))).astype(int)
    assert found[30, 50, 1] - found[30, 30, 1] > 15
    assert abs(found[30, 50, 0] - found[30, 30, 0]) <= 2


@pytest.mark.parametrize(("reduction", "hw"), [(2, (121, 163)), (4, (120, 160))])
def test_reduced_frames_are_means_of_the_full_ones(reduction, hw):
    photo = np.random.default_rng(0).integers(0, 256, (16, 20, 3), np.uint8)
    photo = np.kron(photo, np.ones((16, 16, 1), np.uint8))
    whole = make_scene(center=(70.0, 60.0), size=50.0, hw=hw)
    full = drawn(whole, photo, 1).astype(float)
    small = drawn(whole, photo, 1, reduction=reduction)
    rows, columns = (-(-side // reduction) for side in hw)
    assert small.shape == (rows, columns, 3)
    rows, columns = (side // reduction for side in hw)
    blocks = full[: rows * reduction, : columns * reduction]
    mean = blocks.reshape(rows, reduction, columns, reduction, 3).mean((1, 3))
    error = np.abs(small[:rows, :columns] - mean)
    shifted = np.abs(small[: rows - 1, : columns - 1] - mean[1:, 1:])
    assert error.mean() < 4
    assert error.mean() < 0.5 * shifted.mean()


def test_light_scales_colors_and_saturates():
    image = ramp((60, 80))
    dark, bright = (drawn(make_scene(light=gain), image) for gain in (0.5, 3.0))
    plain = drawn(make_scene(), image).astype(float)
    np.testing.assert_allclose(dark, plain / 2, atol=0.51)
    np.testing.assert_allclose(bright, np.minimum(3 * plain, 255), atol=0.51)


def test_boxes_end_at_the_frame_and_are_nan_beyond():
    inside = make_scene().boxes()
    assert inside.dtype == np.float32
    raw = make_scene().cast[0].boxes()
    np.testing.assert_allclose(inside, raw, rtol=1e-6)
    leaving = make_scene(center=(78.0, 30.0)).boxes()
    np.testing.assert_allclose(leaving[:, 2], 80)
    assert (leaving[:, 0] > 60).all()
    assert np.isnan(make_scene(center=(500.0, 30.0)).boxes()).all()


def test_the_shown_backdrop_is_drawn():
    one = make_scene()
    two = dataclasses.replace(
        one, backdrops=(backdrop(), backdrop(mirror=True)), shown=np.array([0, 0, 1, 1])
    )
    corner = [drawn(two, ramp((60, 80)), t)[0, 0, 0] for t in range(LENGTH)]
    assert corner == [0, 0, 158, 158]
