"""Tests for experiments.figures.distractors, with a tracker without a network."""

import json
import types

import numpy as np
import pytest

from experiments.figures import distractors
from jaxtrack import config as config_lib
from jaxtrack import configs, locks
from jaxtrack.datasets import folders
from jaxtrack.errors import InputError
from jaxtrack.evaluation import loading, results, run, scoring
from tests.data.composed.conftest import write_photo
from tests.refusals import refused

LENGTH = 20
# Boxes 1.1 and 2.2 times as high as the truth have IoU 0.909 and 0.455, which lie above
# 19 and 10 of the thresholds 0, 0.05, ..., 1.
GOOD, POOR = 19 / 21, 10 / 21


@pytest.fixture
def opened(monkeypatch):
    """A checkpoint that can be tracked with; tests change it."""
    config = configs.load("cract_lite0")
    found = types.SimpleNamespace(
        config=config.copy_and_resolve_references(),
        tracker=types.SimpleNamespace(ranges={"refined_weight": None}),
        identity={"step": 200},
    )
    monkeypatch.setattr(loading, "open_checkpoint", lambda checkpoint: found)
    return found


@pytest.fixture
def measure(tmp_path):
    """Arguments of a measurement; `out` is where it goes."""

    def call(**changes):
        how = {"num": 2, "length": LENGTH, "seed": 3, **changes}
        return distractors.measure(tmp_path / "run", tmp_path / "out", **how)

    call.checkpoint, call.out = tmp_path / "run", tmp_path / "out"
    return call


def answer(name, number, truth):
    """Boxes of a way of tracking on a video."""
    is_poor = name != "discriminator" and number == 0
    xywh = truth * [1, 1, 1, 2.2 if is_poor else 1.1]
    if name != "discriminator" and number == 1:
        # Far away, in the last ten frames or one less.
        xywh[-10 if name == "without" else -9 :, 0] += 10_000
    return xywh


@pytest.fixture
def fake(opened, monkeypatch):
    """A runner that answers so; returns what it was asked."""
    asked = []

    def track(checkpoint, videos, out_dir, *, name, tracking):
        asked.append((checkpoint, [v.name for v in videos], name, dict(tracking)))
        made = out_dir / "results" / name
        for number, video in enumerate(videos):
            xywh = answer(name, number, scoring.truth_xywh([video])[video.name])
            results.write_result(made, video.name, xywh, [0.5] * len(xywh))
        return made

    monkeypatch.setattr(run, "track_checkpoint", track)
    return asked


def test_the_numbers_by_hand(measure, fake):
    found = measure()
    ways = found["settings"]
    first, second = names = ("lookalikes_0000", "lookalikes_0001")
    auc = {n: [w["sequences"][name]["auc"] for name in names] for n, w in ways.items()}
    # The first frame does not count: of 19, 9 or 10 are before the target is lost.
    assert auc["discriminator"] == pytest.approx([GOOD, GOOD])
    assert auc["without"] == pytest.approx([POOR, GOOD * 9 / 19])
    assert auc["rpn"] == pytest.approx([POOR, GOOD * 10 / 19])
    # Lost in all of the last ten frames, not in nine of them.
    assert {n: w["lost"] for n, w in ways.items()} == {
        **{"discriminator": 0.0, "without": 0.5, "rpn": 0.0}
    }
    assert not ways["without"]["sequences"][first]["lost"]
    assert ways["without"]["sequences"][second]["lost"]
    assert ways["rpn"]["auc"] == pytest.approx((POOR + GOOD * 10 / 19) / 2)
    assert ways["rpn"]["frames_per_second"] == pytest.approx(2.0)
    # Of two videos a resample has but one in a quarter of the cases: the interval ends
    # at their own differences.
    assert ways["without"]["change"] is None
    change = ways["discriminator"]["change"]
    own = GOOD - POOR, GOOD * 10 / 19
    assert change["interval"] == pytest.approx([min(own), max(own)])
    assert change["difference"] == pytest.approx(sum(own) / 2)
    assert change["share_above"] == 1.0
    assert ways["rpn"]["change"]["interval"] == pytest.approx([0.0, GOOD / 19])
    written = json.loads((measure.out / "distractors.json").read_text())
    assert written == found
    videos = {"num": 2, "length": LENGTH, "seed": 3, "photos": None, "difference": 0.5}
    assert (written["videos"], written["step"]) == (videos, 200)
    text = (measure.out / "distractors.md").read_text()
    assert f"| {second} | 0.905 | 0.429 (lost) | 0.476 |" in text


def test_each_way_is_one_of_tracking_alone(measure, fake, opened):
    measure()
    names = ["lookalikes_0000", "lookalikes_0001"]
    without = {"online.learns": False}
    assert fake == [
        (measure.checkpoint, names, "discriminator", {"online.learns": True}),
        (measure.checkpoint, names, "without", without),
        (measure.checkpoint, names, "rpn", {**without, "tracking.refined_weight": 0.0}),
    ]
    for *_, fields in fake:
        assert all(map(config_lib.is_of_tracking, fields))
        opened.config.update_from_flattened_dict(fields)  # They exist.


