"""Tests for jaxtrack.data.unlabeled."""

import contextlib
import pickle

import numpy as np
import pytest

from jaxtrack.config import check
from jaxtrack.configs import demo
from jaxtrack.data import mixture, pipeline
from jaxtrack.data.loader import PairLoader
from jaxtrack.data.unlabeled import UnlabeledSource
from jaxtrack.errors import InputError

from .conftest import HW, write_stills
from .loader_test import NONE, SETTINGS, Painted, Portion


@pytest.fixture
def photos(tmp_path):
    """A folder of two photographs."""
    write_stills(tmp_path)
    return tmp_path / "photos"


def test_windows_are_inside_and_depend_on_the_seed_alone(photos):
    source = UnlabeledSource(photos)
    xyxy = source.track_boxes(1)
    assert source.num_tracks == 2 and xyxy.shape == (16, 4)
    assert (xyxy >= 0).all() and (xyxy[:, 2:] <= HW[::-1]).all()
    wh = xyxy[:, 2:] - xyxy[:, :2]
    # The geometric mean of the sides is 0.15 to 0.6 of the shorter side of 48 px.
    side = np.sqrt(wh.prod(1))
    assert (side > 7.19).all() and (side < 28.81).all() and side.std() > 3
    aspect = wh[:, 0] / wh[:, 1]
    assert (aspect >= 0.499).all() and (aspect <= 2.001).all()
    again = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(again.track_boxes(1), xyxy)
    assert (UnlabeledSource(photos, seed=1).track_boxes(1) != xyxy).all()


def test_both_crops_show_the_same_window(photos):
    portions = [
        Portion("photos", UnlabeledSource(photos), frame_range=0, is_labeled=False),
        Portion("tracks", Painted(), frame_range=100),
    ]
    loader = PairLoader(portions, SETTINGS, NONE)
    for number in range(4):
        row = loader.random_map((0, 1), np.random.default_rng(number))
        assert row["is_positive"] and not row["is_labeled"]
        # Not shifted nor scaled, the search crop of twice the side shows the template
        # 8 px from its edges, and the window with it.
        np.testing.assert_allclose(row["xyxy"], row["z_xyxy"] + 8, atol=1e-4)
        inner = row["x_image"][8:-8, 8:-8].astype(int)
        assert np.abs(inner - row["z_image"])[2:-2, 2:-2].max() <= 1
    assert loader.random_map((1, 1), np.random.default_rng(0))["is_labeled"]


def test_settings_add_photographs_to_the_training_data(photos):
    config = demo.get_config()
    config.data.composed_weight = 0.0
    config.data.unlabeled, config.loss.teachers = str(photos), ("lite",)
    check(config)  # They may be all there is.
    (portion,) = mixture.make_portions(config)
    assert (portion.share, portion.frame_range) == (0.25, 0)
    assert not portion.is_labeled
    config.data.num_workers, config.run.batch_size = 0, 2
    config.data.bank = str(photos.parent / "bank")
    with contextlib.closing(
        pipeline.make(config, template_size=16, search_size=32)
    ) as it:
        assert not next(it)["is_labeled"].any()
    assert not (photos.parent / "bank").exists()
    config.data.unlabeled = str(photos / "absent")
    with pytest.raises(InputError, match=r"config\.data\.unlabeled: no folder of"):
        mixture.make_portions(config)
