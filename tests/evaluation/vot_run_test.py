"""Tests for jaxtrack.evaluation.vot_run; goldens/vot_pysot.py made the goldens."""

import types
from dataclasses import replace

import jax
import numpy as np
import pytest

from jaxtrack.config import get_config
from jaxtrack.errors import InputError
from jaxtrack.evaluation import loading, vot_files, vot_run
from jaxtrack.metrics import vot
from jaxtrack.tracking import Frame
from jaxtrack.tracking.run import compile_tracker
from tests.evaluation.fixtures import moving_tracker

NAMES = ["v_long", "v_mid", "v_a", "v_b", "v_c", "v_d"]


def text(rows):
    return "".join(vot_files.format_row(row) + "\n" for row in rows)


def blank_frames(count, size_wh=(64, 48)):
    """Frames that hold nothing but their number."""
    return [Frame(np.array(i), np.array(size_wh[::-1])) for i in range(count)]


def from_file(xywh):
    """A VOT box in the convention of our trackers: half a pixel more."""
    x, y, w, h = xywh
    return np.array([x + w / 2 + 0.5, y + h / 2 + 0.5, w, h])


def scripted(script, drift):
    """Answers box(t) = script[t] + (t - start) * drift."""

    def start(frame, box):
        return int(frame.image)

    def follow(started, frame):
        now = int(frame.image)
        return started, from_file(
            np.array(script[now]) + (now - started) * np.array(drift)
        )

    return start, follow


@pytest.mark.parametrize("tracker", ["steady", "slide"])
@pytest.mark.parametrize("name", NAMES)
def test_writes_the_files_that_pysots_protocol_gives(goldens, tracker, name):
    with np.load(goldens / "vot_pysot.npz") as file:
        drift = [*file[f"drift_{tracker}"], 0, 0]
        script = file[f"script_{tracker}_{name}"] / 1e4
        truth, size = file[f"truth_{name}"] / 1e4, file[f"size_{name}"]
        expected = file[f"file_{tracker}_{name}"].tobytes().decode()
    start, follow = scripted(script, drift)
    frames = blank_frames(len(truth), size)
    run, seconds = vot_run.track_with_resets(start, follow, frames, truth)
    assert text(run) == expected
    asked = np.array([len(row) == 4 or row[0] > 0 for row in run])
    np.testing.assert_array_equal(seconds > 0, asked)


TARGET = np.array([10.0, 10, 9, 9])


def resting(count):
    return np.tile(TARGET, (count, 1))


def codes(rows):
    return [int(row[0]) if len(row) == 1 else -1 for row in rows]


def test_starts_five_frames_after_a_failure():
    boxes = []

    def start(frame, box):
        boxes.append((int(frame.image), box))

    def follow(state, frame):
        far = np.array([40.0, 40, 5, 5]) if int(frame.image) in (2, 9) else boxes[0][1]
        return state, far

    run, _ = vot_run.track_with_resets(start, follow, blank_frames(14), resting(14))
    assert codes(run) == [1, -1, 2, 0, 0, 0, 0, 1, -1, 2, 0, 0, 0, 0]
    assert [number for number, _ in boxes] == [0, 7]
    # Nine pixels from index 10 on are 10..19 in continuous pixels.
    np.testing.assert_allclose(boxes[1][1], [14.5, 14.5, 9, 9])
    # And the box is written as it was given, but for half a pixel.
    np.testing.assert_allclose(run[1], [9.5, 9.5, 9, 9])
    # The next start may be the last frame.
    run, _ = vot_run.track_with_resets(start, follow, blank_frames(8), resting(8))
    assert codes(run) == [1, -1, 2, 0, 0, 0, 0, 1]


def test_what_a_failure_is():
    truth = np.array([[10.0, 10, 9, 9], [10, 10, 9.4, 9]])
    for box, fails in (
        # Index 18.4 is drawn on 18, the last pixel of the target; 18.6 on 19.
        ([18.4, 10, 9, 9], False),
        ([18.6, 10, 9, 9], True),
        ([10, 10, 0, 9], True),
        ([10, 10, np.nan, 9], True),
        ([10, 10, 1e9, 1e9], False),
    ):
        start, follow = scripted([box, box], [0] * 4)
        run, _ = vot_run.track_with_resets(start, follow, blank_frames(2), truth)
        assert codes(run) == ([1, 2] if fails else [1, -1])


def test_what_is_outside_of_the_image_does_not_count():
    truth = np.array([[50.0, 10, 30, 20], [50.0, 10, 30, 20]])
    # The last column that is drawn is 64, one beyond the image.
    for x, code in ((60.0, -1), (63.6, -1), (64.6, 2), (67.0, 2)):
        start, follow = scripted([[x, 10, 9, 9]] * 2, [0] * 4)
        run, _ = vot_run.track_with_resets(start, follow, blank_frames(2), truth)
        assert codes(run)[1] == code


def test_refuses_frames_that_do_not_fit():
    start, follow = scripted(resting(9), [0] * 4)
    with pytest.raises(InputError, match="2 frames for 3 regions"):
        vot_run.track_with_resets(start, follow, blank_frames(2), resting(3))
    with pytest.raises(InputError, match="more frames than the 3 regions"):
        vot_run.track_with_resets(start, follow, blank_frames(4), resting(3))
    outside = np.array([[90.0, 10, 9, 9]])
    with pytest.raises(InputError, match="frame 0: the box to start from is .*outside"):
        vot_run.track_with_resets(start, follow, blank_frames(1), outside)


