"""Tests for jaxtrack.metrics.vot; goldens/vot_pysot.py made the goldens."""

import math

import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.evaluation import vot_files
from jaxtrack.metrics import vot

TRACKERS = ("steady", "slide")
TAGS = ("camera_motion", "illum_change", "occlusion", "size_change", "motion_change")


@pytest.fixture(scope="module")
def pysot(goldens):
    with np.load(goldens / "vot_pysot.npz") as file:
        return dict(file)


def part(pysot, prefix):
    return {
        key.removeprefix(prefix): value
        for key, value in pysot.items()
        if key.startswith(prefix)
    }


@pytest.fixture(scope="module")
def given(pysot):
    return {
        "ground_truth": {n: v / 1e4 for n, v in part(pysot, "truth_").items()},
        "image_size": {n: tuple(v) for n, v in part(pysot, "size_").items()},
        "tags": {
            n: dict(zip(TAGS, v, strict=True)) for n, v in part(pysot, "tags_").items()
        },
    }


@pytest.fixture(scope="module")
def runs(pysot, tmp_path_factory):
    """tracker -> what is read from its result files."""
    read = {}
    for tracker in TRACKERS:
        folder = tmp_path_factory.mktemp(tracker)
        files = part(pysot, f"file_{tracker}_")
        for name, content in files.items():
            path = vot_files.sequence_folder(folder, name) / f"{name}_001.txt"
            path.parent.mkdir(parents=True)
            path.write_bytes(content.tobytes())
        read[tracker] = vot_files.read_runs(folder, files)
    return read


def test_equals_pysot(pysot, given, runs):
    for tracker in TRACKERS:
        report = vot.score(results=runs[tracker], **given, edition="vot2018")
        for key in ("eao", "accuracy", "robustness"):
            expected = float(pysot[f"{key}_{tracker}"])
            assert getattr(report, key) == pytest.approx(expected, abs=1e-6)
        assert report.failures == float(pysot[f"lost_number_{tracker}"])
        curve = pysot[f"eao_curve_{tracker}"]
        np.testing.assert_allclose(report.eao_curve, curve, rtol=0, atol=1e-6)
        for name, overlaps in part(pysot, f"overlaps_{tracker}_").items():
            one = report.sequences[name]
            np.testing.assert_allclose(one.overlaps, overlaps, rtol=0, atol=1e-9)
            assert list(one.failures) == pysot[f"failures_{tracker}_{name}"].tolist()


def test_editions_differ_in_their_interval(given, runs):
    report = vot.score(results=runs["steady"], **given, edition="vot2019")
    assert report.eao == pytest.approx(0.7914, abs=5e-5)
    assert report.interval == (46, 291)
    assert report.eao == pytest.approx(report.eao_curve[45:291].mean())
    report = vot.score(results=runs["steady"], **given, edition="vot2016")
    assert report.eao == pytest.approx(report.eao_curve[107:371].mean())
    assert vot.INTERVALS["vot2017"] == vot.INTERVALS["vot2018"] == (100, 356)
    with pytest.raises(InputError, match="unknown edition 'vot2020'.*vot2018"):
        vot.score(results=runs["steady"], **given, edition="vot2020")


def test_tags_of_toolkit_runs(given, runs):
    report = vot.score(results=runs["slide"], **given, edition="vot2018")
    flags = {tag: [given["tags"][n][tag] for n in given["tags"]] for tag in TAGS}
    assert list(report.tags) == list(TAGS)
    overlaps = np.concatenate([one.overlaps for one in report.sequences.values()])
    for tag, one in report.tags.items():
        where = np.concatenate(flags[tag])
        assert one.num_frames == where.sum()
        assert one.accuracy == pytest.approx(np.nanmean(overlaps[where]))
        failed = [
            row[0] == 2 and len(row) == 1
            for name in given["ground_truth"]
            for row in runs["slide"][name][0]
        ]
        assert one.failures == np.sum(np.array(failed) & where)
        assert one.robustness == pytest.approx(100 * one.failures / where.sum())
    # A tag on every frame changes nothing.
    every = {n: {"all": np.ones(len(v))} for n, v in given["ground_truth"].items()}
    given = given | {"tags": every}
    again = vot.score(results=runs["slide"], **given, edition="vot2018")
    one = again.tags["all"]
    assert (one.eao, one.accuracy) == pytest.approx((report.eao, report.accuracy))
    assert one.robustness == pytest.approx(report.robustness)


# Rectangles draw 10 x 10 pixels; half a width to the right shares 50 of 150.
TARGET, HALF = [10.0, 10, 9, 9], [15.0, 10, 9, 9]
THIRD = 1 / 3


def score(sequences, tags=None, edition="tiny"):
    """Scores lists of repetitions of codes and boxes against a resting target."""
    runs = {
        name: [[np.atleast_1d(np.array(row, float)) for row in run] for run in several]
        for name, several in sequences.items()
    }
    truth = {n: np.tile(TARGET, (len(several[0]), 1)) for n, several in runs.items()}
    sizes = dict.fromkeys(runs, (64, 48))
    return vot.score(truth, runs, tags=tags, image_size=sizes, edition=edition)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(vot.INTERVALS, "tiny", (2, 4))


