"""Tests for jaxtrack.ops.crop."""

import functools

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.ops import crop
from tests.gradients import check_gradients

FILL = np.array([100.0, 50.0, 200.0], np.float32)


def noise(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def on_canvas(image, height, width):
    """Puts the image into the top-left corner of a canvas of other noise."""
    canvas = noise(height, width, seed=9)
    canvas[: image.shape[0], : image.shape[1]] = image
    return canvas


def numpy_crop(image, center_xy, side, size, block=1):
    """The definition in float64, a pixel at a time, on a copy averaged over blocks."""
    height, width = image.shape[:2]

    def pixel(y, x):
        inside = 0 <= y < height and 0 <= x < width
        return image[y, x].astype("f8") if inside else FILL.astype("f8")

    def texel(i, j):
        ys, xs = range(i * block, (i + 1) * block), range(j * block, (j + 1) * block)
        return np.mean([pixel(y, x) for y in ys for x in xs], axis=0)

    out = np.empty((size, size, 3))
    for i, j in np.ndindex(size, size):
        x = (center_xy[0] + ((j + 0.5) / size - 0.5) * side) / block - 0.5
        y = (center_xy[1] + ((i + 0.5) / size - 0.5) * side) / block - 0.5
        x0, y0 = int(np.floor(x)), int(np.floor(y))
        fx, fy = x - x0, y - y0
        top = (1 - fx) * texel(y0, x0) + fx * texel(y0, x0 + 1)
        bottom = (1 - fx) * texel(y0 + 1, x0) + fx * texel(y0 + 1, x0 + 1)
        out[i, j] = (1 - fy) * top + fy * bottom
    return out


def get_subwindow(image, left, top, side, size):
    """Pads with the fill, slices and resizes on uint8, as public trackers do."""
    padded = np.empty((image.shape[0] + 2 * side, image.shape[1] + 2 * side, 3), "u1")
    padded[:] = FILL.astype("u1")
    padded[side:-side, side:-side] = image
    patch = padded[top + side : top + 2 * side, left + side : left + 2 * side]
    return cv2.resize(patch, (size, size), interpolation=cv2.INTER_LINEAR)


@functools.cache  # One function a size, so that jit compiles it once a shape.
def cropper(size, antialias=True):
    def call(image, hw, center, side, fill):
        return crop.crop_and_resize(
            image, hw, center, side, size, fill, antialias=antialias
        )

    return call


def cropped(image, center, side, size, hw=None, variant=jax.jit, **options):
    hw = image.shape[:2] if hw is None else hw
    return variant(cropper(size, **options))(
        jnp.asarray(image),
        jnp.asarray(hw, jnp.int32),
        jnp.asarray(center, jnp.float32),
        jnp.float32(side),
        jnp.asarray(FILL),
    )


@pytest.mark.parametrize(
    ("center", "side", "block"),
    [
        ((15.3, 9.8), 11.0, 1),  # Inside.
        ((0.4, 21.7), 13.5, 1),  # Over the left and bottom borders.
        ((17.0, 11.0), 22.7, 2),  # 2.5 pixels a cell.
        ((2.2, 1.9), 21.3, 2),
        ((14.1, 12.6), 61.0, 4),  # The whole image and much around it.
    ],
)
def test_matches_definition(variant, center, side, block):
    image = noise(24, 31)
    out = cropped(on_canvas(image, 32, 40), center, side, 9, (24, 31), variant)
    expected = numpy_crop(image, center, side, 9, block)
    np.testing.assert_allclose(out, expected, rtol=0, atol=5e-3)


def test_without_antialias_samples_the_image_itself():
    image = noise(24, 31)
    out = cropped(image, (14.1, 12.6), 61.0, 9, antialias=False)
    expected = numpy_crop(image, (14.1, 12.6), 61.0, 9)
    np.testing.assert_allclose(out, expected, rtol=0, atol=5e-3)


@pytest.mark.parametrize(
    ("left", "top"), [(40, 30), (-20, -5), (150, 60), (-30, 95), (170, 110)]
)
@pytest.mark.parametrize("side", [63, 95, 127])
def test_agrees_with_public_get_subwindow(left, top, side):
    image = noise(120, 180)
    center = (left + side / 2, top + side / 2)
    out = cropped(image, center, side, 79)
    public = get_subwindow(image, left, top, side, 79)
    # Where OpenCV enlarges, it repeats the patch's border; the crop reads beyond it.
    inner = slice(1, -1) if side < 79 else slice(None)
    difference = np.abs(out - public.astype("f4"))[inner, inner]
    # OpenCV rounds, to whole levels and in its weights of 1/2048.
    assert difference.max() <= 1


@pytest.mark.parametrize("hw", [(40, 50), (33, 47)])
def test_whole_pixels_are_copied(hw):
    # A square of `size` whole pixels: left edge 7, top edge 5, no half-pixel slip.
    image = noise(*hw)
    out = cropped(on_canvas(image, 64, 64), (7 + 8, 5 + 8), 16, 16, hw)
    np.testing.assert_allclose(out, image[5:21, 7:23].astype("f4"), atol=1e-3)


def test_far_outside_is_all_fill():
    for center in [(-1e4, 5.0), (5.0, 1e12), (5.0, -1e12), (1e30, -1e30)]:
        out = cropped(noise(24, 31), center, 20, 9)
        np.testing.assert_array_equal(out, np.broadcast_to(FILL, (9, 9, 3)))


@pytest.mark.parametrize("side", [10.0, 25.0, 60.0])
def test_canvas_size_does_not_matter(side):
    image = noise(24, 31)
    crops = [
        cropped(on_canvas(image, *canvas), (22.2, 14.9), side, 9, (24, 31))
        for canvas in [(24, 31), (32, 64)]
    ]
    np.testing.assert_allclose(*crops, rtol=0, atol=1e-4)


def test_moving_image_and_square_together_changes_nothing():
    image = noise(20, 22)
    moved = np.full((24, 31, 3), 7, np.uint8)
    moved[3:23, 5:27] = image
    here = cropped(on_canvas(image, 24, 31), (10.3, 9.1), 14.0, 9, (20, 22))
    there = cropped(moved, (15.3, 12.1), 14.0, 9)
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-3)


