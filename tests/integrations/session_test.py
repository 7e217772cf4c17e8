"""Tests for jaxtrack.session."""

import pickle
import threading

import cv2
import jax
import numpy as np
import pytest

from jaxtrack import session
from jaxtrack.errors import InputError
from jaxtrack.session_state import join_states
from jaxtrack.tracking import siamese, video
from tests.tracking.conftest import Tiny, square_frames, trusting_config


def picture(x, y, hw=(90, 120)):
    """Gray, with one red pixel; blue is brighter elsewhere, so channels matter."""
    image = np.full((*hw, 3), 40, np.uint8)
    image[y, x, 0] = 200
    image[0, 0, 2] = 255
    return image


def test_follows_from_the_box_given(seeker):
    given = seeker.init(picture(30, 40), [20.5, 35, 20, 10])
    np.testing.assert_array_equal(given.xywh, [20.5, 35, 20, 10])
    assert given.score == 1
    # The pixel's center is (50.5, 41.5); the box is 21 by 10.
    first = seeker.update(picture(50, 41))
    np.testing.assert_allclose(first.xywh, [40, 36.5, 21, 10])
    assert first.xywh.dtype == np.float64
    assert first.score == pytest.approx(0.09)
    # The state is carried on: 22 wide now.
    np.testing.assert_allclose(
        seeker.update(picture(60, 41)).xywh, [49.5, 36.5, 22, 10]
    )


def test_starts_again_at_any_time(seeker):
    seeker.init(picture(30, 40), [20, 35, 20, 10])
    seeker.update(picture(30, 40))
    seeker.init(picture(10, 10), [5, 5, 8, 8])
    assert seeker.update(picture(10, 10)).xywh[2] == 9


def test_compiles_once_a_canvas(seeker, traced):
    seeker.compile_for((90, 120))
    assert traced == [("init", (256, 256)), ("step", (256, 256))]
    for hw in ((90, 120), (256, 200)):
        seeker.init(picture(30, 40, hw), [20, 35, 20, 10])
        seeker.update(picture(31, 40, hw))
    seeker.compile_for((10, 10))
    assert len(traced) == 2
    # A new canvas is compiled whole when the target is given, not at the next frame.
    seeker.init(picture(30, 40, (300, 120)), [20, 35, 20, 10])
    assert traced[2:] == [("init", (512, 256)), ("step", (512, 256))]
    seeker.update(picture(31, 40, (300, 120)))
    assert len(traced) == 4


def test_opens_a_checkpoint(checkpoint, monkeypatch):
    monkeypatch.setattr(session, "Session", lambda *parts, **about: parts)
    tracker, variables = session.load(checkpoint)
    frame = video.pad(picture(30, 40), (256, 256))
    box = np.array([30, 40, 20, 10], np.float32)
    state = jax.eval_shape(tracker.init, variables, frame, box)
    _, output = jax.eval_shape(tracker.step, variables, state, frame)
    assert (output.box.shape, output.score.shape) == ((4,), ())


def test_refuses(seeker, tmp_path):
    with pytest.raises(InputError, match="no target yet"):
        seeker.update(picture(1, 1))
    with pytest.raises(InputError, match=r"200,35,20,10, outside .* 120 x 90"):
        seeker.init(picture(1, 1), [200, 35, 20, 10])
    with pytest.raises(InputError, match="finite"):
        seeker.init(picture(1, 1), [np.nan, 35, 20, 10])
    with pytest.raises(InputError, match="first box 1 is x,y,w,h = 20,35,0,10"):
        seeker.init(picture(1, 1), [[20, 35, 20, 10], [20, 35, 0, 10]])
    with pytest.raises(InputError, match="no whole checkpoint"):
        session.load(tmp_path)


@pytest.fixture(scope="module")
def traces():
    """Grows when the update of `follower` is compiled."""
    return []


@pytest.fixture(scope="module")
def follower(traces):
    """A session of a network of average colors."""
    model = Tiny()
    sides = model.geometry.template_size, model.geometry.search_size
    crops = (np.zeros((1, side, side, 3), np.float32) for side in sides)
    variables = jax.jit(model.init)(jax.random.key(0), *crops)
    tracker = siamese.make(trusting_config(), model)

    def update(*arguments):
        traces.append(1)
        return tracker.update(*arguments)

    counted = tracker._replace(update=update)
    return session.Session(counted, variables, lost_below=0.5)


def xywh_of(cxcywh):
    return np.concatenate([cxcywh[:2] - cxcywh[2:] / 2, cxcywh[2:]])


def test_many_targets_equal_as_many_sessions(follower, traces):
    images, truth = square_frames(6)
    first = xywh_of(truth[0])
    starts = np.stack([first, first + np.array([2, -1, 0, 4]), [70, 10, 12, 16]])
    alone = []
    for start in starts:
        follower.init(images[0], start)
        alone.append([follower.update(image) for image in images[1:]])
    traces.clear()
    given = follower.init(images[0], starts)
    np.testing.assert_array_equal(given.xywh, starts)
    np.testing.assert_array_equal(given.score, np.ones(3))
    for k, image in enumerate(images[1:]):
        xywh, score = follower.update(image)
        assert (xywh.shape, score.shape) == ((3, 4), (3,))
        for i in range(3):
            np.testing.assert_allclose(xywh[i], alone[i][k].xywh, atol=1e-3)
            np.testing.assert_allclose(score[i], alone[i][k].score, atol=1e-4)
    np.testing.assert_array_equal(follower.lost, score < 0.5)
    assert len(traces) == 1
    # One row is one target, whose box has no further axis.
    assert follower.init(images[0], starts[:1]).xywh.shape == (4,)
    assert follower.update(images[1]).xywh.shape == (4,)


