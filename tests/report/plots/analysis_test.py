"""Tests for jaxtrack.report.plots.analysis."""

import numpy as np

from jaxtrack.report.plots import analysis as plots
from jaxtrack.report.plots import style
from tests.evaluation.analysis.heatmaps_test import views
from tests.report.plots.pixels import decoded, near


def dark(points, **options):
    """Where the line of means is drawn."""
    options = {"color": style.color_of(1), "title": "a $x$ [0.5]"} | options
    return near(decoded(plots.alignment_plot(points, **options)), style.INK)


def test_alignment_plot_shows_points_and_their_mean():
    rng = np.random.default_rng(0)
    points = np.stack([rng.random(500), np.full(500, 0.9)], axis=1)
    drawn = dark(points)
    # All points lie high: the lower half holds the legend's line alone.
    assert drawn[len(drawn) // 2 :].mean() < drawn.mean() / 4
    empty = dark(np.empty((0, 2)))
    # Four points are too few for a mean, five have one.
    few, some = (dark(np.tile([[0.5, 0.9]], (k, 1))) for k in (4, 5))
    assert empty.sum() <= few.sum() < some.sum() < drawn.sum()


def test_sweep_plot_keeps_colors_and_shows_small_spreads_as_small():
    curves = {"a": ((0.0, 0.5), (0.601, 0.6)), "_b $": ((0.0, 0.5), (0.602, 0.603))}
    image = decoded(plots.sweep_plot(curves))
    assert all(near(image, place).mean() > 1e-3 for place in (0, 1))
    # A difference of 0.001 is a hundredth of the range in view: the lines stay
    # together in the middle.
    image = image[:, : int(image.shape[1] * 0.6)]
    rows = np.nonzero(near(image, 0))[0]
    assert np.ptp(np.percentile(rows, [5, 95])) < 0.3 * image.shape[0]
    single = {"a": ((0.3,), (1.0,))}
    assert decoded(plots.sweep_plot(single)).shape[1] > 500


def drawn(video, trackers=({},), frames=(3,)):
    """Draws trackers, each told by what its maps show."""
    seen = {f"t{k}": views(video, frames, **one) for k, one in enumerate(trackers)}
    return decoded(plots.heatmaps(seen))


def panel(image, column):
    """Roughly one of the four pictures of a one-row figure, without labels."""
    left = 60 + int(column * 238)
    return image[40:250, left : left + 225]


def yellow(image):
    """Middle of what is at the top of the color map."""
    red, green, blue = np.moveaxis(image, -1, 0)
    rows, columns = np.nonzero((red > 150) & (green > 150) & (blue < 110))
    return (rows.mean(), columns.mean()) if len(rows) else None


def test_a_cell_lies_where_it_looks(videos):
    cells = (1, 1), (1, 6), (6, 6)
    images = {hot: drawn(videos[1], [{"hot": hot}]) for hot in cells}
    panels = {hot: panel(image, 2) for hot, image in images.items()}
    places = {hot: np.array(yellow(image)) for hot, image in panels.items()}
    # Five cells are 20 crop pixels.
    unit = (places[6, 6] - places[1, 1]).mean() / 20
    assert 5 < unit < 8
    for hot, place in places.items():
        expected = 4 * unit * (np.array(hot) - 1)
        np.testing.assert_allclose(place - places[1, 1], expected, atol=1.5)
    # The crop's center, 16, is that of the last box; the target is 2 px to the right of
    # it, which is 2 * 16 / sqrt((16 + 14) * (12 + 14)) crop pixels; cell 6 is at 26.
    white = np.all(panels[6, 6][20:150, 20:205] > 225, axis=-1)
    truth = np.mean(np.nonzero(white), axis=1) + 20
    expected = unit * np.array([10, 10 - 2 * 16 / np.sqrt(30 * 26)])
    np.testing.assert_allclose(places[6, 6] - truth, expected, atol=3)

    # The true box is white in every picture.
    for column in range(4):
        white = np.all(panel(images[1, 1], column)[20:190, 20:190] > 225, axis=-1)
        assert white.sum() > 50


def test_maps_are_on_one_scale(videos):
    low = drawn(videos[1])
    high = drawn(videos[1], [{"quality": 1.0}])
    half = drawn(videos[1], [{"quality": 0.5}])
    assert yellow(panel(low, 1)) is None and yellow(panel(half, 1)) is None
    assert yellow(panel(high, 1)) is not None
    # The other maps are the same.
    assert abs(panel(low, 3) - panel(high, 3)).mean() < 2


def test_rows_are_frames_and_trackers(videos):
    one = drawn(videos[1])
    four = drawn(videos[1], [{}, {}], frames=(2, 4))
    assert abs(one.shape[1] - four.shape[1]) < 5
    assert 3.5 < four.shape[0] / one.shape[0] < 4.2

    def has(image, place):
        return near(image, place, 40).sum() > 50

    assert has(one, 0) and not has(one, 1)
    quarter = four.shape[0] // 4
    rows = [four[k * quarter : (k + 1) * quarter] for k in range(4)]
    assert [(has(r, 0), has(r, 1)) for r in rows] == [
        *((True, False), (False, True)),
        *((True, False), (False, True)),
    ]


def test_odd_names_and_overflow_are_drawn(videos):
    broken = views(videos[1], quality=np.nan)
    assert plots.heatmaps({"a $x$ <b> _": broken}).startswith(b"\xff\xd8")
