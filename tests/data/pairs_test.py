"""Tests for jaxtrack.data.pairs."""

import numpy as np
import pytest

from jaxtrack.data import pairs
from jaxtrack.data.portions import Portion
from jaxtrack.errors import InputError


class Boxes:
    """A source of tracks without pictures."""

    def __init__(self, *tracks, every=1):
        self.every = every
        self.tracks = [np.array(track, np.float32) for track in tracks]

    @property
    def num_tracks(self):
        return len(self.tracks)

    def track_times(self, track):
        return self.every * np.arange(len(self.tracks[track]))

    def track_boxes(self, track):
        return self.tracks[track]


SEEN, ABSENT, FLAT = (0, 0, 5, 5), (np.nan,) * 4, (3, 3, 3, 8)


def draw(sources, count=300, source=0, track=0, frame_range=3, negative_ratio=0.0):
    rng = np.random.default_rng(0)
    portions = [Portion(f"source {i}", s, frame_range) for i, s in enumerate(sources)]
    given = portions, source, track, rng
    ratio = {"negative_ratio": negative_ratio}
    return [pairs.sample_pair(*given, **ratio) for _ in range(count)]


def test_visible_times():
    xyxy = np.array([SEEN, ABSENT, FLAT, (0, 0, 0, 0), (1, 1, 0, 4), SEEN])
    np.testing.assert_array_equal(pairs.visible_times(xyxy), [0, 5])


def test_positive_pairs_fill_the_range_evenly():
    drawn = draw([Boxes([SEEN] * 9)], count=3000)
    assert all(pair.is_positive and pair.z.track == pair.x.track == 0 for pair in drawn)
    from_middle = [pair.x.time for pair in drawn if pair.z.time == 4]
    counts = np.bincount(from_middle, minlength=9)
    assert (counts[[0, 8]] == 0).all()  # Four frames away.
    # Times 1 to 7, the same frame among them, each about 3000 / 9 / 7 = 48 times.
    assert (counts[1:8] > 25).all()
    assert {pair.x.time for pair in drawn if pair.z.time == 0} == {0, 1, 2, 3}


def test_distances_are_those_of_the_video():
    """Of every third frame kept, those up to 7 apart are 2 places away."""
    drawn = draw([Boxes([SEEN] * 9, every=3)], frame_range=7)
    assert max(abs(pair.x.time - pair.z.time) for pair in drawn) == 2


def test_every_portion_has_its_frame_range():
    portions = [Portion("", Boxes([SEEN] * 9), frame_range) for frame_range in (1, 4)]
    rng = np.random.default_rng(0)
    for number, portion in enumerate(portions):
        given = portions, number, 0, rng
        drawn = [pairs.sample_pair(*given, negative_ratio=0.0) for _ in range(300)]
        far = max(abs(pair.x.time - pair.z.time) for pair in drawn)
        assert far == portion.frame_range


def test_absent_frames_are_never_drawn():
    boxes = [ABSENT, SEEN, FLAT, SEEN, ABSENT, SEEN]
    drawn = draw([Boxes(boxes)], frame_range=10)
    assert (
        {pair.z.time for pair in drawn} == {pair.x.time for pair in drawn} == {1, 3, 5}
    )


def test_a_track_without_an_object_is_replaced():
    drawn = draw([Boxes([ABSENT] * 3, [FLAT, SEEN])])
    assert {(pair.z.track, pair.z.time) for pair in drawn} == {(1, 1)}


def test_boxes_are_those_of_the_frames():
    boxes = [(t, 0, t + 5, 7) for t in range(6)]
    for pair in draw([Boxes(boxes)], count=20):
        np.testing.assert_array_equal(pair.z.xyxy, boxes[pair.z.time])
        np.testing.assert_array_equal(pair.x.xyxy, boxes[pair.x.time])


def test_negative_pairs_show_another_track():
    sources = [Boxes([SEEN] * 4, [SEEN] * 4), Boxes(*[[SEEN]] * 50)]
    drawn = draw(sources, count=1000, track=1, negative_ratio=0.25)
    negatives = [pair for pair in drawn if not pair.is_positive]
    # Binomial(1000, 0.25): deviation 14.
    assert len(negatives) == pytest.approx(250, abs=60)
    assert all((pair.x.source, pair.x.track) != (0, 1) for pair in negatives)
    # Sources are drawn evenly, however many tracks they have; of the first one track
    # of two is left, so a third of the negatives is from it.
    from_first = np.mean([pair.x.source == 0 for pair in negatives])
    assert from_first == pytest.approx(1 / 3, abs=0.12)


def test_what_cannot_be_drawn_is_said():
    with pytest.raises(InputError, match="no object in any frame"):
        draw([Boxes([ABSENT], [FLAT])])
    with pytest.raises(InputError, match="needs a second track"):
        draw([Boxes([SEEN])], negative_ratio=1.0)
