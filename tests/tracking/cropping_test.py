"""Tests for jaxtrack.tracking.cropping."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import crop, grid
from jaxtrack.tracking import cropping, siamese
from jaxtrack.tracking.state import Crop, Frame

GEOMETRY = grid.Geometry(32, 64, 9, 4, 16.0)


def make(config, selection="clean", geometry=GEOMETRY):
    config.tracking.selection = selection
    return siamese.view_of(config, geometry)


@pytest.fixture
def frame():
    image = np.full((40, 60, 3), 255, np.uint8)
    image[:20, :30] = (10, 20, 31)
    image[0, 0] = (12, 20, 31)
    return Frame(jnp.asarray(image), jnp.array([20, 30], jnp.int32))


def test_side(config, variant):
    # p = (30 + 10) / 2 = 20; sqrt((30 + 20) (10 + 20)) = sqrt(1500).
    side = variant(make(config).side)
    np.testing.assert_allclose(side(jnp.array([30.0, 10.0])), 1500**0.5, rtol=1e-6)
    # sqrt(0.2 0.2) of a target of a tenth of a pixel; a pixel is the least.
    assert side(jnp.array([0.1, 0.1])) == 1
    assert side(jnp.zeros(2)) == 1
    config.data.context = 0.0
    np.testing.assert_allclose(make(config).side(jnp.array([9.0, 4.0])), 6, rtol=1e-6)


def test_the_fill_is_the_pictures_mean(config, frame):
    # 600 pixels of red 10, but one of 12; the white canvas is no picture.
    mean = [10 + 2 / 600, 20, 31]
    np.testing.assert_allclose(make(config).fill(frame), mean, rtol=1e-5)
    for public in cropping.PUBLIC:
        found = make(config, public).fill(frame)
        np.testing.assert_array_equal(found, np.floor(mean))


def test_search_shows_the_target_at_the_templates_scale(config, frame):
    # A square of 8 has a context of 16 pixels: two crop pixels a picture pixel, and the
    # crop of 64 shows 32 pixels from -1 to 31 around (15, 10), of which 30 are picture.
    fill = jnp.array([100.0, 100.0, 100.0])
    view = make(config)
    aim = jax.jit(view.search)(jnp.array([15.0, 10.0, 8.0, 8.0]), frame.hw)
    assert aim.scale == 2
    np.testing.assert_array_equal(aim.center, [15, 10])
    np.testing.assert_array_equal(aim.hw, [20, 30])
    cut = jax.jit(cropping.cut)(frame, aim)
    x = jax.jit(view.search_image)(Crop(aim, cut), fill)
    assert x.shape == (1, 64, 64, 3)
    blue = x[0, 32, :, 2]  # A row in the picture's middle.
    np.testing.assert_allclose(blue[4:60], 31, atol=1e-3)
    np.testing.assert_allclose(blue[jnp.array([0, -1])], 100, atol=1e-3)
    np.testing.assert_allclose(x[0, 0, :, 2], 100, atol=1e-3)


def test_search_crops_lie_on_eighths_of_a_pixel(config, frame, variant):
    # 15.07 -> 15.125, 9.94 -> 10; the template's side is 8.05 + 8.05 = 16.1 -> 16.125.
    def search(box, selection="clean"):
        view = make(config, selection)

        def look(box):
            aim = view.search(box, frame.hw)
            image = view.search_image(Crop(aim, cropping.cut(frame, aim)), jnp.zeros(3))
            return image, aim.center, aim.scale

        return variant(look)(jnp.asarray(box))

    seen = search([15.07, 9.94, 8.05, 8.05])
    np.testing.assert_array_equal(seen[1], [15.125, 10])
    np.testing.assert_allclose(seen[2], 32 / 16.125, rtol=1e-7)
    # What a compilation rounds otherwise vanishes: the crop is the same to the bit.
    again = search([15.07001, 9.93999, 8.05001, 8.04999])
    jax.tree.map(np.testing.assert_array_equal, again, seen)
    # Public sides are rounded to whole pixels, but scale boxes back as they were.
    exact = np.float32([15.07, 9.94])
    centers = {"released": exact, "pysot": exact, "video_analyst": [15.125, 10]}
    for public in cropping.PUBLIC:
        seen = search([15.07, 9.94, 8.05, 8.05], public)
        np.testing.assert_array_equal(seen[1], centers[public])
        np.testing.assert_allclose(seen[2], 32 / 16.1, rtol=1e-6)


def template(view, frame, box):
    """The template crop of a box."""

    @jax.jit
    def look(frame, box):
        aim = view.template(box, frame.hw)
        return view.template_image(Crop(aim, cropping.cut(frame, aim)), jnp.zeros(3))[0]

    return look(frame, jnp.array(box))


def test_crops_are_preprocessed(config, frame):
    # Eight pixels around (15, 10), which are of one color.
    box = [15.0, 10.0, 4.0, 4.0]
    plain = template(make(config), frame, box)
    assert plain.shape == (32, 32, 3)
    np.testing.assert_allclose(plain[15, 15], [10, 20, 31], atol=1e-4)
    config.model.preprocessing.order = "BGR"
    config.model.preprocessing.scale = (1.0, 2.0, 4.0)
    # (31, 20, 10) over (1, 2, 4).
    seen = template(make(config), frame, box)
    np.testing.assert_allclose(seen[15, 15], [31, 10, 2.5], atol=1e-4)


def test_public_selections_look_at_whole_pixels(config):
    ramp = np.broadcast_to(np.arange(40, dtype=np.uint8)[None, :, None], (40, 40, 3))
    frame = Frame(jnp.asarray(ramp), jnp.array([40, 40], jnp.int32))
    # A template of 8 cells over a side of 8.2.
    small, box = grid.Geometry(8, 16, 9, 4, 16.0), [20.3, 20.3, 4.1, 4.1]
    # floor(20.3 - 9 / 2 + 1 / 2) = 16: pixels 16 to 23.
    for public in ("released", "pysot"):
        row = template(make(config, public, small), frame, box)[4, :, 0]
        np.testing.assert_allclose(row, np.arange(16, 24), atol=1e-4)
    row = template(make(config, geometry=small), frame, box)[4, :, 0]
    # Unrounded, cells are 8.2 / 8 apart around index 20.3 - 0.5.
    np.testing.assert_allclose(row, 19.8 + (np.arange(8) - 3.5) * 1.025, atol=1e-3)
    # The outermost of 8 pixels on the outermost of round(8.2) = 8, around the same.
    row = template(make(config, "video_analyst", small), frame, box)[4, :, 0]
    np.testing.assert_allclose(row, 19.8 + np.arange(8) - 3.5, atol=1e-3)


def test_grid_is_exact_and_keeps_derivatives(variant):
    px = np.random.default_rng(0).uniform(-3000, 3000, 10_000).astype(np.float32)
    px = np.concatenate([px, px / 1e4, [0.0624, 0.0626, 1e-30, 0.0]]).astype(np.float32)
    found = np.asarray(variant(cropping.on_grid)(px), np.float64)
    np.testing.assert_array_equal(found, np.round(px.astype(np.float64) * 8) / 8)
    assert jax.grad(cropping.on_grid)(3.07) == 1


def get_subwindow_corner(center, side):
    """pysot's formula in index coordinates: left-most pixel and number of pixels."""
    side = round(side)
    return np.floor(center - (side + 1) / 2 + 0.5), side


