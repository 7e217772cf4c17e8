"""Tests for jaxtrack.evaluation.analysis.alignment, with maps made by hand."""

import numpy as np
import pytest
from scipy import stats

from jaxtrack.errors import InputError
from jaxtrack.evaluation import manifest
from jaxtrack.evaluation.analysis import alignment, probing
from jaxtrack.evaluation.analysis.outcome import FrameMaps

TRUTH = np.array([3.0, 5.0, 13.0, 15.0])


def look(iou, confidence):
    """A frame with a true box of 10 x 10 px; cells hold its upper part.

    A box of the same corner and width and of height 10 h has the IoU h.
    """
    iou, confidence = np.array(iou, float), np.array(confidence, float)
    height = np.stack([iou * 0, iou * 0, iou * 0, 10 * (iou - 1)], axis=-1)
    maps = {"cls": confidence, "quality": confidence, "confidence": confidence}
    image = np.zeros((20, 20, 3), np.uint8)
    return FrameMaps(1, image, TRUTH, TRUTH, xyxy=TRUTH + height, **maps)


def align(*looks):
    return alignment.align("a", looks, len(looks) + 1)


IOU = np.linspace(0.05, 0.95, 36).reshape(6, 6)


def test_hand_made_boxes_have_the_iou_they_should():
    confidence, iou = alignment.sound_cells(look(IOU, IOU))
    np.testing.assert_allclose(iou, IOU.ravel(), atol=1e-12)
    np.testing.assert_allclose(confidence, IOU.ravel())


def test_perfect_alignment_is_one_and_costs_nothing():
    found = align(look(IOU, IOU**3), look(IOU[::-1], IOU[::-1] / 2))
    assert found["correlation"] == pytest.approx(1)
    assert found["all_correlation"] == pytest.approx(1)
    assert found["regret"] == pytest.approx(0)
    assert found["best_iou"] == found["chosen_iou"] == pytest.approx(0.95)
    assert (found["num_frames"], found["num_left_out"]) == (2, 0)


def test_reversed_alignment_is_minus_one_and_costs_everything():
    found = align(look(IOU, 1 - IOU))
    assert found["correlation"] == pytest.approx(-1)
    # It takes the worst box, 0.05, where there is one of 0.95.
    assert found["regret"] == pytest.approx(0.9)


def test_hand_computed():
    iou = [[0.1, 0.3, 0.5, 0.7, 0.9]]
    # Ranks 2 1 3 5 4 against 1 2 3 4 5: 1 - 6 * (1 + 1 + 1 + 1) / (5 * 24) = 0.8.
    found = align(look(iou, [[0.2, 0.1, 0.3, 0.6, 0.4]]))
    assert found["correlation"] == pytest.approx(0.8)
    # The most confident cell has 0.7, the best 0.9.
    assert found["regret"] == pytest.approx(0.2)
    assert found["chosen_iou"] == pytest.approx(0.7)


def test_matches_an_independent_definition():
    rng = np.random.default_rng(0)
    iou, confidence = rng.random((2, 25, 25)).round(2)
    found = align(look(iou, confidence))
    touching = iou > 0
    iou, confidence = iou[touching], confidence[touching]
    expected = stats.spearmanr(confidence, iou).statistic
    assert found["all_correlation"] == pytest.approx(expected)
    # Where confidences tie, the 100th could be any of them: take those in order.
    order = sorted(range(len(iou)), key=lambda k: (-confidence[k], k))[:100]
    expected = stats.spearmanr(confidence[order], iou[order]).statistic
    assert found["correlation"] == pytest.approx(expected)


def test_only_the_most_confident_count():
    # 100 cells in order, and as many of less confidence in reverse order.
    iou = np.concatenate([np.linspace(0.5, 0.9, 100), np.linspace(0.4, 0.1, 100)])
    confidence = np.concatenate([np.linspace(0.5, 0.9, 100), np.linspace(0, 0.1, 100)])
    found = align(look(iou[None], confidence[None]))
    assert found["correlation"] == pytest.approx(1)
    assert 0.4 < found["all_correlation"] < 0.9


def test_the_order_counts_not_the_values():
    rng = np.random.default_rng(1)
    iou, confidence = rng.random((2, 9, 9))
    plain, bent = align(look(iou, confidence)), align(look(iou, confidence**9))
    assert plain["correlation"] == pytest.approx(bent["correlation"])
    assert plain["regret"] == bent["regret"]


def test_a_confident_distractor_costs_but_is_not_ranked():
    iou, confidence = IOU.copy(), IOU.copy()
    iou[0, 0], confidence[0, 0] = 0.0, 1.0
    found = align(look(iou, confidence))
    assert found["correlation"] == pytest.approx(1)
    assert found["regret"] == pytest.approx(0.95)


