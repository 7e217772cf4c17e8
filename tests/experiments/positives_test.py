"""Tests for experiments.figures.positives."""

import json
import pathlib

import cv2
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from experiments.figures import positive_counts, positives
from jaxtrack import configs
from jaxtrack.configs import dla_siamcar_r50, siamcar_r50, siamrpnpp_r50
from jaxtrack.errors import InputError
from jaxtrack.report.plots.style import color_of


@pytest.fixture
def measure():
    """Calls `positives.measure` for two K and two parts; takes other arguments."""

    def call(config=None, **changes):
        how = {"num_pairs": 6, "points": (7, 9), "num_parts": 2}
        how["fixed"] = positives.Fixed("siamcar_r50", siamcar_r50.get_config())
        config = config or dla_siamcar_r50.get_config()
        return positives.measure(config, "dla_siamcar_r50", **{**how, **changes})

    return call


@pytest.fixture
def counted(monkeypatch):
    """Six pairs, four with the target, labeled by hand."""

    def dynamic(config, model, xyxy, points):
        skip = np.array([0, 2, 4, 4])
        rules = np.stack([np.array([3, 2, 4, 4]), np.maximum(skip, 1), skip])
        return {k: rules + k - 7 for k in points}

    fixed = np.array([0, 12, 10, 10])
    boxes = np.zeros((4, 4))
    monkeypatch.setattr(positive_counts, "draw_boxes", lambda config, num_pairs: boxes)
    monkeypatch.setattr(positive_counts, "count_dynamic", dynamic)
    monkeypatch.setattr(positive_counts, "count_fixed", lambda *_: fixed)


def test_finds_the_config_that_dynamic_labels_extend(tmp_path):
    config = dla_siamcar_r50.get_config()
    found = positives.find_fixed(configs.find("dla_siamcar_r50"), config)
    assert found.name == "siamcar_r50" and found.config.labels.assigner == "rectangle"
    fixed = siamrpnpp_r50.get_config()
    found = positives.find_fixed(configs.find("siamrpnpp_r50"), fixed)
    assert found == ("siamrpnpp_r50", fixed)
    assert positives.find_fixed(tmp_path / "dla_of_nothing.py", config) is None


def test_what_it_finds_by_hand(measure, counted):
    found = measure()
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
    assert found["fixed"]["positives"].mean == 8.0
    assert found["fixed"]["empty"] == 0.25
    assert (found["num_pairs"], found["num_images"], found["log"]) == (6, 4, None)
    assert found["anchors"] == "25 x 25 cells with a virtual anchor of 64 px"


