"""Tests for experiments.plots."""

import cv2
import numpy as np
import pytest

from experiments import plots, summary
from jaxtrack.evaluation.plots import color_of


def pixels(study, outcomes):
    png = plots.difference_plot(summary.summarise(study, outcomes))
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def count(image, color):
    rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return int(np.all(image == rgb, axis=2).sum())


@pytest.mark.parametrize(("place", "better"), [(0, 0.1), (1, -0.1)])
def test_better_and_worse_have_their_colours(study, outcomes, place, better):
    for (name, seed, fold), one in outcomes.items():
        if name == "new":
            old = outcomes["old", seed, fold].auc
            one.auc.update({n: v + better for n, v in old.items()})
    image = pixels(study, outcomes)
    assert count(image, color_of(place)) > 100
    assert count(image, color_of(1 - place)) == 0


def test_grows_with_the_sequences(study, outcomes):
    few = pixels(study, outcomes)
    for (_, _, fold), one in outcomes.items():
        if fold == 0:
            one.auc.update({f"davis_more{i}": 0.5 for i in range(20)})
    study["folds"][0]["test"] += [f"davis_more{i}" for i in range(20)]
    assert len(pixels(study, outcomes)) > 2 * len(few)


def test_draws_one_seed_and_no_difference(study, outcomes):
    found = {key: one for key, one in outcomes.items() if key[1] == 0}
    for (name, seed, fold), one in found.items():
        if name == "new":
            one.auc.update(found["old", seed, fold].auc)
    assert pixels(study, found).shape[1] > 500
