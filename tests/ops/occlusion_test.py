"""Tests for jaxtrack.ops.occlusion."""

import jax
import numpy as np
import pytest

from jaxtrack.ops import occlusion

from . import camera

KEYS = jax.random.split(jax.random.key(2), 40)
COVER = jax.jit(jax.vmap(occlusion.random_occluder, (0, None, None)))


@pytest.mark.parametrize("is_ellipse", [False, True])
def test_a_piece_shows_what_lies_opposite_mirrored(is_ellipse):
    image = camera.picture(40, 40)
    covered = jax.jit(occlusion.cover)
    for piece in ((5, 8, 14, 20), (20, 0, 40, 31), (0, 39, 1, 40)):
        piece = np.int32(piece)
        expected = camera.cover(image, piece, is_ellipse=is_ellipse)
        found, is_covered = covered(image, piece, is_ellipse=is_ellipse)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(found[~is_covered], image[~is_covered])


def test_a_piece_by_hand():
    # Opposite of columns 0 1 2 3 are 2 3 0 1; the second and third of them, mirrored:
    # 0 3. Rows likewise, but not mirrored: row 1 shows row 3.
    image = np.arange(16, dtype=np.uint8).reshape(4, 4, 1).repeat(3, 2)
    piece = np.int32([1, 1, 3, 2])
    covered, is_covered = occlusion.cover(image, piece, is_ellipse=np.False_)
    expected = np.arange(16).reshape(4, 4)
    expected[1, 1:3] = [12, 15]
    np.testing.assert_array_equal(covered[..., 0], expected)
    np.testing.assert_array_equal(np.argwhere(is_covered), [[1, 1], [1, 2]])


def test_an_occluder_covers_part_of_the_target_with_its_surroundings():
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 40:60] = 255  # The target; what lies around is black.
    covered, is_covered = COVER(KEYS, image, np.float32([40, 40, 60, 60]))
    covered = np.asarray(covered)
    shares = (covered[:, 40:60, 40:60, 0] == 0).mean(axis=(1, 2))
    # At most 0.7 x 0.7 of the target.
    assert shares.min() > 0 and 0.2 < shares.max() <= 0.55
    inside = np.asarray(is_covered)[:, 40:60, 40:60]
    np.testing.assert_array_equal(inside, covered[:, 40:60, 40:60, 0] == 0)


def test_an_occluder_of_a_target_outside_of_the_crop_is_nothing():
    image = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    covered, is_covered = COVER(KEYS, image, np.float32([200, 200, 220, 220]))
    np.testing.assert_array_equal(covered, np.broadcast_to(image, covered.shape))
    assert not is_covered.any()
