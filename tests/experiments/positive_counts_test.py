"""Tests for experiments.figures.positive_counts."""

import types

import jax
import numpy as np
import pytest

from experiments.figures import positive_counts
from jaxtrack import trackers
from jaxtrack.assign import make_assigner, regions
from jaxtrack.configs import demo, dla_siamcar_r50, dla_siamrpnpp_r50
from jaxtrack.errors import InputError
from jaxtrack.ops import grid

# Four cells, 8 px apart: at (4, 4), (12, 4), (4, 12) and (12, 12).
CELLS = grid.Geometry(16, 16, 2, 8, 4.0)
POINTS = types.SimpleNamespace(geometry=CELLS, anchors=())


class Stream:
    """Batches whose pair i has the box (i, i, i + 8, i + 8); every third is hidden."""

    def __init__(self, config):
        self.size, self.position, self.is_closed = config.run.batch_size, 0, False

    def __next__(self):
        numbers = self.position + np.arange(self.size)
        self.position += self.size
        low = np.tile(numbers[:, None], (1, 2))
        return {
            "z_xyxy": np.tile(np.float32([4, 4, 12, 12]), (self.size, 1)),
            "xyxy": np.concatenate([low, low + 8], axis=1).astype(np.float32),
            "is_positive": numbers % 3 != 2,
        }

    def close(self):
        self.is_closed = True


@pytest.fixture
def streams(monkeypatch):
    made = []

    def make(config):
        made.append(Stream(config))
        return made[-1]

    monkeypatch.setattr(positive_counts, "_loader", make)
    return made


def test_an_estimate_by_hand():
    # Mean 3; squared distances 4 + 0 + 4, over 2, is 4: std 2, over the root of 3.
    found = positive_counts.estimate(np.array([1, 3, 5]))
    assert found == pytest.approx((3.0, 2 / 3**0.5))
    assert positive_counts.estimate(np.array([4])) == (4.0, 0.0)


def test_draws_the_stream_in_order_without_hidden_targets(streams):
    config = demo.get_config()
    xyxy = positive_counts.draw_boxes(config, num_pairs=70)
    # Of 0 to 69, the 2nd, 5th, ..., 68th are hidden: 23 of them.
    assert xyxy[:, 0].tolist() == [i for i in range(70) if i % 3 != 2]
    assert len(xyxy) == 47 and np.all(xyxy[:, 2] == xyxy[:, 0] + 8)
    assert streams[0].is_closed and config.run.batch_size == 32


def test_refuses_a_stream_without_targets(streams, monkeypatch):
    hidden = {"xyxy": np.zeros((2, 4), np.float32), "is_positive": np.zeros(2, bool)}
    monkeypatch.setattr(Stream, "__next__", lambda self: hidden)
    said = r"none of 4 pairs .*config\.data\.negative_ratio, which is 0\.08"
    with pytest.raises(InputError, match=said):
        positive_counts.draw_boxes(demo.get_config(), num_pairs=4)
    assert streams[0].is_closed


def test_a_composed_stream_is_the_trainings_own():
    config = demo.get_config()
    config.run.batch_size, config.data.num_workers = 2, 0
    config.data.scenes, config.data.negative_ratio = 4, 0.0
    loader = positive_counts._loader(config)
    batches = [next(loader)["xyxy"] for _ in range(2)]
    loader.close()
    drawn = positive_counts.draw_boxes(config, num_pairs=3)
    np.testing.assert_array_equal(drawn, np.concatenate(batches)[:3])


def test_dynamic_counts_by_hand():
    config = dla_siamcar_r50.get_config()
    config.labels.virtual_anchor = 8.0
    boxes = np.float32([[0, 0, 16, 16], [0, 0, 8, 8], [0, 0, 3, 3]])
    found = positive_counts.count_dynamic(config, POINTS, boxes, [4])
    # Box 0: all anchors have IoU 1/4, so T is 1/4, which all four reach. Box 1: the
    # IoUs are 1, 0, 0, 0, so T is 1/4 + 1/2, which the first reaches. Box 2: T is
    # reached by the first, whose center (4, 4) lies outside; nothing else is inside,
    # so without a rule it has none, and else the nearest point's anchor.
    assert {k: v.tolist() for k, v in found.items()} == {
        4: [[4, 1, 1], [4, 1, 1], [4, 1, 0]]
    }


def test_fixed_counts_by_hand():
    config = demo.get_config()
    config.labels.positive_size, config.labels.positive_min_half = 0.5, 0.0
    boxes = np.float32([[0, 0, 20, 20], [0, 0, 16, 16], [4, 4, 12, 12], [0, 0, 4, 4]])
    # The positive boxes: 5 to 15 holds (12, 12) alone; 4 to 12 without its border and
    # 6 to 10 and 1 to 3 hold none.
    assert positive_counts.count_fixed(config, POINTS, boxes).tolist() == [1, 0, 0, 0]


def test_counts_are_those_of_the_trainings_labels():
    config = dla_siamrpnpp_r50.get_config()
    model = trackers.network_of(config, training=True)
    rng = np.random.default_rng(0)
    low = rng.uniform(30, 120, (300, 2))  # More than are labeled at a time.
    boxes = np.concatenate([low, low + rng.uniform(15, 120, (300, 2))], axis=1)
    boxes = boxes.astype(np.float32)
    found = positive_counts.count_dynamic(config, model, boxes, [9])[9]
    keys = jax.random.split(jax.random.key(0), 300)
    assign = make_assigner(config, model.geometry, anchors=model.anchors)
    labels = np.asarray(jax.jit(jax.vmap(assign))(keys, boxes, np.ones(300, bool)))
    expected = np.sum(labels.reshape(300, -1) == regions.POSITIVE, axis=1)
    np.testing.assert_array_equal(found[0], expected)
    # What passes the threshold is positive under every rule; there is always one.
    clamp, argmax, skip = found
    assert np.all(argmax == np.maximum(skip, 1)) and np.all(clamp >= argmax)


def test_the_stream_by_hand():
    found = positive_counts.over_stream(np.array([1, 3, 2, 2, 4, 6]), 3)
    # Means 2, 2, 5: std of 3 / sqrt(3). Errors: std sqrt(2), 0, sqrt(2), each over
    # sqrt(2), so 1, 0, 1: the root of the mean square is sqrt(2 / 3).
    assert found["parts"] == [(2.0, pytest.approx(1)), (2.0, 0.0), (5.0, 1.0)]
    assert found["spread"] == pytest.approx(3**0.5)
    assert found["expected"] == pytest.approx((2 / 3) ** 0.5)
    assert positive_counts.over_stream(np.array([1, 3]), 1)["spread"] == 0


def test_a_stream_that_does_not_move_spreads_as_chance_says():
    counts = np.random.default_rng(0).poisson(3, 40_000)
    found = positive_counts.over_stream(counts, 200)
    # Of 200 parts, a standard deviation is known to about 5 %.
    assert found["spread"] == pytest.approx(found["expected"], rel=0.15)
    moving = counts + np.repeat(np.arange(200) / 100, 200)
    assert positive_counts.over_stream(moving, 200)["spread"] > 2 * found["expected"]
