"""Tests for jaxtrack.ops.regrid."""

import jax.numpy as jnp
import numpy as np

from jaxtrack.ops import grid, regrid

NANO = grid.Geometry(127, 255, 16, 16, -0.5)
LITE = grid.Geometry(128, 256, 32, 8, 4.0)


def test_cells_keep_their_place_around_the_middle():
    # Cell 8 of NanoTrack looks at 127.5, the middle of its 255 px, so at the middle of
    # the other crop; its next cell lies 16 * 128 / 127 px further.
    line = regrid.line_in(NANO, LITE)
    np.testing.assert_allclose(line.offset + 8 * line.stride, 128)
    np.testing.assert_allclose(line.stride, 16 * 128 / 127)


def test_a_map_that_is_linear_in_the_place_stays_so():
    line = regrid.line_in(NANO, LITE)
    cells = line.offset + line.stride * np.arange(16)
    values = jnp.asarray(np.stack(np.meshgrid(cells, cells), -1)[None], jnp.float32)
    found = regrid.resample_map(values, NANO, LITE)
    # Beyond the outermost cells their values are repeated.
    places = np.clip(grid.points(LITE), cells[0], cells[-1])
    np.testing.assert_allclose(found[0], places, rtol=1e-5, atol=1e-3)


def test_a_crop_in_another_size_shows_the_same_square():
    # Gray level is the place in the larger crop: the middle stays in the middle.
    ramp = np.arange(256) + 0.5
    image = np.broadcast_to(ramp[None, None, :, None], (1, 256, 256, 3))
    found = regrid.resample_crop(image, 255, 128 / 127)[0, 7, :, 0]
    expected = 128 + (np.arange(255) + 0.5 - 127.5) * 128 / 127
    np.testing.assert_allclose(found, np.clip(expected, 0.5, 255.5), rtol=1e-5)


def test_what_lies_on_the_same_grid_is_not_touched():
    values = jnp.ones((1, 32, 32))
    assert regrid.resample_map(values, LITE, LITE) is values
    image = jnp.ones((1, 8, 8, 3))
    assert regrid.resample_crop(image, 8, 1.0) is image