FAILS = [1, TARGET, 2, 0, 0, 0, 0, 1]
HOLDS = [1, TARGET, HALF, TARGET]


def test_curve_by_hand():
    report = score({"fails": [FAILS], "holds": [HOLDS]})
    # The failed fragment is 1, 0, 0, ... after its start, to the longest sequence's
    # end; the one after it is a start alone; the other sequence is 1, 1/3, 1.
    first = [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6, 1 / 7]
    other = [1, (4 / 3) / 2, (7 / 3) / 3]
    both = [(a + b) / 2 for a, b in zip(first, other, strict=False)]
    np.testing.assert_allclose(report.eao_curve, [1, *both, *first[3:]], rtol=1e-7)
    assert report.eao == pytest.approx(np.mean(both))
    assert report.failures == 1
    assert report.num_frames == 12
    assert report.robustness == pytest.approx(100 / 12)
    assert math.isnan(report.accuracy)


def test_accuracy_leaves_ten_frames_out():
    # The start and nine frames more; then 1/3, the failure, and from the new start on
    # ten more, of which the last row is the eleventh.
    run = [1, *[TARGET] * 9, HALF, 2, 0, 0, 0, 0, 1, *[TARGET] * 9, TARGET]
    report = score({"a": [run]})
    counted = np.nonzero(np.isfinite(report.sequences["a"].overlaps))[0]
    np.testing.assert_array_equal(counted, [10, 26])
    assert report.accuracy == pytest.approx((THIRD + 1) / 2)
    assert report.sequences["a"].accuracy == report.accuracy


def test_accuracy_weighs_frames_not_sequences():
    a, b = [1, *[HALF] * 12], [1, *[TARGET] * 10]
    report = score({"a": [a], "b": [b]})
    # Three frames of 1/3, one of 1.
    assert report.accuracy == pytest.approx((3 * THIRD + 1) / 4)


def test_bounds_of_accuracy_are_a_pixel_wider():
    # Of the region only column 64, beyond the image, is not the target's.
    truth = np.tile([60.0, 10, 3, 9], (12, 1))
    run = [np.array([1.0])] + [np.array([60.0, 10, 4, 9])] * 11
    size = {"a": (64, 48)}
    report = vot.score({"a": truth}, {"a": [run]}, image_size=size, edition="tiny")
    assert report.accuracy == pytest.approx(4 / 5)
    assert report.eao == pytest.approx(1.0)


def test_repetitions_are_averaged():
    held, failed = [1, *[HALF] * 11], [1, *[TARGET] * 10, 2]
    report = score({"a": [held, failed]})
    # Frame 10: mean of 1/3 and 1; frame 11: only 1/3 counts.
    np.testing.assert_allclose(
        report.sequences["a"].overlaps[10:], [2 / 3, THIRD], rtol=1e-6
    )
    assert report.failures == 0.5
    assert report.sequences["a"].failures == (0, 1)
    assert report.robustness == pytest.approx(100 * 0.5 / 12)
    # All overlaps 1/3 in one run; 1, ..., 1, 0 in the other.
    assert report.eao_curve[5] == pytest.approx((THIRD + 1) / 2)
    assert report.eao_curve[11] == pytest.approx((THIRD + 10 / 11) / 2)


def test_identical_repetitions_change_nothing(given, runs):
    once = vot.score(results=runs["slide"], **given, edition="vot2018")
    many = {name: several * 15 for name, several in runs["slide"].items()}
    again = vot.score(results=many, **given, edition="vot2018")
    assert again.eao == pytest.approx(once.eao, abs=1e-12)
    assert again.accuracy == pytest.approx(once.accuracy, abs=1e-12)
    assert again.failures == pytest.approx(once.failures, abs=1e-12)
    assert len(again.sequences["v_a"].failures) == 15
    # Two to one weighs a sequence's runs as three runs do.
    twice = [[1, *[HALF] * 11], [1, *[TARGET] * 11], [1, *[HALF] * 11]]
    report = score({"a": twice})
    assert report.accuracy == pytest.approx((2 * THIRD + 1) / 3)
    assert report.eao == pytest.approx((2 * THIRD + 1) / 3)


def test_tags_weigh_fragments():
    tags = {"fails": {"dark": [1, 1, 1, 1]}, "holds": {"dark": [0, 0, 1, 0]}}
    report = score({"fails": [FAILS], "holds": [HOLDS]}, tags)
    # Weights: 4 of the 8 frames to the next start, none of the last fragment, 1 of 4.
    expected = np.average([[1, 1 / 2, 1 / 3], [1, 2 / 3, 7 / 9]], 0, [0.5, 0.25])
    assert report.tags["dark"].eao == pytest.approx(expected.mean())
    assert report.tags["dark"].failures == 1
    assert report.tags["dark"].robustness == pytest.approx(100 / 5)
    assert report.tags["dark"].num_frames == 5
    # Without it, nothing is known, and the whole is as before.
    none = score({"fails": [FAILS]}, {"fails": {"dark": []}, "other": {"x": [1]}})
    assert np.isnan(none.tags["dark"].eao) and np.isnan(none.tags["dark"].robustness)
    assert none.tags["dark"].failures == 0
    untagged = score({"fails": [FAILS], "holds": [HOLDS]}, {"fails": None})
    assert untagged.eao == pytest.approx(report.eao)
    assert untagged.tags == {}


