"""Tests for experiments.figures.positives."""

import json
import pathlib

import numpy as np
import pytest

from experiments.figures import positive_counts, positives
from jaxtrack.configs import (
    dla_siamcar_lite0,
    dla_siamcar_r50,
    siamcar_r50,
    siamrpnpp_r50,
)
from jaxtrack.errors import InputError

CONFIGS = pathlib.Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture
def recipe():
    return positives.Recipe(
        config=dla_siamcar_r50.get_config(),
        name="dla_siamcar_r50",
        num_pairs=6,
        points=(7, 9),
        num_parts=2,
        baseline=siamcar_r50.get_config(),
        baseline_name="siamcar_r50",
    )


@pytest.fixture
def counted(monkeypatch):
    """Six pairs, four with the target, labelled by hand."""

    def dynamic(config, model, xyxy, points):
        skip = np.array([0, 2, 4, 4])
        rules = np.stack([np.array([3, 2, 4, 4]), np.maximum(skip, 1), skip])
        return {k: rules + k - 7 for k in points}

    monkeypatch.setattr(
        positive_counts, "draw_boxes", lambda config, num_pairs: np.zeros((4, 4))
    )
    monkeypatch.setattr(positive_counts, "count_dynamic", dynamic)
    monkeypatch.setattr(
        positive_counts, "count_fixed", lambda *_: np.array([0, 12, 10, 10])
    )


def test_finds_the_config_that_dynamic_labels_extend():
    config = dla_siamcar_r50.get_config()
    base, name = positives.find_baseline(CONFIGS / "dla_siamcar_r50.py", config)
    assert name == "siamcar_r50" and base.assigner == "rectangle"
    fixed = siamrpnpp_r50.get_config()
    found = positives.find_baseline(CONFIGS / "siamrpnpp_r50.py", fixed)
    assert found == (fixed, "siamrpnpp_r50")
    nowhere = CONFIGS / "dla_of_nothing.py"
    assert positives.find_baseline(nowhere, config) == (None, "")


def test_what_it_finds_by_hand(recipe, counted):
    found = positives.run(recipe)
    # Mean of 3, 2, 4, 4; squared distances 1/16 + 25/16 + 9/16 + 9/16 = 11/4, over 3.
    error = (11 / 4 / 3) ** 0.5 / 2
    assert found["points"]["7"]["clamp"] == pytest.approx((3.25, error))
    assert found["points"]["7"]["skip"].mean == 2.5
    assert found["points"]["7"]["empty"] == 0.25
    assert found["points"]["9"]["empty"] == 0.0
    # K 5 to 23 along the stream: the config's rule, 3, 2 and 4, 4 and K - 7.
    means = {k: [m for m, _ in one["parts"]] for k, one in found["stream"].items()}
    expected = {"5": [0.5, 2.0], "11": [6.5, 8.0], "17": [12.5, 14.0]}
    assert means == {**expected, "23": [18.5, 20.0]}
    assert found["baseline"]["positives"].mean == 8.0
    assert found["baseline"]["empty"] == 0.25
    assert (found["num_pairs"], found["num_images"], found["log"]) == (6, 4, None)
    assert found["anchors"] == "25 x 25 cells with a virtual anchor of 64 px"


def test_writes_a_table_numbers_and_a_picture(recipe, counted, tmp_path):
    found = positives.run(recipe)
    positives.write(tmp_path / "out", found)
    text = (tmp_path / "out" / "positives.md").read_text()
    assert "| 7 | 3.25 ± 0.48 | 2.75 ± 0.75 | 2.50 ± 0.96 | 25.0% |" in text
    kept = json.loads((tmp_path / "out" / "positives.json").read_text())
    assert kept["points"]["9"]["clamp"][0] == 5.25
    picture = (tmp_path / "out" / "positives.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_the_rule_is_the_configs(recipe, counted):
    recipe.config.dla_empty = "skip"
    found = positives.run(recipe)
    assert found["stream"]["11"]["parts"][0].mean == 5.0  # 0 and 2, and 4 more.
    assert found["rule"] == "skip"


def test_nothing_fixed_to_compare_with(recipe, counted):
    assert positives.run(recipe._replace(baseline=None))["baseline"] is None


def test_the_log_is_told_per_image_with_the_target(recipe, counted, tmp_path):
    lines = [{"step": i, "positives": float(i)} for i in (1, 2, 3, 5)]
    text = "".join(json.dumps(line) + "\n" for line in [*lines, {"step": 6}])
    (tmp_path / "log.jsonl").write_text(text)
    assert positives.read_log(tmp_path, 2) == [1.5, 4.0]
    found = positives.run(recipe._replace(log=tmp_path))
    # Four of six pairs show it.
    assert found["log"]["positives"] == pytest.approx([1.5 * 1.5, 4 * 1.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no file"), ("{", "damaged"), ('{"positives": 1}\n', "has 1 lines")],
)
def test_refuses_logs(tmp_path, text, message):
    if text is not None:
        (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(InputError, match=message):
        positives.read_log(tmp_path, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": ()}, "--points: K must lie in 2 to 625"),
        ({"points": (1, 9)}, "--points: K must lie in 2 to 625"),
        ({"points": (9, 626)}, "--points: K must lie in 2 to 625"),
        ({"points": (9, 9)}, "must rise"),
        ({"points": (9, 7)}, "must rise"),
        ({"num_parts": 0}, "--epochs=0: .* 1 to 6"),
        ({"num_parts": 7}, "--epochs=7: .* 1 to 6"),
        ({"num_parts": 5}, "4 images with the target do not fill 5 parts"),
        ({"baseline": siamrpnpp_r50.get_config()}, "of siamrpnpp_r50, not of siamcar"),
        ({"log": pathlib.Path("nowhere")}, "--log: no file"),
    ],
)
def test_refuses(recipe, counted, changes, message):
    with pytest.raises(InputError, match=message):
        positives.run(recipe._replace(**changes))


def test_refuses_settings_that_cannot_work(recipe, counted):
    recipe.config.dla_empty = "nothing"
    with pytest.raises(InputError, match="config.dla_empty"):
        positives.run(recipe)


@pytest.mark.slow
def test_a_few_composed_pairs(recipe):
    config = dla_siamcar_lite0.get_config()
    config.num_workers, config.synthetic_tracks = 0, 4
    found = positives.run(
        recipe._replace(config=config, baseline=None, points=(9,), num_pairs=4)
    )
    row = found["points"]["9"]
    assert 1 <= row["argmax"].mean <= row["clamp"].mean <= 9
