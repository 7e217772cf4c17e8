"""Tests for jaxtrack.evaluation.heatmaps, with maps made by hand."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import heatmaps, plots, probing
from jaxtrack.ops import grid
from jaxtrack.tracking import Tracker, TrackerState
from jaxtrack.tracking.state import Probe

# Cells look at 2, 6, 10, ..., 30 of a crop of 32 pixels.
GEOMETRY = grid.Geometry(16, 32, 8, 4, 2.0)


def lens(place=0, hot=(4, 4), quality=0.0):
    """A tracker that is certain of one cell; its box is the last one moved by 3 px."""

    def init(variables, frame, box):
        fill = jnp.zeros(3, jnp.float32)
        return TrackerState(template=jnp.zeros(1, jnp.float32), box=box, fill=fill)

    def probe(variables, state, frame):
        cls = jnp.zeros((8, 8), jnp.float32).at[hot].set(1.0)
        box = jnp.concatenate(
            [state.box[:2] - state.box[2:] / 2, state.box[:2] + state.box[2:] / 2]
        )
        xyxy = jnp.zeros((8, 8, 4), jnp.float32).at[hot].set(box + 3)
        return Probe(cls, jnp.full_like(cls, quality), cls, xyxy)

    prober = probing.make_prober(Tracker(init, None, probe), {})
    color = plots.color_of(place)
    return heatmaps.Lens(f"t{place}", color, prober, GEOMETRY, 0.5)


def drawn(lenses, video, frames=(3,)):
    jpeg = heatmaps.draw(lenses, video, list(frames))
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
    return image.astype(int)


def panel(image, column):
    """Roughly one of the four pictures of a one-row figure, without labels."""
    left = 60 + int(column * 238)
    return image[40:250, left : left + 225]


def yellow(image):
    """Middle of what is at the top of the colour map."""
    red, green, blue = np.moveaxis(image, -1, 0)
    rows, columns = np.nonzero((red > 150) & (green > 150) & (blue < 110))
    return (rows.mean(), columns.mean()) if len(rows) else None


def test_search_region_hand_computed():
    # A box of 40 x 40 with 0.5 * (40 + 40) around has a side of 80; 127 crop pixels
    # are 80 px, so 255 are 160.63; the centre is (100, 50).
    geometry = grid.Geometry(127, 255, 25, 8, 32.0)
    region, scale = heatmaps.search_region(geometry, 0.5, np.array([80.0, 30, 120, 70]))
    assert scale == pytest.approx(127 / 80)
    half = 255 * 80 / 127 / 2
    expected = [100 - half, 50 - half, 100 + half, 50 + half]
    np.testing.assert_allclose(region, expected, rtol=1e-6)


def test_a_cell_lies_where_it_looks(videos):
    panels = {
        hot: panel(drawn([lens(hot=hot)], videos[1]), 2)
        for hot in ((1, 1), (1, 6), (6, 1), (6, 6))
    }
    places = {hot: np.array(yellow(image)) for hot, image in panels.items()}
    # Five cells are 20 crop pixels.
    unit = (places[6, 6] - places[1, 1]).mean() / 20
    assert 5 < unit < 8
    for hot, place in places.items():
        expected = 4 * unit * (np.array(hot) - 1)
        np.testing.assert_allclose(place - places[1, 1], expected, atol=1.5)
    # The crop's centre, 16, is that of the last box; the target is 2 px to the right of
    # it, which is 2 * 16 / sqrt((16 + 14) * (12 + 14)) crop pixels; cell 6 is at 26.
    white = np.all(panels[6, 6][20:150, 20:205] > 225, axis=-1)
    truth = np.mean(np.nonzero(white), axis=1) + 20
    expected = unit * np.array([10, 10 - 2 * 16 / np.sqrt(30 * 26)])
    np.testing.assert_allclose(places[6, 6] - truth, expected, atol=3)


def test_maps_are_on_one_scale(videos):
    low = drawn([lens(quality=0.0)], videos[1])
    high = drawn([lens(quality=1.0)], videos[1])
    half = drawn([lens(quality=0.5)], videos[1])
    assert yellow(panel(low, 1)) is None and yellow(panel(half, 1)) is None
    assert yellow(panel(high, 1)) is not None
    # The other maps are the same.
    assert abs(panel(low, 3) - panel(high, 3)).mean() < 2


def test_rows_are_frames_and_trackers(videos):
    one = drawn([lens(0)], videos[1])
    four = drawn([lens(0), lens(1)], videos[1], frames=(2, 4))
    assert one.shape[1] == four.shape[1]
    assert 3.5 < four.shape[0] / one.shape[0] < 4.2

    def has(image, place):
        rgb = np.array(list(bytes.fromhex(plots.color_of(place)[1:])))
        return np.sum(np.all(abs(image - rgb) < 40, axis=-1)) > 50

    assert has(one, 0) and not has(one, 1)
    quarter = four.shape[0] // 4
    rows = [four[k * quarter : (k + 1) * quarter] for k in range(4)]
    assert [(has(r, 0), has(r, 1)) for r in rows] == [
        *((True, False), (False, True)),
        *((True, False), (False, True)),
    ]


def test_true_box_is_white_in_every_picture(videos):
    image = drawn([lens()], videos[1])
    for column in range(4):
        white = np.all(panel(image, column)[20:190, 20:190] > 225, axis=-1)
        assert white.sum() > 50


def test_odd_names_and_overflow_are_drawn(videos):
    odd = lens()._replace(name="a $x$ <b> _")
    assert drawn([odd], videos[1]).shape[0] > 100
    broken = lens(quality=np.nan)
    assert drawn([broken], videos[1]).shape[0] > 100


def test_damaged_frame_is_named(videos):
    videos[1].frames[3].write_bytes(b"")
    with pytest.raises(InputError, match=r"0004\.png"):
        heatmaps.draw([lens()], videos[1], [3])
