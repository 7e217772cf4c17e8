"""Tests for jaxtrack.data.packing.shrink: which pixels are stored, at which size."""

import numpy as np
import pytest

from jaxtrack import configs
from jaxtrack.data import crops, frames, transforms
from jaxtrack.data.packing import shrink
from jaxtrack.data.packing.shrink import WHOLE, Shrink
from jaxtrack.data.settings import Augmentation, PairSettings
from jaxtrack.errors import InputError
from tests.data.conftest import scene

# A box of 16 x 16 px: the template shows sqrt(32 * 32) = 32 px, 4.2 * 32 = 134.4 px are
# stored, 67.2 to each side of the center.
BOX = np.array([100.0, 92, 116, 108])


def test_a_small_target_keeps_its_pixels():
    (window,) = shrink.windows(BOX[None], (200, 300), Shrink())
    # From floor(108 - 67.2) = 40 to ceil(175.2) = 176; 32 to 168.
    assert window == ((40, 32, 176, 168), (136, 136), (0,))
    np.testing.assert_array_equal(window.place(BOX), [60, 60, 76, 76])
    image = scene(0, (200, 300))
    np.testing.assert_array_equal(window.cut(image), image[32:168, 40:176])


def test_a_window_ends_where_the_frame_does():
    (window,) = shrink.windows(BOX[None], (150, 120), Shrink())
    assert window.xyxy == (40, 32, 120, 150)


def test_a_large_target_is_shrunk_to_the_size_training_needs():
    # Ten times as large: its template side of 320 px becomes 533 / 4.2 = 126.9 px.
    (window,) = shrink.windows(10 * BOX[None], (1200, 1600), Shrink())
    assert window.xyxy == (408, 328, 1600, 1200)
    scale = 533 / 4.2 / 320
    assert window.wh == (round(1192 * scale), round(872 * scale))
    # The whole frame is as large as asked for.
    options = Shrink(crop="whole", longest_side=400)
    (window,) = shrink.windows(10 * BOX[None], (1200, 1600), options)
    assert window == ((0, 0, 1600, 1200), (400, 300), (0,))
    np.testing.assert_allclose(window.place(10 * BOX), 10 * BOX / 4)


def test_what_training_shows_is_the_same_as_of_the_frame():
    image = scene(3, (400, 500))
    xyxy = np.array([200.0, 150, 280, 230])  # A template shows 160 px, 127 are stored.
    (window,) = shrink.windows(xyxy[None], image.shape[:2], Shrink())
    stored, placed = window.cut(image), window.place(xyxy)
    crop = []
    for picture, box in ((image, xyxy), (stored, placed)):
        side = crops.context_side(box[2:] - box[:2]) * 255 / 127
        view = crops.View((box[:2] + box[2:]) / 2, np.array([side, side]))
        crop.append(crops.cut(frames.whole(picture), view, 255, np.zeros(3)))
    difference = np.abs(crop[0].astype(int) - crop[1])
    assert difference.mean() < 0.5 and difference.max() <= 4


def test_near_targets_share_a_picture_and_far_ones_do_not():
    near = np.stack([BOX, BOX + 20])
    (window,) = shrink.windows(near, (1000, 1000), Shrink())
    assert window == ((40, 32, 196, 188), (156, 156), (0, 1))
    far = np.stack([BOX, BOX + 800])
    first, second = shrink.windows(far, (1000, 1000), Shrink())
    assert first.targets == (0,) and second.targets == (1,)
    assert shrink.windows(np.zeros((0, 4)), (9, 9), Shrink()) == []


def test_a_shared_picture_is_as_fine_as_its_smallest_target_needs():
    large = np.array([0.0, 0, 600, 600])  # Alone it is stored as 63 x 63 px.
    alone, _ = shrink.windows(np.stack([large, BOX]), (600, 600), Shrink())
    assert alone.wh == (63, 63)
    # 25 windows of 136 x 136 px are more than the 600 x 600 px of the frame.
    small = [BOX + np.tile((dx, dy), 2) for dx in range(5) for dy in range(5)]
    (window,) = shrink.windows(np.stack([large, *small]), (600, 600), Shrink())
    assert window.wh == (600, 600) and len(window.targets) == 26


def test_a_crop_is_that_of_pysot():
    # Its side: sqrt((w + p)(h + p)) / 127 * 511 px with p = (w + h) / 2.
    image, placed = shrink.pysot_crop(scene(0, (200, 300)), BOX, Shrink(crop="511"))
    assert image.shape == (511, 511, 3)
    half = 16 / (32 / 127) / 2
    np.testing.assert_allclose(placed, [255.5 - half] * 2 + [255.5 + half] * 2)


def test_what_is_stored_is_enough_for_every_config():
    for name in configs.names():
        config = configs.load(name)
        sizes = {"template_size": 127, "search_size": config.data.search_size or 255}
        settings = PairSettings(
            **sizes, context=config.data.context, negative_ratio=0.0
        )
        needed = transforms.reach(settings, Augmentation(**config.augment))
        assert needed <= shrink.EXTENT, name


def test_settings_that_mean_nothing_are_refused():
    shrink.check(WHOLE)
    for bad in (Shrink(crop="box"), Shrink(format="gif"), Shrink(quality=101)):
        with pytest.raises(InputError, match="expected"):
            shrink.check(bad)
