"""Tests for experiments.figures.label_maps."""

import cv2
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from experiments.figures import label_maps
from jaxtrack.assign import regions
from jaxtrack.errors import InputError
from jaxtrack.models.backbones import BACKBONES

P, N, X = regions.POSITIVE, regions.NEGATIVE, regions.IGNORE


@pytest.fixture(scope="module")
def columns():
    return label_maps.make_columns()


def counts(columns, row):
    return [int(np.sum(column.labels[row] == P)) for column in columns]


def test_positives_of_the_square_by_hand(columns):
    assert label_maps.GEOMETRY == BACKBONES["resnet50"].geometry(3)  # As published.
    # A 64 px square around a cell, neighbors 8 px apart. Circle: 13 cells within 2
    # steps. Rectangle: less than 12.8 px to each side, so 3 x 3. Ellipse: less than 16
    # px away, which the cells 2 steps away just are not: 3 x 3. IoU: the square anchor
    # alone reaches 0.6, one step off it overlaps by 56 / 72 and diagonally by
    # 56^2 / (2 * 64^2 - 56^2) = 0.62, two steps off by 48 / 80 = 0.6 just not. DLA:
    # of nine IoUs 1, 0.78 (4 times) and 0.62 (4 times), 0.73 + 0.12 leaves 1 alone.
    assert counts(columns, "square")[:5] == [13, 9, 9, 9, 1]


def test_dynamic_labels_always_have_positives_and_four_negatives_each(columns):
    for column in columns[4:]:
        for labels in column.labels.values():
            positives = np.sum(labels == P)
            assert positives >= 1 and np.sum(labels == N) == 4 * positives


def test_shapes_follow_the_box_but_for_the_circle(columns):
    wide, tall = ([c.labels[n] == P for c in columns[:3]] for n in ("wide", "tall"))
    for one, other in zip(wide, tall, strict=True):
        np.testing.assert_array_equal(one, other.T)
    for mask, is_round in zip(wide, (True, False, False), strict=True):
        rows, cells = np.any(mask, axis=1).sum(), np.any(mask, axis=0).sum()
        assert (cells == rows) == is_round


def test_colors_of_cells():
    labels = np.array([[[P] * 5, [P, N, X, X, X], [N] * 5, [X] * 4 + [N], [X] * 5]])
    names = (label_maps._POSITIVE, label_maps._NEGATIVE, label_maps._IGNORE)
    blue, orange, grey = map(np.array, map(to_rgb, names))
    one, few = (0.55 * color + 0.45 * grey for color in (blue, orange))
    found = label_maps.cell_colors(labels)[0]
    np.testing.assert_allclose(found, [blue, one, orange, few, grey])
    plain = label_maps.cell_colors(np.array([[P, N, X]]))[0]
    np.testing.assert_allclose(plain, [blue, orange, grey])
    # They differ in lightness.
    light = np.dot([blue, orange, grey], (0.2126, 0.7152, 0.0722))
    assert light[0] + 0.2 < light[1] and light[1] + 0.1 < light[2]


def test_one_small_picture_and_no_other_file(tmp_path):
    label_maps.write(str(tmp_path / "labels.png"))
    content = (tmp_path / "labels.png").read_bytes()
    assert len(content) < 150_000
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    blue = np.round(255 * np.array(to_rgb(label_maps._POSITIVE)))
    assert np.sum(np.all(image == blue, axis=2)) > 2000
    (tmp_path / "labels.png").unlink()
    with pytest.raises(InputError, match=r"--out=.*x\.jpg: the picture is a PNG"):
        label_maps.write(str(tmp_path / "x.jpg"))
    assert not list(tmp_path.iterdir())
