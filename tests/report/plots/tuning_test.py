"""Tests for jaxtrack.report.plots.tuning."""

import numpy as np

from jaxtrack.evaluation.tuning.study import Tried
from jaxtrack.report.plots import tuning as plots
from tests.report.plots.pixels import decoded, near

NAMES = ("penalty", "window", "size_rate", "quality_power", "refine.weight")


def trials(num=30, names=NAMES, scale=0.1):
    rng = np.random.default_rng(0)
    return [
        Tried(
            k, dict(zip(names, row, strict=True)), 0.5 - scale * (row[0] - 0.3) ** 2, {}
        )
        for k, row in enumerate(rng.random((num, len(names))))
    ]


def test_draws_all_with_a_panel_a_setting_in_even_rows():
    found = {
        "metric": "auc",
        "ranges": {name: (0.0, 1.0) for name in NAMES},
        "importances": dict.fromkeys(NAMES, 0.2),
    }
    drawn = {name: decoded(png) for name, png in plots.draw(found, trials()).items()}
    assert list(drawn) == ["history", "slices", "importance"]
    assert all(image.shape[1] > 600 for image in drawn.values())
    four = dict(list(found["ranges"].items())[:4])
    height, width, _ = decoded(plots.slices_plot(trials(), four, ylabel="AUC")).shape
    # Five are three and two, which leaves one place empty.
    assert drawn["slices"].shape[0] > 1.5 * height and drawn["slices"].shape[1] < width


def test_history_rises_from_the_untuned_line():
    values = [0.5, 0.4, 0.55, 0.3, 0.6]
    tried = [Tried(k, {"x": 0.0}, v, {}) for k, v in enumerate(values)]
    image = decoded(plots.history_plot(tried, ylabel="mean AUC"))
    image = image[: int(image.shape[0] * 0.8)]  # Without the legend.
    best, untuned = near(image, 2), near(image, 1)
    row = np.median(np.nonzero(untuned)[0])
    tops = [np.nonzero(column)[0].min() for column in best.T if column.any()]
    assert np.all(np.diff(tops) <= 0)  # Never falls.
    # At 0.6 of 0.3 to 0.6 in view, with 6 % more at either end.
    height = np.ptp(np.nonzero(best.any(axis=1))[0])
    assert abs(height / image.shape[0] - 0.1 / (0.3 * 1.12)) < 0.1
    assert tops[-1] < row - 0.2 * image.shape[0]


def test_slices_mark_the_best_and_the_untuned():
    tried = [
        Tried(k, {"x": x}, v, {}) for k, (x, v) in enumerate(((0.9, 0.4), (0.1, 0.6)))
    ]
    png = plots.slices_plot(tried, {"x": (0.0, 1.0)}, ylabel="mean AUC")
    image = decoded(png)
    image = image[: int(image.shape[0] * 0.8)]
    centers = [np.mean(np.nonzero(near(image, i)), axis=1) for i in (1, 2)]
    (row_untuned, column_untuned), (row_best, column_best) = centers
    assert row_best < row_untuned and column_best < column_untuned


def test_noise_is_drawn_as_noise():
    tried = [Tried(k, {"x": 0.5}, 0.5 + 1e-4 * k, {}) for k in range(5)]
    image = decoded(plots.history_plot(tried, ylabel="mean AUC"))
    image = image[: int(image.shape[0] * 0.8)]
    assert np.ptp(np.nonzero(near(image, 2))[0]) < 0.05 * image.shape[0]


def test_importances_by_length_and_none():
    shares = {"penalty": 0.1, "window": 0.9}
    image = decoded(plots.importance_plot(shares))
    wide = near(image, 0).sum(axis=1)
    # The largest is on top.
    rows = np.nonzero(wide)[0]
    assert wide[rows[len(rows) // 4]] > 5 * wide[rows[-len(rows) // 4]]
    assert not near(decoded(plots.importance_plot(None)), 0).any()