def test_antialias_removes_fine_stripes():
    # Stripes two pixels wide, sampled every five: the mean is right, the stripes wrong.
    image = np.zeros((200, 200, 3), np.uint8)
    image[:, (np.arange(200) % 4) < 2] = 200
    plain = cropped(image, (100, 100), 150, 30, antialias=False)
    smooth = cropped(image, (100, 100), 150, 30)
    assert np.std(plain) > 50
    np.testing.assert_allclose(smooth, 100, atol=1)


def test_vmap_equals_one_by_one():
    images = np.stack([noise(24, 31, seed) for seed in range(3)])
    centers = np.array([[10.0, 12.0], [1.0, 3.0], [25.5, 20.2]], np.float32)
    sides = np.array([9.0, 24.0, 50.0], np.float32)  # One of each level.

    def call(image, center, side):
        hw = jnp.array([24, 31])
        return crop.crop_and_resize(image, hw, center, side, 9, jnp.asarray(FILL))

    together = jax.jit(jax.vmap(call))(images, centers, sides)
    alone = [
        cropped(image, center, side, 9)
        for image, center, side in zip(images, centers, sides, strict=True)
    ]
    np.testing.assert_allclose(together, np.stack(alone), rtol=0, atol=1e-4)


@jax.jit
def smooth_crop(image, center, side, fill):
    return crop.crop_and_resize(image, jnp.array([12, 12]), center, side, 3, fill)


@pytest.mark.parametrize(
    ("center", "side"), [((6.23, 5.61), 4.1), ((1.13, 9.37), 9.3), ((6.1, 6.3), 22.3)]
)
def test_gradients(center, side):
    # A smooth image; samples stay off pixel centers, where bilinear slopes jump.
    y, x = np.mgrid[:12, :12]
    waves = [np.sin(0.3 * x + 0.2 * y), np.cos(0.25 * x), 0.1 * x + 0.05 * y]
    image = np.stack(waves, -1).astype(np.float32)

    offsets = (np.arange(3) + 0.5) / 3 - 0.5
    block = 1 if side < 1.61 * 3 else 2 if side < 3.22 * 3 else 4
    samples = np.add.outer(center, offsets * side) / block - 0.5
    assert np.abs(samples - np.round(samples)).min() > 5e-3
    arguments = (image, np.array(center, "f4"), np.float32(side), FILL / 100)
    check_gradients(smooth_crop, arguments, atol=2e-2, rtol=2e-2, eps=2e-3)


def test_mean_color_leaves_out_the_canvas(variant):
    image = noise(24, 31)
    mean = variant(crop.mean_color)(on_canvas(image, 32, 40), np.array([24, 31]))
    np.testing.assert_allclose(mean, image.mean((0, 1)), rtol=1e-6)


def test_mean_color_of_a_large_bright_image_is_exact():
    # Added up in float32 in one go, millions of 255s stall.
    image = jnp.full((1088, 1920, 3), 255, jnp.uint8)
    mean = jax.jit(crop.mean_color)(image, jnp.array([1080, 1920]))
    np.testing.assert_allclose(mean, 255, rtol=1e-6)


def test_mean_color_of_nothing_is_zero():
    mean = crop.mean_color(jnp.asarray(noise(4, 4)), jnp.array([0, 0]))
    np.testing.assert_array_equal(mean, [0, 0, 0])


def test_bad_shapes():
    hw, center = jnp.array([8, 8]), jnp.zeros(2)
    with pytest.raises(ValueError, match=r"image \(8, 8\)"):
        crop.crop_and_resize(jnp.zeros((8, 8)), hw, center, 4.0, 4, jnp.zeros(3))
    with pytest.raises(ValueError, match=r"fill \(1,\)"):
        crop.crop_and_resize(jnp.zeros((8, 8, 3)), hw, center, 4.0, 4, jnp.zeros(1))