def test_failure_five_frames_before_the_end():
    # The next start would be frame 7 of 7: the first fragment weighs 7 / 8, as its sum
    # is divided as if that frame were there, and the last one is empty.
    report = score({"fails": [FAILS[:-1]], "holds": [HOLDS]})
    expected = np.average([[1, 1 / 2, 1 / 3], [1, 2 / 3, 7 / 9]], 0, [7 / 8, 1])
    np.testing.assert_allclose(report.eao_curve[1:4], expected, rtol=1e-7)


def test_failure_close_to_the_end_ends_the_curve():
    # No next start: the fragment is the last one, and not padded.
    report = score({"a": [[1, TARGET, 2, 0]], "b": [[1, *[TARGET] * 5]]})
    np.testing.assert_allclose(
        report.eao_curve, [1, 1, 3 / 4, (1 / 3 + 1) / 2, 1, 1], rtol=1e-7
    )


def test_short_sequences_have_no_eao():
    report = score({"a": [HOLDS]}, edition="vot2018")
    assert math.isnan(report.eao)
    assert report.eao_curve[3] == pytest.approx(7 / 9)


def test_expected_overlaps_matches_its_definition():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 30, 12)
    lengths[3] = 30
    fragments = rng.random((12, 30))
    for fragment, length in zip(fragments, lengths, strict=True):
        fragment[length:] = np.nan
    weights = rng.random(12)
    found = vot.expected_overlaps(fragments, weights)
    for i in range(1, 30):
        reach = [k for k in range(12) if lengths[k] > i]
        means = [fragments[k, 1 : i + 1].mean() for k in reach]
        assert found[i] == pytest.approx(np.average(means, weights=weights[reach]))
    assert found[0] == 1
    # Nothing is known where no weight reaches.
    weights[3] = 0
    known = np.isfinite(vot.expected_overlaps(fragments, weights))
    assert known.sum() == max(np.delete(lengths, 3))


def test_place_in_the_accuracy_robustness_plot():
    run = [1, *[TARGET] * 9, TARGET, *[2, 0, 0, 0, 0, 1, TARGET, TARGET]]
    report = score({"a": [run, run]})
    # One failure in 19 frames.
    x, y = report.ar_point()
    assert x == pytest.approx(math.exp(-30 / 19))
    assert y == report.accuracy == 1.0
    assert report.ar_point(sensitivity=100)[0] == pytest.approx(math.exp(-100 / 19))
    # SiamDLA's figure 7b: R in failures per 100 frames.
    assert x == pytest.approx(math.exp(-0.01 * 30 * report.robustness))


def test_polygons_are_regions_too():
    polygon = [10, 10, 19, 10, 19, 19, 10, 19]
    run = [1, *[polygon, TARGET] * 6]
    assert score({"a": [run]}).accuracy == 1.0


def test_runs_of_another_length_are_cut_as_pysot_does():
    truth = {
        "a": np.tile([2.0, 2, 9, 9], (30, 1)),
        "b": np.tile([2.0, 2, 9, 9], (20, 1)),
    }
    moved = {n: rows[1:] + np.array([3, 0, 0, 0]) for n, rows in truth.items()}
    exact = {n: [[np.array([1.0]), *rows]] for n, rows in moved.items()}
    given = {"edition": "vot2018", "image_size": dict.fromkeys(truth, (40, 40))}
    longer = exact | {"a": [[*exact["a"][0], exact["a"][0][-1]]]}
    report, same = (vot.score(truth, r, **given) for r in (longer, exact))
    assert "sequence a: 31 rows of results, 30 of ground truth" in report.warnings[0]
    assert (report.accuracy, report.num_frames) == (same.accuracy, 50)
    assert not same.warnings
    # Too few rows: the truth is cut too, so that missing frames count for nothing.
    shorter = exact | {"a": [exact["a"][0][:25]]}
    report = vot.score(truth, shorter, **given, tags={"a": {"occlusion": np.ones(30)}})
    assert report.num_frames == 45 and "the first 25 are scored" in report.warnings[0]
    np.testing.assert_allclose(report.sequences["a"].overlaps[10:], same.accuracy)
    assert vot.refusals(truth, exact | {"b": [[]]}).keys() == {"b"}


def test_refuses_what_it_cannot_score():
    with pytest.raises(InputError, match="no sequences"):
        score({})
    with pytest.raises(InputError, match="sequence a, run 2: begins with a region"):
        score({"a": [HOLDS, [TARGET] * 4]})
    with pytest.raises(InputError, match="sequence a: tag dark"):
        score({"a": [HOLDS]}, {"a": {"dark": [1] * 5}})