def test_the_videos_are_the_lookalikes_asked_for(measure, fake, tmp_path):
    photo_folder = tmp_path / "photos"
    photo_folder.mkdir()
    for seed in range(8):  # Two are for evaluation.
        write_photo(photo_folder / f"{seed}.png", seed)
    how = {"photos": str(photo_folder), "difference": 0.0}
    measure(num=1, **how)
    folder = measure.out / "sequences"
    note = json.loads((folder / "lookalikes.json").read_text())
    want = {"length": LENGTH, "seed": 3, "photos": str(photo_folder), "difference": 0.0}
    assert note == want
    sequence = folders.read_sequence(folder / "lookalikes_0000")
    assert len(sequence.frames) == LENGTH
    # What is there is kept, and other videos are not mixed in.
    mark = folder / "lookalikes_0000" / "mark"
    mark.touch()
    assert measure(num=2, **how)["videos"]["num"] == 2
    assert mark.exists()
    with pytest.raises(InputError, match="other settings"):
        measure(seed=4, **how)


def test_pairs_by_sequence_not_by_order():
    def way(**auc):
        return {"sequences": {name: {"auc": value} for name, value in auc.items()}}

    found = distractors.against(way(x=0.1, y=0.7), way(y=0.8, x=0.2))
    # 0.1 on each: without pairing the interval would be wide.
    assert found["interval"] == pytest.approx([0.1, 0.1])


def test_a_frame_of_overlap_among_the_last_does_not_lose(tmp_path):
    truth = np.tile([10.0, 10.0, 8.0, 8.0], (15, 1))
    xywh = truth.copy()
    xywh[-10:, 0] += 8.0  # Touches: IoU 0.
    for last, is_lost in ((17.0, False), (18.0, True)):
        xywh[-1, 0] = last
        results.write_result(tmp_path, "a", xywh, [0.5] * 15)
        found = distractors.score("n", tmp_path, {"a": truth})
        assert found["sequences"]["a"]["lost"] == is_lost


def test_refuses_what_says_nothing_and_a_second_one(measure, fake, opened):
    message = "at work in there"
    with (
        locks.locked(measure.out, "experiment"),
        pytest.raises(InputError, match=message),
    ):
        measure()
    opened.config.tracking.identifier_weight = 1.0
    with pytest.raises(InputError, match=r"refine\.identifier is 1"):
        measure()
    opened.tracker.ranges.clear()
    opened.config.model.name = "siamcar"
    with pytest.raises(InputError, match=r"siamcar \(.* refines no proposals; name"):
        measure()
    assert not fake


def test_a_fault_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path))
    argv = ["--checkpoint=/nowhere/run", f"--out={tmp_path / 'out'}"]
    said = refused(capsys, *argv, command=distractors)
    assert said.startswith("error: no checkpoint /nowhere/run")


@pytest.fixture
def found():
    """What distractors.json holds of two ways on two videos."""
    change = {"difference": 0.1, "interval": [-0.0254, 0.2], "share_above": 0.9}

    def way(auc, lost, speed, change, **videos):
        one = {n: {"auc": v, "lost": is_lost} for n, (v, is_lost) in videos.items()}
        way = {"auc": auc, "lost": lost, "frames_per_second": speed}
        return {**way, "sequences": one, "change": change}

    yes = way(0.6, 0.0, 20.44, change, b=(0.4, False), a=(0.8, False))
    no = way(0.5, 0.5, None, None, a=(0.9, False), b=(0.1, True))
    videos = {"num": 2, "length": 60, "seed": 3, "photos": None, "difference": 0.25}
    found = {"step": 200, "videos": videos, "baseline": "without"}
    found |= {"confidence": 0.95, "last_frames": 10}
    return {**found, "settings": {"discriminator": yes, "without": no}}


def test_the_page(found):
    text = distractors.markdown(found)
    lines = text.splitlines()
    assert "| tracked by | AUC | change to without | lost | frames/s |" in lines
    wanted = "| discriminator | 0.600 | +0.100 (-0.025 to +0.200) | 0% | 20.4 |"
    assert wanted in lines
    assert "| without | 0.500 | - | 50% | - |" in lines
    # In the order of what is compared with.
    at = lines.index("| a | 0.800 | 0.900 |")
    assert lines[at + 1] == "| b | 0.400 | 0.100 (lost) |"
    assert lines[at - 2] == "| video | discriminator | without |"
    for part in (
        *("(200 steps of training) on 2 videos of 60 frames", "last 10 frames"),
        *("scikit-image's photographs", "(difference 0.25, seed 3)", "95% interval"),
    ):
        assert part in text
    found["videos"]["photos"] = "/photos"
    assert "composed of the given photographs" in distractors.markdown(found)