@pytest.mark.parametrize("targets", [1, 2])
def test_a_pickled_state_goes_on(follower, targets):
    images, truth = square_frames(6)
    follower.init(images[0], np.stack([xywh_of(truth[0])] * targets))
    follower.update(images[1])
    kept = pickle.loads(pickle.dumps(follower.state))
    expected = [follower.update(image) for image in images[2:]]
    follower.init(images[5], (5, 5, 10, 10))
    follower.state = kept
    for image, (xywh, score) in zip(images[2:], expected, strict=True):
        found = follower.update(image)
        np.testing.assert_array_equal(found.xywh, xywh)
        np.testing.assert_array_equal(found.score, score)
    follower.state = None
    assert follower.state is None and follower.lost is False


def test_states_are_taken_apart_and_put_together(follower):
    images, truth = square_frames(4)
    first = xywh_of(truth[0])
    follower.init(images[0], np.stack([first, [70, 10, 12, 16]]))
    follower.update(images[1])
    one, other = follower.state.split()
    expected = follower.update(images[2])
    follower.state = join_states([other, one])
    found = follower.update(images[2])
    np.testing.assert_allclose(found.xywh[::-1], expected.xywh, atol=1e-3)
    np.testing.assert_allclose(found.score[::-1], expected.score, atol=1e-4)
    follower.state = join_states([one])
    np.testing.assert_allclose(
        follower.update(images[2]).xywh, expected.xywh[0], atol=1e-3
    )
    assert len(follower.state.split()) == 1


def test_a_picture_of_another_size_has_the_same_coordinates(follower):
    images, truth = square_frames(4)
    follower.init(images[0], xywh_of(truth[0]))
    follower.update(images[1])
    kept = follower.state
    expected = follower.update(images[2]).xywh
    # Rows and columns are added, on another canvas; some are cut off.
    large = np.pad(images[2], ((0, 200), (0, 200), (0, 0)), mode="edge")
    for image in (large, images[2][:90, :110]):
        follower.state = kept
        np.testing.assert_allclose(follower.update(image).xywh, expected, atol=0.5)


def test_says_when_the_target_is_lost(follower):
    images, truth = square_frames(2)
    follower.init(images[0], xywh_of(truth[0]))
    assert follower.lost is False
    _, score = follower.update(images[1])
    assert follower.lost is False and score > 0.5
    _, score = follower.update(np.full_like(images[1], 30))
    assert follower.lost is True and score < 0.5


def test_threads_take_turns(seeker):
    seeker.init(picture(30, 40), [20, 35, 20, 10])
    widths = []

    def follow():
        widths.extend(seeker.update(picture(30, 40)).xywh[2] for _ in range(40))

    threads = [threading.Thread(target=follow) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Each update widens the box by a pixel: none was lost, none done twice.
    assert sorted(widths) == list(range(21, 101))


@pytest.mark.parametrize("at_once", [0, 2])
def test_tracks_many_videos_as_one_by_one(seeker, tmp_path, at_once):
    lengths, first, expected = (3, 2), [20.5, 35, 20, 10], []
    for name, length in zip("ab", lengths, strict=True):
        (tmp_path / name).mkdir()
        images = [picture(30 + 9 * t, 40 + length) for t in range(length)]
        for t, image in enumerate(images):
            cv2.imwrite(str(tmp_path / name / f"{t}.png"), image[..., ::-1])
        seeker.init(images[0], first)
        expected.append([first, *(seeker.update(i).xywh for i in images[1:])])
    state, counts = seeker.state, []
    found = seeker.track_videos(
        *([tmp_path / "a", tmp_path / "b"], [first] * 2),
        at_once=at_once,
        advance=counts.append,
    )
    assert sum(counts) == 5
    for result, boxes in zip(found, expected, strict=True):
        np.testing.assert_allclose(result.xywh, boxes, atol=1e-4)
        assert result.score[0] == 1 and len(result.score) == len(boxes)
    np.testing.assert_array_equal(seeker.state.tracker.box, state.tracker.box)


def test_names_the_video_that_cannot_be_tracked(seeker, tmp_path):
    cv2.imwrite(str(tmp_path / "0.png"), picture(30, 40))
    with pytest.raises(InputError, match="1 videos but 2 boxes"):
        seeker.track_videos([tmp_path], [(1, 1, 2, 2)] * 2)
    with pytest.raises(InputError, match=f"{tmp_path}: the first box is .* outside"):
        seeker.track_videos([tmp_path], [(500, 1, 2, 2)])
    with pytest.raises(InputError, match=r"the first box has the shape \(1, 3\)"):
        seeker.track_videos([tmp_path], [(1, 1, 2)])
    assert seeker.track_videos([], []) == []


def test_closes(seeker):
    with seeker as opened:
        opened.init(picture(30, 40), [20, 35, 20, 10])
    with pytest.raises(InputError, match=r"closed: open another with jaxtrack\.load"):
        seeker.init(picture(30, 40), [20, 35, 20, 10])
