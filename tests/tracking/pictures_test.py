"""Tests for jaxtrack.tracking.pictures."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.tracking.pictures import to_boxes, to_rgb

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY = RGB[..., 0]


def test_what_is_a_picture_already_is_returned():
    assert to_rgb(RGB) is RGB


def test_a_picture_in_a_mapped_file_is_read(tmp_path):
    """A memmap has a mode, as pictures of PIL have: "r", of its file."""
    np.save(tmp_path / "video.npy", RGB[None])
    video = np.load(tmp_path / "video.npy", mmap_mode="r")
    np.testing.assert_array_equal(to_rgb(video[0]), RGB)


def test_converts():
    three = np.stack([GREY] * 3, axis=-1)
    cases = [
        (GREY, three),
        (GREY[..., None], three),
        (np.dstack([RGB, GREY]), RGB),
        (jnp.asarray(RGB), RGB),
        (RGB.astype(np.uint16) * 256 + 7, RGB),  # The low byte is dropped.
        (GREY.astype(np.uint16) * 257, three),
        (RGB.astype(np.uint16), RGB),
        (RGB.astype(np.float32) / 255, RGB),
        (RGB.astype(np.float64) / 255, RGB),
        (np.array([[-0.0005, 1.0005]], np.float16), [[[0] * 3, [255] * 3]]),
    ]
    for image, expected in cases:
        found = to_rgb(image)
        assert found.dtype == np.uint8 and found.flags.c_contiguous
        np.testing.assert_array_equal(found, expected)


def test_converts_the_modes_of_pil():
    image_lib = pytest.importorskip("PIL.Image")
    image = image_lib.fromarray(np.full((5, 7, 3), (255, 102, 51), np.uint8))
    for mode in ("RGB", "RGBA", "P", "PA", "CMYK", "YCbCr", "HSV"):
        found = to_rgb(image.convert(mode))
        assert np.abs(found.astype(int) - (255, 102, 51)).max() < 4, mode
    for mode in ("L", "LA", "1"):
        assert to_rgb(image.convert(mode)).shape == (5, 7, 3)


class OnAnotherDevice:
    """As a tensor of PyTorch on a GPU."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert; use Tensor.cpu()")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (RGB.transpose(2, 0, 1), r"channels first, \(3, 5, 7\): give \[H, W, 3\]"),
        (RGB[None], r"a batch, \(1, 5, 7, 3\): give one image after another"),
        (RGB[..., :2], r"the shape \(5, 7, 2\): give \[H, W, 3\] RGB, \[H, W\] gray"),
        (GREY[0], r"the shape \(7,\)"),
        (None, r"the shape \(\)"),
        (RGB[:0], r"empty: its shape is \(0, 7, 3\)"),
        (GREY[:, :0], r"empty: its shape is \(5, 0, 1\)"),
        (RGB.astype(np.int64), r"of int64: give uint8, such as image\.clip\(0, 255\)"),
        (GREY > 3, "of bool"),
        (OnAnotherDevice(), r"numpy cannot make one of it: .*Tensor\.cpu"),
        (np.full((2, 2), 255.0), r"floats from 255 to 255: scale them to \[0, 1\]"),
        (np.full((2, 2), -1.0), r"floats from -1 to -1"),
        (np.array([[np.nan, 0.5]]), "NaN among its pixels"),
        (np.array([[np.inf, 0.5]]), "floats from 0.5 to inf"),
    ],
)
def test_refuses_what_is_no_picture(image, message):
    with pytest.raises(InputError, match=message):
        to_rgb(image, where="frame 3")


def test_reads_boxes():
    box = [1, 2, 3.5, 4]
    for given in (box, tuple(box), [box], np.array(box, np.float32), jnp.array([box])):
        found = to_boxes(given)
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found, box)
    np.testing.assert_array_equal(to_boxes([box, box]), [box, box])
    for given in (box[:3], [box[:3]], [], np.zeros((0, 4)), np.zeros((1, 1, 4))):
        with pytest.raises(InputError, match="has the shape .* four numbers x, y"):
            to_boxes(given)
    for given in ("1,2,3,4", [box, box[:2]], None, {"x": 1}):
        with pytest.raises(InputError, match="give four numbers|has the shape"):
            to_boxes(given)