def test_what_cannot_be_ranked_is_left_out_and_counted():
    for iou, confidence in (
        (IOU, np.full_like(IOU, 0.5)),  # One confidence.
        (np.full_like(IOU, 0.5), IOU),  # One IoU.
        (np.where(IOU > 0.86, IOU, 0), IOU),  # Four cells overlap.
        (IOU * 0, IOU),  # None does.
    ):
        found = align(look(iou, confidence), look(IOU, IOU))
        assert (found["num_frames"], found["num_left_out"]) == (2, 1)
        assert found["correlation"] == pytest.approx(1)
        alone = align(look(iou, confidence))
        assert alone["correlation"] is None and alone["num_left_out"] == 1
        # The regret has a value all the same.
        regret = iou.max() - iou.flat[confidence.argmax()]
        assert alone["regret"] == pytest.approx(regret)


def test_overflowing_cells_are_no_cells():
    broken = look(IOU, IOU)
    broken.confidence[0] = np.nan
    broken.xyxy[1] = np.inf
    confidence, iou = alignment.sound_cells(broken)
    assert len(confidence) == len(iou) == 24
    broken.confidence[:] = np.nan
    found = align(broken)
    assert found["regret"] is None and found["num_left_out"] == 1
    assert found["points"] == []
    # No frame has no number.
    assert align()["correlation"] is None and align()["num_frames"] == 0


def test_points_are_a_bounded_sample_of_ranked_cells():
    rng = np.random.default_rng(2)
    looks = [look(*rng.random((2, 20, 20))) for _ in range(30)]
    found = align(*looks)
    points = np.array(found["points"])
    assert points.shape == (400, 2)
    pairs = {
        tuple(np.round(pair, 4))
        for one in looks
        for pair in zip(
            *alignment.competing_cells(*alignment.sound_cells(one)), strict=True
        )
    }
    assert all(tuple(point) in pairs for point in points)
    assert align(*looks)["points"] == found["points"]
    # One frame has no more than its 100 cells.
    assert len(align(looks[0])["points"]) == 100


def test_overall_is_the_mean_over_sequences_that_have_a_number():
    sequences = {
        "a": align(look(IOU, IOU)),
        "b": align(look(IOU, 1 - IOU)),
        "c": align(),
    }
    overall = alignment.summarize(sequences)
    assert overall["correlation"] == pytest.approx(0)
    assert overall["regret"] == pytest.approx(0.45)
    assert overall["num_frames"] == 2 and overall["num_sequences"] == 3


NAMES = ["ball", "car <1>", "dog"]


@pytest.fixture
def measure(monkeypatch, videos, tmp_path, checkpoints):
    """Measures; says which sequences were looked at."""
    looked = []
    original = probing.teacher_forced

    def watched(prober, video, *args):
        looked.append(video.name)
        return original(prober, video, *args)

    monkeypatch.setattr(alignment.probing, "teacher_forced", watched)

    def call(checkpoint="sharp", only=None, **options):
        looked.clear()
        options = {"name": checkpoint} | options
        found = alignment.measure(checkpoint, only or videos, tmp_path, **options)
        return found, list(looked)

    return call


def correlations(found):
    return {name: one["correlation"] for name, one in found["sequences"].items()}


def test_measures_a_checkpoint(measure, tmp_path):
    found, looked = measure()
    # The tracker's confidence and the IoU both fall with the distance from the target.
    assert correlations(found) == pytest.approx(dict.fromkeys(NAMES, 1.0))
    assert looked == NAMES
    assert found["overall"]["correlation"] == pytest.approx(1)
    assert found["overall"]["regret"] == pytest.approx(0, abs=1e-6)
    assert found["overall"]["num_frames"] == 4 + 6 + 5
    made = manifest.read(tmp_path / "alignment/sharp")
    assert made["identity"]["weights"] == "sharp"
    assert made["environment"] == {"device": "none"}
    worse = correlations(measure("blunt")[0])
    assert all(worse[name] < found["sequences"][name]["correlation"] for name in NAMES)


def test_finished_sequences_are_kept(measure, videos, tmp_path, capsys):
    first, _ = measure()
    again, looked = measure()
    assert again == first and looked == []
    assert "3 of 3 sequences kept" in capsys.readouterr().out
    videos[1].xyxy[2] += 1
    assert measure()[1] == ["car <1>"]
    # A part of the sequences, and then all again.
    found, looked = measure(only=videos[:1])
    assert looked == [] and found["overall"]["num_sequences"] == 1
    assert measure()[1] == []
    for text in ("", "{"):
        (tmp_path / "alignment/sharp/dog.json").write_text(text)
        assert measure()[1] == ["dog"]


def test_other_weights_settings_or_methods_keep_nothing(measure, monkeypatch):
    measure(name="one")
    assert measure("blunt", name="one")[1] == NAMES
    tracking = {"tracking.window": 0.3}
    assert measure("blunt", name="one", tracking=tracking)[1] == NAMES
    monkeypatch.setitem(alignment.METHOD, "top_cells", 50)
    assert measure("blunt", name="one", tracking=tracking)[1] == NAMES


def test_faults_write_nothing(measure, videos, tmp_path):
    videos[2].xyxy[0] = np.nan
    with pytest.raises(InputError, match="sequence dog"):
        measure()
    assert not (tmp_path / "alignment").exists()


def test_sequences_without_a_number_have_none(measure, videos):
    videos[0].xyxy[1:] = np.nan
    found = correlations(measure()[0])
    assert found["ball"] is None and found["dog"] == pytest.approx(1)
