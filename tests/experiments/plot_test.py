"""Tests for experiments.plot."""

import cv2
import numpy as np

from experiments import plot, summary
from jaxtrack.report.plots.style import color_of


def pixels(record, outcomes):
    png = plot.difference_plot(summary.summarize(record, outcomes))
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def count(image, color):
    rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return int(np.all(image == rgb, axis=2).sum())


def test_better_and_worse_have_their_colors(record, outcomes):
    for place, better in ((0, 0.1), (1, -0.1)):
        for (name, seed, fold), one in outcomes.items():
            if name == "new":
                old = outcomes["old", seed, fold].auc
                one.auc.update({n: v + better for n, v in old.items()})
        image = pixels(record, outcomes)
        assert count(image, color_of(place)) > 100
        assert count(image, color_of(1 - place)) == 0


def test_a_panel_each(record, outcomes):
    one = pixels(record, outcomes)
    record["configs"]["worse"] = "worse.py"
    for seed in (0, 1):
        for fold in (0, 1):
            old = outcomes["old", seed, fold]
            worse = old._replace(auc={n: v - 0.1 for n, v in old.auc.items()})
            outcomes["worse", seed, fold] = worse
    two = pixels(record, outcomes)
    assert two.shape[1] > 1.5 * one.shape[1]
    left, right = two[:, : two.shape[1] // 2], two[:, two.shape[1] // 2 :]
    assert count(left, color_of(0)) > 100 and count(right, color_of(1)) > 100


def test_nothing_to_draw_yet(record, outcomes):
    left = {key: one for key, one in outcomes.items() if key[0] == "new"}
    assert plot.difference_plot(summary.summarize(record, left)) is None


def test_grows_with_the_sequences(record, outcomes):
    few = pixels(record, outcomes)
    for (_, _, fold), one in outcomes.items():
        if fold == 0:
            one.auc.update({f"davis_more{i}": 0.5 for i in range(20)})
    record["folds"][0]["test"] += [f"davis_more{i}" for i in range(20)]
    assert len(pixels(record, outcomes)) > 2 * len(few)


def test_draws_one_seed_and_no_difference(record, outcomes):
    found = {key: one for key, one in outcomes.items() if key[1] == 0}
    for (name, seed, fold), one in found.items():
        if name == "new":
            one.auc.update(found["old", seed, fold].auc)
    assert pixels(record, found).shape[1] > 500
