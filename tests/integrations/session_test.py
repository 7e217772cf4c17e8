"""Tests for jaxtrack.session."""

import jax
import numpy as np
import pytest

from jaxtrack import session
from jaxtrack.errors import InputError
from jaxtrack.tracking import video


def picture(x, y, hw=(90, 120)):
    """Grey, with one red pixel; blue is brighter elsewhere, so channels matter."""
    image = np.full((*hw, 3), 40, np.uint8)
    image[y, x, 0] = 200
    image[0, 0, 2] = 255
    return image


def test_follows_from_the_box_given(seeker):
    given = seeker.init(picture(30, 40), [20.5, 35, 20, 10])
    np.testing.assert_array_equal(given.xywh, [20.5, 35, 20, 10])
    assert given.score == 1
    # The pixel's centre is (50.5, 41.5); the box is 21 by 10.
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
    monkeypatch.setattr(session, "Session", lambda *parts: parts)
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
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\], not float32 \(90, 120\)"):
        seeker.init(np.zeros((90, 120), np.float32), [20, 35, 20, 10])
    with pytest.raises(InputError, match="no whole checkpoint"):
        session.load(tmp_path)