def test_writes_a_table_numbers_and_a_picture(measure, counted, tmp_path):
    found = measure()
    positives.write(tmp_path / "out", found)
    text = (tmp_path / "out" / "positives.md").read_text()
    assert "| 7 | 3.25 ± 0.48 | 2.75 ± 0.75 | 2.50 ± 0.96 | 25.0% |" in text
    kept = json.loads((tmp_path / "out" / "positives.json").read_text())
    assert kept["points"]["9"]["clamp"][0] == 5.25
    picture = (tmp_path / "out" / "positives.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


def test_the_rule_is_the_configs_and_fixed_labels_may_be_left_out(measure, counted):
    config = dla_siamcar_r50.get_config()
    config.labels.dla_empty = "skip"
    found = measure(config, fixed=None)
    assert found["stream"]["11"]["parts"][0].mean == 5.0  # 0 and 2, and 4 more.
    assert found["rule"] == "skip" and found["fixed"] is None


def test_the_log_is_told_per_image_with_the_target(measure, counted, tmp_path):
    lines = [{"step": i, "positives": float(i)} for i in (1, 2, 3, 5)]
    text = "".join(json.dumps(line) + "\n" for line in [*lines, {"step": 6}])
    (tmp_path / "log.jsonl").write_text(text)
    assert positives.read_log(tmp_path, 2) == [1.5, 4.0]
    found = measure(log=tmp_path)
    # Four of six pairs show it.
    assert found["log"]["positives"] == pytest.approx([1.5 * 1.5, 4 * 1.5])


def test_refuses_logs(tmp_path):
    for text, message in [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ('{"positives": 1}\n', "has 1 lines"),
    ]:
        if text is not None:
            (tmp_path / "log.jsonl").write_text(text)
        with pytest.raises(InputError, match=f"--log: .*{message}"):
            positives.read_log(tmp_path, 2)


def test_refuses(measure, counted):
    other = positives.Fixed("siamrpnpp_r50", siamrpnpp_r50.get_config())
    wrong = dla_siamcar_r50.get_config()
    wrong.labels.dla_empty = "nothing"
    for changes, message in [
        ({"points": ()}, "--points: K must lie in 2 to 625"),
        ({"points": (1, 9)}, "--points: K must lie in 2 to 625"),
        ({"points": (9, 626)}, "--points: K must lie in 2 to 625"),
        ({"points": (9, 9)}, "must rise"),
        ({"points": (9, 7)}, "must rise"),
        ({"num_parts": 0}, "--epochs=0: .* 1 to 6"),
        ({"num_parts": 7}, "--epochs=7: .* 1 to 6"),
        ({"num_parts": 5}, "4 images with the target do not fill 5 parts"),
        ({"fixed": other}, "of siamrpnpp \\(.*\\), not of siamcar"),
        ({"log": pathlib.Path("nowhere")}, "--log: nowhere"),
        ({"config": wrong}, "dla_empty"),
    ]:
        with pytest.raises(InputError, match=message):
            measure(**changes)


@pytest.mark.slow
def test_a_few_composed_pairs(measure):
    config = configs.load("dla_siamcar_lite0")
    config.data.num_workers, config.data.scenes = 0, 4
    found = measure(config, fixed=None, points=(9,), num_pairs=4)
    row = found["points"]["9"]
    assert 1 <= row["argmax"].mean <= row["clamp"].mean <= 9


# The page and the picture, of numbers made by hand.


@pytest.fixture
def table():
    """What `positives.measure` returns, as JSON keeps it."""
    row = {"argmax": [2.0, 0.1], "skip": [1.0, 0.125]}
    one = {"parts": [[3.2, 0.1], [2.8, 0.2]], "spread": 0.283, "expected": 0.158}
    fixed = {"config": "x", "assigner": "iou", "positives": [8.0, 0.5], "empty": 0.5}
    fixed |= {"parts": [[9.0, 0.25], [9.0, 0.1]], "spread": 0.0, "expected": 0.25}
    points = {"5": ([3.5, 0.1], 0.25), "7": ([2.99, 0.1], 0.125), "9": ([4, 0.1], 0.0)}
    return {
        **{"config": "dla_$x", "seed": 3, "num_pairs": 10, "num_images": 8},
        **{"anchors": "25 x 25 cells with 5 anchors", "rule": "clamp", "log": None},
        "points": {k: {"clamp": p, **row, "empty": e} for k, (p, e) in points.items()},
        "stream": {"5": one, "11": one},
        "fixed": fixed,
    }


def test_says_what_was_counted(table):
    text = positives.markdown(table)
    for part in (
        "# Positives of dynamic labels: dla_$x\n",
        "10 pairs of seed 3, of which 8 show the target; 25 x 25 cells",
        "| K | clamp | argmax | skip | empty without a rule |",
        "| 5 | 3.50 ± 0.10 | 2.00 ± 0.10 | 1.00 ± 0.12 | 25.0% |",
        "labels of x (iou): 8.00 ± 0.50, 50.0% of the images have none",
        # The stream's smallest part and its largest.
        "| K = 5 | 2.80 ± 0.20 | 3.20 ± 0.10 | 0.283 | 0.158 |",
        "| x | 9.00 ± 0.10 | 9.00 ± 0.25 | 0.000 | 0.250 |",
        # 5 is no K that the paper speaks of, P is below 3 at 7, and 4 at 9.
        "With clamp, P is in that range at K = 9 (counted there: 7, 9)",
    ):
        assert part in text
    table["rule"] = "skip"
    said = "With skip, P is in that range at K = none of them"
    assert said in positives.markdown(table)
    table["points"] = {"5": table["points"]["5"]}
    table["fixed"] = None
    text = positives.markdown(table)
    assert "(counted there: none)" in text
    assert "fixed labels" not in text and "| x |" not in text


def pixels(drawn):
    data = np.frombuffer(positives.positives_plot(drawn), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)


def count(image, color):
    return int(np.sum(np.all(image == np.round(255 * np.array(to_rgb(color))), axis=2)))


def test_lines_of_rules_labels_and_a_log(table):
    fixed, table["fixed"] = table["fixed"], None
    image = pixels(table)
    left, right = np.split(image, 2, axis=1)
    for place in range(3):
        assert count(left, color_of(place)) > 50
    # P from 3 to 4 and K from 7 to 19, a part of it in view and gray.
    assert count(left, "0.86") > 3000 and count(right, "0.86") < 100
    # Two K along the stream, no third.
    assert count(right, color_of(0)) + count(right, color_of(1)) > 50
    assert count(right, color_of(2)) == 0
    table["fixed"] = fixed
    table["log"] = {"name": "runs/_$x", "positives": [3.0, 3.3]}
    after = pixels(table)
    for color in (color_of(5), color_of(6)):
        assert count(after, color) > count(image, color) + 50


def test_one_part_and_the_same_bytes(table):
    for one in (*table["stream"].values(), table["fixed"]):
        one["parts"] = one["parts"][:1]
    assert positives.positives_plot(table) == positives.positives_plot(table)
