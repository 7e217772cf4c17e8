"""Tests for jaxtrack.data.encoding."""

import cv2
import numpy as np
import pytest

from jaxtrack.data import encoding
from jaxtrack.datasets import depth
from jaxtrack.errors import InputError

from .conftest import encode, scene


def test_decoding_gives_what_opencv_gives():
    data = encode(scene(0))
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    # Both use libjpeg-turbo; builds may round differently by a level.
    np.testing.assert_allclose(encoding.decode(data, "a"), expected[:, :, ::-1], atol=1)


def test_encoding_keeps_the_order_of_colors():
    image = np.zeros((16, 16, 3), np.uint8)
    image[..., 0] = 200
    decoded = encoding.decode(encode(image), "a")
    np.testing.assert_allclose(decoded, image, atol=3)


@pytest.mark.parametrize("reduction", [2, 4, 8])
def test_reduced_pixels_are_averages_of_blocks(reduction):
    image = scene(0, (64, 96))
    decoded = encoding.decode(encode(image), "a", reduction=reduction)
    blocks = image.reshape(64 // reduction, reduction, 96 // reduction, reduction, 3)
    # Low frequencies of a block instead of its mean: equal where the image is smooth.
    # A shift of half a reduced pixel would change this image by up to 25 levels.
    tolerance = {2: 6, 4: 8, 8: 12}[reduction]
    np.testing.assert_allclose(decoded, blocks.mean(axis=(1, 3)), atol=tolerance)
    assert np.abs(decoded - blocks.mean(axis=(1, 3))).mean() < 2


def test_reduced_sides_are_rounded_up():
    data = encode(scene(0, (45, 63)))
    assert encoding.decode(data, "a", reduction=2).shape == (23, 32, 3)
    assert encoding.decode(data, "a", reduction=4).shape == (12, 16, 3)
    with pytest.raises(ValueError, match="reduction 3"):
        encoding.decode(data, "a", reduction=3)


def test_damaged_bytes_are_named():
    data = encode(scene(0))
    for cut in (len(data) // 2, 10):
        for reduction in (1, 2):
            with pytest.raises(InputError, match="frame 7: damaged JPEG"):
                encoding.decode(data[:cut], "frame 7", reduction=reduction)


def test_a_sound_file_is_kept_as_it_is(tmp_path):
    data = encode(scene(0, (45, 63)))
    (tmp_path / "a.jpg").write_bytes(data)
    picture = encoding.read(tmp_path / "a.jpg")
    assert picture.data == data and picture.image.shape == (45, 63, 3)


def test_a_png_file_has_no_jpeg_bytes(tmp_path):
    image = scene(0)
    cv2.imwrite(str(tmp_path / "a.png"), image[:, :, ::-1])
    picture = encoding.read(tmp_path / "a.png")
    assert picture.data is None
    np.testing.assert_array_equal(picture.image, image)


def test_webp_is_decoded_whole_and_averaged():
    image = scene(0, (64, 96))
    data = encoding.encode(image, format="webp")
    assert np.abs(encoding.decode(data, "a").astype(int) - image).mean() < 3
    blocks = image.reshape(32, 2, 48, 2, 3).mean(axis=(1, 3))
    small = encoding.decode(data, "a", reduction=2)
    assert small.shape == blocks.shape and np.abs(small - blocks).mean() < 3
    with pytest.raises(InputError, match="frame 7: damaged WebP"):
        encoding.decode(data[:20], "frame 7")


def test_masks_keep_every_pixel():
    mask = np.random.default_rng(0).random((13, 21)) < 0.3
    data = encoding.encode_mask(mask)
    np.testing.assert_array_equal(encoding.decode_mask(data, "m"), mask)
    with pytest.raises(InputError, match="m: cannot read the mask"):
        encoding.decode_mask(data[:9], "m")


def test_a_grey_file_is_read_as_three_channels(tmp_path):
    gray = scene(0)[..., 0]
    cv2.imwrite(str(tmp_path / "a.jpg"), gray)
    image = encoding.read(tmp_path / "a.jpg").image
    assert image.shape == (*gray.shape, 3)
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_a_turned_photograph_is_stored_upright(tmp_path):
    image = scene(0, (32, 64))
    # An Exif block whose one entry (tag 0x0112, orientation) is 6: turn clockwise.
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0\0\0\0"
    block = b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif
    data, profile = encode(image), b"\xff\xe2\x13\x88" + bytes(4998)
    (tmp_path / "a.jpg").write_bytes(data[:2] + profile + block + data[2:])
    picture = encoding.read(tmp_path / "a.jpg")
    assert picture.data is None  # It is stored upright.
    difference = picture.image.astype(int) - np.rot90(image, -1)
    assert np.abs(difference).mean() < 3


def test_a_file_that_is_no_image_is_named(tmp_path):
    path = tmp_path / "x.jpg"
    with pytest.raises(InputError, match="x.jpg: cannot read"):
        encoding.read(path)
    for content, message in ((b"", "empty"), (b"hello", "not an image")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"x.jpg: {message}"):
            encoding.read(path)


def test_a_header_that_promises_too_many_pixels_is_refused(tmp_path):
    data = bytearray(encode(scene(0)))
    place = data.index(b"\xff\xc0") + 5  # Height and width in the frame's header.
    data[place : place + 4] = b"\xfd\xe8\xfd\xe8"
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(InputError, match="a.jpg: JPEG of 65000 x 65000 pixels"):
        encoding.read(tmp_path / "a.jpg")


def test_deep_pictures_are_stretched_by_the_range_of_their_sequence(tmp_path):
    # 12 of 16 bits: the upper eight alone are nearly black.
    paths = [tmp_path / f"{number}.png" for number in (1, 2)]
    for path, level in zip(paths, (300, 3900), strict=True):
        cv2.imwrite(str(path), np.full((4, 4, 3), level, np.uint16))
    span = depth.sequence_range(paths)
    levels = [encoding.read(path, span=span).image[0, 0, 0] for path in paths]
    assert levels == [0, 255]
    assert encoding.read(paths[1]).image.max() < 20


def test_pictures_of_eight_bits_among_deep_ones_stay_as_they_are(tmp_path):
    plain, photo, deep = (tmp_path / n for n in ("1.png", "2.jpg", "3.tif"))
    for path in (plain, photo):
        cv2.imwrite(str(path), np.full((4, 4, 3), 70, np.uint8))
    assert depth.sequence_range([plain, photo]) is None
    # Gray floats, as thermal cameras write them; a pixel is unknown.
    cv2.imwrite(str(deep), np.array([[290, 300, np.nan, 310]], np.float32))
    span = depth.sequence_range([plain, photo, deep])
    assert span == (290, 310, 32)
    for path in (plain, photo):
        assert encoding.read(path, span=span).image[0, 0].tolist() == [70, 70, 70]
    found = encoding.read(deep, span=span).image
    np.testing.assert_array_equal(found[0, :, 1], [0, 128, 0, 255])