@pytest.mark.parametrize("side", [50.4, 50.5, 51.5, 99.0])
@pytest.mark.parametrize("index", [10.0, 10.25, 10.5, 10.75])
def test_whole_pixel_square(index, side):
    corner, pixels = get_subwindow_corner(index, side)
    center, found = cropping.whole_pixel_square(jnp.full(2, index), jnp.float32(side))
    # Pixel k covers [k, k + 1): the left edge is the left-most pixel's index.
    assert found == pixels
    np.testing.assert_array_equal(center - found / 2, [corner, corner])


@pytest.mark.parametrize("side", [50.4, 51.5, 99.0, 163.7])
def test_video_analysts_affine_map(side):
    # In index coordinates: pixel 0 of the crop on the outermost, size - 1 on the last.
    center, size, pixels = np.array([90.3, 101.8]), 32, round(side)
    step = (pixels - 1) / (size - 1)
    expected = center - 0.5 - (pixels - 1) / 2 + step * np.arange(size)[:, None]
    seen = cropping.corner_to_corner(jnp.float32(side), size)
    taps = crop.list_taps(
        jnp.array([200, 200]), jnp.asarray(center), seen, size, antialias=False
    )
    found = np.sum(np.asarray(taps.index) * np.asarray(taps.weights), axis=1)
    np.testing.assert_allclose(found.T, expected, atol=2e-4)


def test_vmap_crops_as_one_video_does():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 40, 48, 3), dtype=np.uint8)
    hw = jnp.array([[40, 48], [30, 44]])
    centers, sides = jnp.array([[20.0, 13.0], [4.5, 31.0]]), jnp.array([9.0, 30.0])
    # One is averaged over blocks of 2 x 2 pixels.
    taps = jax.vmap(functools.partial(crop.list_taps, size=8))(hw, centers, sides)
    aims = cropping.Aim(taps, *[jnp.zeros((2, 1))] * 4)
    frames = Frame(jnp.asarray(images), hw)
    cut = jax.jit(cropping.cut)
    for axis in (0, None):  # As many videos, or one with two targets.
        seen = frames if axis == 0 else jax.tree.map(lambda a: a[0], frames)
        found = jax.jit(jax.vmap(cropping.cut, (axis, 0)))(seen, aims)
        for k in range(2):
            frame = jax.tree.map(lambda a, k=k: a[k], frames) if axis == 0 else seen
            alone = cut(frame, jax.tree.map(lambda a, k=k: a[k], aims))
            np.testing.assert_allclose(found[k], alone, atol=1e-3)
