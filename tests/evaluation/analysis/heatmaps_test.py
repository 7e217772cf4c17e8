"""Tests for jaxtrack.evaluation.analysis.heatmaps, with maps made by hand."""

import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation.analysis import heatmaps, probing
from jaxtrack.ops import grid
from jaxtrack.tracking.state import Probe
from tests.evaluation import fixtures
from tests.whole_frames import of_whole_frames

# Cells look at 2, 6, 10, ..., 30 of a crop of 32 pixels.
GEOMETRY = grid.Geometry(16, 32, 8, 4, 2.0)


def prober(hot=(4, 4), quality=0.0):
    """A tracker that is certain of one cell; its box is the last one moved by 3 px."""

    def probe(variables, state, frame):
        cls = jnp.zeros((8, 8), jnp.float32).at[hot].set(1.0)
        box = jnp.concatenate(
            [state.box[:2] - state.box[2:] / 2, state.box[:2] + state.box[2:] / 2]
        )
        xyxy = jnp.zeros((8, 8, 4), jnp.float32).at[hot].set(box + 3)
        return Probe(cls, jnp.full_like(cls, quality), cls, xyxy)

    return probing.make_prober(of_whole_frames(fixtures.init, probe, probe=probe), {})


def views(video, frames=(3,), **options):
    made = prober(**options)
    looks = probing.teacher_forced(made, video, only=frames)
    return [heatmaps.view(look, geometry=GEOMETRY, context=0.5) for look in looks]


def test_search_region_hand_computed():
    # A box of 40 x 40 with 0.5 * (40 + 40) around has a side of 80; 127 crop pixels
    # are 80 px, so 255 are 160.63; the center is (100, 50).
    geometry = grid.Geometry(127, 255, 25, 8, 32.0)
    region, scale = heatmaps.search_region(geometry, 0.5, np.array([80.0, 30, 120, 70]))
    assert scale == pytest.approx(127 / 80)
    half = 255 * 80 / 127 / 2
    expected = [100 - half, 50 - half, 100 + half, 50 + half]
    np.testing.assert_allclose(region, expected, rtol=1e-6)


def test_a_view_places_maps_in_the_frame(videos):
    video = videos[1]
    first, second = views(video, (2, 4), hot=(1, 6), quality=0.25)
    assert (first.maps.frame, second.maps.frame) == (2, 4)
    # The last box is 16 x 12 px from (10, 9): with half of the mean side around it
    # 28 x 26 px, whose root of the area is the template's 16 crop pixels.
    scale = 16 / np.sqrt((16 + 14) * (12 + 14))
    center = np.array([10.0 + 8, 9 + 6])
    half = 32 / scale / 2
    np.testing.assert_allclose(
        first.region, [*(center - half), *(center + half)], rtol=1e-6
    )
    # Cells look at 2, 6, ..., 30 crop pixels; a map reaches half a cell beyond.
    np.testing.assert_allclose(first.extent, first.region, rtol=1e-6)
    np.testing.assert_allclose(first.maps.truth, video.xyxy[2])
    np.testing.assert_allclose(first.maps.xyxy[1, 6], video.xyxy[1] + 3)
    assert first.maps.quality.min() == first.maps.quality.max() == 0.25
    # The picture is cut to the region, as far as that lies in the frame.
    x0, y0 = np.maximum(first.region[:2], 0).astype(int)
    height, width = first.maps.image.shape[:2]
    assert x0 + width == min(64, int(first.region[2]) + 1)
    assert y0 + height == min(48, int(first.region[3]) + 1)


def test_damaged_frame_is_named(videos):
    videos[1].frames[3].write_bytes(b"")
    with pytest.raises(InputError, match=r"0004\.png"):
        views(videos[1])
