"""Tests for jaxtrack.data.order and jaxtrack.data.portions."""

import collections

import numpy as np
import pytest

from jaxtrack.data import order
from jaxtrack.data.portions import ALL, Portion


class Tracks:
    """A source of which only the number of tracks is asked for."""

    def __init__(self, num_tracks):
        self.num_tracks = num_tracks


def portion(num_tracks, **options):
    return Portion("tracks", Tracks(num_tracks), frame_range=100, **options)


def take(portions, count, *, seed=0, first=0):
    stream = order.mix_clips(portions, seed)
    return [stream[i] for i in range(first, first + count)]


def counts(drawn, number=0):
    """Returns how often each clip of a portion is among those drawn."""
    return collections.Counter(clip for part, clip in drawn if part == number)


def test_an_epoch_of_counts_is_pysots():
    """Hand-counted: 3 clips up to 8 come 3, 3 and 2 times; 10 up to 4 once or never."""
    portions = [
        portion(3, num_use=8),
        portion(5, num_use=ALL),
        portion(10, num_use=4),
        portion(2, num_use=2),
    ]
    epoch = 8 + 5 + 4 + 2
    orders, shown = [], collections.Counter()
    for number in range(30):
        drawn = take(portions, epoch, first=number * epoch)
        assert sorted(counts(drawn, 0).values()) == [2, 3, 3]
        assert counts(drawn, 1) == dict.fromkeys(range(5), 1)
        assert sorted(counts(drawn, 2).values()) == [1] * 4
        assert counts(drawn, 3) == {0: 1, 1: 1}
        orders.append(drawn)
        shown += counts(drawn, 2)
    # Epochs differ, mix all portions, and take other clips where not all have a place.
    assert orders[0] != orders[1]
    firsts = {part for drawn in orders for part, _ in drawn[:2]}
    assert firsts == {0, 1, 2, 3}
    assert len(shown) == 10
    assert max(shown.values()) < 25  # Binomial(30, 0.4): 12, deviation 2.7.


def test_an_element_depends_on_seed_and_place_alone():
    portions = [portion(7, num_use=20), portion(3, share=0.5), portion(4, num_use=-1)]
    whole = take(portions, 90)
    again = order.mix_clips(portions, 0)
    backwards = [again[i] for i in reversed(range(90))]
    assert whole == backwards[::-1]
    # Two processes of any size of batch see every second element.
    for process in range(2):
        share = again[process::2]
        assert [share[i] for i in range(45)] == whole[process::2]
    assert whole != take(portions, 90, seed=1)


def test_shares_stand_beside_counts():
    """Composed scenes of share 0.5 are a third beside counted folders."""
    drawn = take([portion(6, num_use=12), portion(9, share=0.5)], 180)
    assert counts(drawn, 0) == dict.fromkeys(range(6), 20)
    assert counts(drawn, 1).total() == 60


def test_shares_are_kept_to_the_number():
    """3/10 and 1/10 are 300 of 400 although 0.3 / 0.1 is a bit less than 3."""
    drawn = take([portion(4, share=0.3), portion(5, share=0.1)], 4000)
    assert counts(drawn, 0) == dict.fromkeys(range(4), 750)
    assert counts(drawn, 1) == dict.fromkeys(range(5), 200)


def test_a_group_of_alike_tracks_counts_as_few():
    """Ten clips, 40 alike that count 1/20 each, one never: 10 to 2."""
    weights = np.array([1.0] * 10 + [0.05] * 40 + [0.0])
    drawn = take([portion(51, weights=weights)], 2400)
    shown = counts(drawn)
    assert [shown[clip] for clip in range(10)] == [200] * 10
    assert [shown[clip] for clip in range(10, 50)] == [10] * 40
    assert 50 not in shown
    # With counts: all are 12 clips' worth; of 30, 25 and 5.
    for num_use, ordinary, alike in ((ALL, 10, 2), (30, 25, 5)):
        drawn = take([portion(51, weights=weights, num_use=num_use)], ordinary + alike)
        assert sum(clip < 10 for _, clip in drawn) == ordinary
        assert sum(10 <= clip < 50 for _, clip in drawn) == alike


def test_tracks_of_a_clip_take_one_place():
    """Clips of 1, 3 and 2 tracks; the weight of a clip is its heaviest track's."""
    clips = np.array([0, 1, 1, 1, 2, 2])
    one = portion(6, clips=clips)
    assert one.num_clips == 3
    assert counts(take([one], 30)) == {0: 10, 1: 10, 2: 10}
    rng = np.random.default_rng(0)
    assert {one.draw_track(1, rng) for _ in range(60)} == {1, 2, 3}
    assert one.draw_track(0, rng) == 0
    assert {one.draw_clip(rng) for _ in range(60)} == {0, 1, 2}
    heavy = portion(6, clips=clips, weights=np.array([0, 0, 0.5, 0, 1.0, 3.0]))
    assert [(g.tolist(), w) for g, w in heavy.groups] == [([2], 3.0), ([1], 0.5)]
    assert {heavy.draw_track(1, rng) for _ in range(20)} == {2}
    drawn = [heavy.draw_clip(rng) for _ in range(700)]
    assert set(drawn) == {1, 2}
    # Binomial(700, 6/7): 600, deviation 9.
    assert sum(clip == 2 for clip in drawn) == pytest.approx(600, abs=40)
