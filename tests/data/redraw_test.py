"""Tests for jaxtrack.data.redraw."""

import time

import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.data import bank, pipeline
from jaxtrack.data import redraw as redraw_lib
from jaxtrack.data.bank import choice
from jaxtrack.data.bank.footprint import REDUCTIONS
from jaxtrack.data.bank.source import BankedSource, stored_bytes
from jaxtrack.data.composed import ComposedSource
from jaxtrack.data.portions import Portion
from jaxtrack.data.redraw import Redraw
from jaxtrack.data.settings import Augmentation, PairSettings

SETTINGS = PairSettings(16, 32, context=0.5, negative_ratio=0.0)
AUGMENTATION = Augmentation(**get_config().augment)
SEEN = bank.footprint_of(SETTINGS, AUGMENTATION)


@pytest.fixture(scope="module")
def scenes():
    return ComposedSource(num_tracks=2, length=6, shown=3, size=(64, 80))


def take(source, redraw, count):
    """Batches of two pairs, `[count, 2, 32, 32, 3]`."""
    iterator = pipeline.from_portions(
        [Portion("scenes", source, 100)],
        settings=SETTINGS,
        augmentation=AUGMENTATION,
        batch_size=2,
        seed=0,
        num_workers=0,
        redraw=redraw,
    )
    images = [next(iterator)["x_image"] for _ in range(count)]
    iterator.close()
    return np.stack(images)


def test_pairs_show_the_scenes_of_their_generation(scenes):
    redrawn = take(scenes, Redraw(0, scenes, every=4), 4)
    np.testing.assert_array_equal(redrawn[:2], take(scenes, None, 2))
    # The pairs 4 to 7 are those of a source whose scenes are generation 1's.
    np.testing.assert_array_equal(redrawn[2:], take(scenes.redrawn(1), None, 4)[2:])
    assert (redrawn[2:] != take(scenes, None, 4)[2:]).any()


def test_a_bank_that_comes_later_changes_nothing_but_the_work(scenes, tmp_path):
    redraw = Redraw(0, scenes, 4, tmp_path, SEEN)
    late = redraw.source(1)
    assert isinstance(late, BankedSource)
    boxes = late.track_boxes(1)
    time_ = int(np.flatnonzero(boxes[:, 0] >= 0)[0])
    asked = SEEN.reductions(boxes[time_ : time_ + 1])[0]
    reduction = REDUCTIONS[int(np.argmax(asked))]
    before = late.frame(1, time_, reduction=reduction)
    here = bank.Options(num_workers=0, skip_damaged=False)
    choice.open_bank(
        [scenes.redrawn(1)], [np.inf], str(tmp_path), SEEN, here, say=lambda line: None
    )
    assert stored_bytes(redraw.folder(1))
    late._next_look = time.monotonic()
    part = late.frame(1, time_, reduction=reduction)
    assert part.mean is not None  # Of the bank.
    (left, top), (height, width) = part.corner, part.image.shape[:2]
    whole = before.image[top : top + height, left : left + width]
    np.testing.assert_array_equal(part.image, whole)


def test_scenes_are_found_among_the_portions(scenes):
    portions = [Portion("other", None, 100), Portion("scenes", scenes, 100)]
    assert redraw_lib.find(portions, 96) == Redraw(1, scenes, 96)
    assert redraw_lib.find(portions, 0) is None
    assert redraw_lib.find(portions[:1], 96) is None


@pytest.mark.slow
def test_the_next_generation_is_filled_while_this_one_is_shown(scenes, tmp_path):
    redraw = Redraw(0, scenes, 4, tmp_path, SEEN)
    expected = take(scenes, Redraw(0, scenes, 4), 6)
    iterator = pipeline.from_portions(
        [Portion("scenes", scenes, 100)],
        settings=SETTINGS,
        augmentation=AUGMENTATION,
        batch_size=2,
        seed=0,
        num_workers=0,
        redraw=redraw,
    )
    images = [next(iterator)["x_image"]]
    deadline = time.monotonic() + 60
    while stored_bytes(redraw.folder(1)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    images += [next(iterator)["x_image"] for _ in range(5)]
    iterator.close()
    np.testing.assert_array_equal(np.stack(images), expected)
    assert not list(tmp_path.glob("*.incomplete"))