class Case:
    """Runs a moving tracker over the small sequences, with one compilation for all."""

    def __init__(self, videos, folder):
        self.videos, self.folder, self.traced = videos, folder, []
        self.drivers = compile_tracker(moving_tracker(self.traced))
        # The boxes' pixels are from x0 on and x1 - x0 wide: as such they count from 0.
        self.truth = {
            v.name: np.concatenate([v.xyxy[:, :2], v.xyxy[:, 2:] - v.xyxy[:, :2]], 1)
            for v in videos
        }

    def with_regions(self):
        return [replace(v, region=self.truth[v.name]) for v in self.videos]

    def run(self, shift=2.0, *, identity=None, **options):
        how = {"identity": identity or {"step": 1}, "around": {}, **options}
        given = {"shift": np.float32(shift)}, self.with_regions(), self.folder
        return vot_run.track_unfinished(self.drivers, *given, **how)

    def read(self):
        return vot_files.read_runs(self.folder, self.truth)


@pytest.fixture
def case(videos, tmp_path):
    return Case(videos, tmp_path / "r")


ALL = ["ball", "car <1>", "dog"]


def test_runs_a_compiled_tracker(case):
    assert case.run() == ALL
    for name, (rows,) in case.read().items():
        assert rows[0].tolist() == [1]
        # The targets move two pixels a frame from (8, 9) on, 16 x 12 px.
        for t, row in enumerate(rows[1:], start=1):
            np.testing.assert_allclose(row, [8 + 2 * t - 0.5, 8.5, 16, 12], atol=1e-4)
        times = case.folder / f"baseline/{name}/{name}_time.txt"
        assert len(times.read_text().splitlines()) == len(rows)
    # Two canvases, a compilation each.
    assert case.traced == ["step", "step"]
    sizes = {"ball": (64, 48), "car <1>": (64, 48), "dog": (300, 48)}
    report = vot.score(case.truth, case.read(), image_size=sizes, edition="vot2018")
    assert report.failures == 0
    # Half a pixel and a column off: 16 of 18 columns, the last row likewise.
    assert np.nanmean(report.eao_curve[1:]) > 0.8


def test_public_trackers_count_pixels_by_index(case):
    case.run()
    expected = case.read()
    given, init = [], case.drivers.init
    case.drivers = case.drivers._replace(
        init=lambda *inputs: given.append(inputs[2]) or init(*inputs)
    )
    case.run(identity={"selection": "pysot"}, pixel_center=0.0)
    # x + (w - 1) / 2 of 8, 9, 16, 12: the corners' mean, as pysot starts.
    np.testing.assert_allclose(given[1], [15.5, 14.5, 16, 12])
    # This tracker does not look, so what is written is the same.
    for name, several in case.read().items():
        assert text(several[0]) == text(expected[name][0])


def test_warms_up_once_a_canvas(case):
    calls, init = [], case.drivers.init
    counted = case.drivers._replace(init=lambda *given: calls.append(1) or init(*given))
    case.drivers = counted
    case.run()
    # Three sequences, and two canvases.
    assert len(calls) == 3 + 2


def test_compiled_tracker_is_reset(case):
    case.run(shift=30.0)
    runs = {
        n: [int(r[0]) if len(r) == 1 else -1 for r in rows]
        for n, (rows,) in case.read().items()
    }
    assert runs == {
        "ball": [1, 2, 0, 0, 0],
        "car <1>": [1, 2, 0, 0, 0, 0, 1],
        "dog": [1, 2, 0, 0, 0, 0],
    }


def test_keeps_what_is_finished(case):
    case.run()
    assert case.run() == []
    case.truth["car <1>"][2] += 0.25
    assert case.run() == ["car <1>"]
    (case.folder / "baseline/dog/dog_001.txt").unlink()
    assert case.run() == ["dog"]
    (case.folder / "baseline/ball/ball_001.txt").write_text("1\n2\n")
    assert case.run() == ["ball"]
    (case.folder / "baseline/ball/ball_001.txt").write_text("1,2\n")
    assert case.run() == ["ball"]
    assert case.run(identity={"step": 2}) == ALL


def test_names_the_sequence_that_is_wrong(case):
    case.truth["dog"] = case.truth["dog"][:-1]
    with pytest.raises(
        InputError, match="sequence dog: more frames than the 5 regions"
    ):
        case.run()
    # What was finished before stays.
    case.truth["dog"] = np.tile([8.0, 9, 16, 12], (6, 1))
    assert case.run() == ["dog"]
    case.videos.clear()
    with pytest.raises(InputError, match="no sequences to track"):
        case.run()


def test_runs_a_checkpoint(case, monkeypatch, tmp_path):
    opened = loading.Opened(
        config=get_config(),
        model=types.SimpleNamespace(),
        tracker=moving_tracker([]),
        variables={"shift": np.float32(2)},
        identity={"weights": "x"},
        around={"device": "none"},
    )
    asked = []

    def open_checkpoint(path, *, tracking):
        asked.append((path, tracking))
        return opened

    monkeypatch.setattr(loading, "open_checkpoint", open_checkpoint)
    given = "runs/lite0", case.with_regions(), tmp_path
    folder = vot_run.track_checkpoint(*given, name="lite0", tracking={"w": 1})
    assert folder == tmp_path / "results/lite0"
    assert asked == [("runs/lite0", {"w": 1})]
    case.run()
    for name, several in vot_files.read_runs(folder, case.truth).items():
        assert text(several[0]) == text(case.read()[name][0])
    made = vot_run.manifest.read(folder / "baseline")
    assert made["environment"] == {"device": "none"}
    assert set(made["sequences"]) == set(ALL)


def test_compiled_boxes_equal_eager_ones(case):
    case.run(shift=1.5)
    with jax.disable_jit():
        other = Case(case.videos, case.folder.parent / "eager")
        other.run(shift=1.5)
    for name, several in case.read().items():
        assert text(several[0]) == text(other.read()[name][0])
