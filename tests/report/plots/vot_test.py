"""Tests for jaxtrack.report.plots.vot."""

import numpy as np
import pytest

from jaxtrack.metrics import vot
from jaxtrack.report.plots import vot as vot_plots
from tests.report.plots.pixels import decoded, near


def report(eao=0.4, *, accuracy=0.6, robustness=1.0, edition="vot2018", length=500):
    return vot.VotReport(
        eao=eao,
        eao_curve=np.linspace(1, 0.2, length),
        accuracy=accuracy,
        robustness=robustness,
        failures=3.0,
        edition=edition,
        interval=vot.INTERVALS[edition],
        num_frames=300,
        tags={},
        sequences={},
    )


def where(image, place):
    """Rows and columns of the pixels of a tracker's color."""
    return np.nonzero(near(image, place))


THREE = {
    "a": report(0.3, accuracy=0.5, robustness=2.0),
    "_b $x$": report(0.5, accuracy=0.7, robustness=0.5),
    "c": report(np.nan, accuracy=np.nan, robustness=1.0),
}


def test_every_plot_shows_every_tracker_in_its_color():
    for draw in (vot_plots.ar_plot, vot_plots.eao_curve_plot):
        image = decoded(draw(THREE))
        for place in range(3):
            assert len(where(image, place)[0]) > 50, draw
        assert not len(where(image, 3)[0])


def test_points_lie_by_robustness_and_accuracy():
    image = decoded(vot_plots.ar_plot(THREE))
    (rows_a, columns_a), (rows_b, columns_b) = (where(image, place) for place in (0, 1))
    # The legend, top left, has both in the same column; the points lie beyond it.
    assert columns_b.max() > columns_a.max() + 100
    assert rows_a.max() > rows_b.max() + 100


def test_shades_the_interval():
    image = decoded(vot_plots.eao_curve_plot({"a": THREE["a"]}))
    late = decoded(vot_plots.eao_curve_plot({"a": report(edition="vot2019")}))

    def share(image):
        shaded = np.sum(np.all(image == 237, axis=-1), axis=0) > 300
        return np.ptp(np.nonzero(shaded)[0]) / image.shape[1]

    # 256 of 409 frames, and 245 of 335; the axes take most of the width.
    assert 0.45 < share(image) < 0.6
    assert share(late) / share(image) == pytest.approx((245 / 335) / (256 / 409), 0.05)


def test_ranking_has_longer_bars_for_better_trackers():
    image = decoded(vot_plots.eao_ranking_plot(THREE))
    bars = [where(image, place) for place in range(3)]
    widths = [np.ptp(columns) if len(columns) else 0 for _, columns in bars]
    assert widths[0] / widths[1] == pytest.approx(0.3 / 0.5, abs=0.02)
    # The best is on top; one without a score has no bar.
    assert np.mean(bars[1][0]) < np.mean(bars[0][0])
    assert widths[2] == 0


def test_legend_of_curves_is_sorted_by_score():
    # Of equal curves the last hides the others, which only the legend shows.
    image = decoded(vot_plots.eao_curve_plot(THREE))
    first, second = (np.median(where(image, k)[0]) for k in (1, 0))
    assert first < second - 10


def test_many_trackers_have_room():
    many = {f"a tracker of a long name, number {i}": report(i / 30) for i in range(9)}
    assert decoded(vot_plots.ar_plot(many)).shape[1] > 1200
    assert decoded(vot_plots.eao_ranking_plot(many)).shape[0] > 700
    # All at one point: the axes still span something.
    for one in (report(robustness=0.0, accuracy=1.0), report(accuracy=np.nan)):
        assert 700 < decoded(vot_plots.ar_plot({"a": one})).shape[1] < 1250
