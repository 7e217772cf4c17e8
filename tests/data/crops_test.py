"""Tests for jaxtrack.data.crops."""

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.data import crops, encoding, frames
from jaxtrack.ops import crop as device_crop

from .conftest import encode, scene

FILL = np.array([10.0, 120.0, 200.0])

crop_on_device = jax.jit(device_crop.crop_and_resize, static_argnums=4)


def texture(hw=(120, 160)):
    """A random image with detail of a few pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (*hw, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def view(x, y, width, height=None):
    return crops.View(np.array([x, y], float), np.array([width, height or width]))


def numpy_crop(image, v, size, fill):
    """The definition in float64: bilinear, `fill` outside, no averaging."""
    height, width = image.shape[:2]
    offsets = (np.arange(size) + 0.5) / size - 0.5
    xs = v.center_xy[0] + offsets * v.sides_xy[0] - 0.5
    ys = v.center_xy[1] + offsets * v.sides_xy[1] - 0.5

    def pixel(row, column):
        if 0 <= row < height and 0 <= column < width:
            return image[row, column].astype(float)
        return fill

    out = np.empty((size, size, 3))
    for i, y in enumerate(ys):
        for j, x in enumerate(xs):
            row, column = int(np.floor(y)), int(np.floor(x))
            b, a = y - row, x - column
            top = (1 - a) * pixel(row, column) + a * pixel(row, column + 1)
            low = (1 - a) * pixel(row + 1, column) + a * pixel(row + 1, column + 1)
            out[i, j] = (1 - b) * top + b * low
    return out


@pytest.mark.parametrize(
    "v",
    [view(70.3, 60.8, 30), view(70.3, 60.8, 40.5, 22.2), view(3.2, 110.9, 35.5, 30)],
)
def test_matches_the_definition(v):
    image = texture()
    # Rounding to uint8, and OpenCV's steps of 1/32 pixel in older versions: a level.
    np.testing.assert_allclose(
        crops.cut(frames.whole(image), v, 24, FILL),
        numpy_crop(image, v, 24, FILL),
        atol=1,
    )


def test_equals_the_crop_on_the_device():
    image, size = texture((118, 157)), 40
    frame = jnp.asarray(image), jnp.array([118, 157])
    for x, y, side in (
        (70.3, 60.8, 40.0),  # Enlarged.
        (70.3, 60.8, 50.0),  # Shrunk a little.
        (80.1, 55.5, 90.0),  # By more than 1.61: averaged by 2.
        (80.1, 55.5, 150.0),  # By more than 3.22: averaged by 4, beyond the image.
        (2.5, 117.0, 38.0),  # Over a corner.
        *((2.5, 117.0, 90.0), (159.0, 3.0, 140.0)),
    ):
        host = crops.cut(frames.whole(image), view(x, y, side), size, FILL)
        where = jnp.array([x, y]), jnp.float32(side)
        device = crop_on_device(*frame, *where, size, jnp.asarray(FILL, jnp.float32))
        # Averaging rounds to whole levels on the host, and so does the result.
        np.testing.assert_allclose(host, device, atol=1.01)


def test_a_reduced_frame_gives_the_same_crop():
    data = encode(scene(0, (240, 320)))
    v = view(150.0, 130.0, 48 * 3.3)
    assert crops.reduction(v, 48) == 4
    whole = crops.cut(frames.whole(encoding.decode(data, "a")), v, 48, FILL)
    for reduced in (2, 4):
        small = encoding.decode(data, "a", reduction=reduced)
        crop = crops.cut(frames.whole(small, reduced=reduced), v, 48, FILL)
        assert np.abs(crop.astype(int) - whole).mean() < 1.5
        # One crop pixel off, they differ by more than three times that.
        assert np.abs(crop[:, 1:].astype(int) - whole[:, :-1]).mean() > 4.5


def test_a_view_far_outside_is_the_fill():
    for side in (20.0, 300.0):
        crop = crops.cut(frames.whole(texture()), view(900, 900, side), 16, FILL)
        assert (crop == FILL.astype(np.uint8)).all()


def test_context_side():
    # p = (10 + 30) / 2 = 20: sqrt((10 + 20) (30 + 20)) = sqrt(1500).
    assert crops.context_side(np.array([10, 30])) == pytest.approx(np.sqrt(1500))
    # Without context the side of a square of the box's area.
    assert crops.context_side(np.array([10, 40]), context=0.0) == pytest.approx(20)


def test_boxes_in_the_crop():
    # The view spans x 80..120 and y 40..60; the crop has 100 px: 2.5 and 5 px a px.
    v = view(100, 50, 40, 20)
    np.testing.assert_allclose(
        crops.to_crop(np.array([90, 45, 110, 65]), v, 100), [25, 25, 75, 125]
    )


def test_a_box_moves_with_the_pixels():
    image = np.zeros((100, 100, 3), np.uint8)
    image[30:50, 40:70] = 255  # Rows 30..50, columns 40..70.
    v = view(52.3, 41.7, 60, 50)
    x0, y0, x1, y1 = crops.to_crop(np.array([40, 30, 70, 50]), v, 64)
    crop = crops.cut(frames.whole(image), v, 64, np.zeros(3))[..., 0] / 255
    # The mass of the white rectangle is the area of the box.
    np.testing.assert_allclose(crop.sum(), (x1 - x0) * (y1 - y0), rtol=0.02)
    rows, columns = np.mgrid[:64, :64] + 0.5
    center = [(crop * columns).sum() / crop.sum(), (crop * rows).sum() / crop.sum()]
    np.testing.assert_allclose(center, [(x0 + x1) / 2, (y0 + y1) / 2], atol=0.05)


def test_reduction():
    for ratio, expected in ((1.6, 1), (1.62, 2), (3.25, 4)):
        # Twice as wide and half as high averages as much.
        for sides in ((100 * ratio,), (200 * ratio, 50 * ratio)):
            assert crops.reduction(view(0, 0, *sides), 100) == expected


def test_a_crop_inside_never_reads_the_fill():
    image, rng, inside = texture(), np.random.default_rng(0), 0
    for _ in range(300):
        v = view(*rng.uniform(0, 160, 2), *rng.uniform(5, 150, 2))
        if crops.is_inside(v, 20, image.shape[:2]):
            inside += 1
            np.testing.assert_array_equal(
                crops.cut(frames.whole(image), v, 20, FILL),
                crops.cut(frames.whole(image), v, 20, 255 - FILL),
            )
    assert inside > 20


def test_the_part_of_the_frame():
    # Crop pixels of one frame pixel; the frame's left edge falls on crop column 5.
    rows, columns = crops.frame_part(view(5, 50, 20), 20, (100, 100))
    assert (rows, columns) == (slice(0, 20), slice(5, 20))
    rows, columns = crops.frame_part(view(97, 99, 20), 20, (100, 100))
    assert (rows, columns) == (slice(0, 11), slice(0, 13))
    rows, columns = crops.frame_part(view(500, 50, 20), 20, (100, 100))
    assert columns.start == columns.stop
