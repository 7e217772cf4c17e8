"""Tests for jaxtrack.portability.inputs."""

import zlib

import numpy as np

from jaxtrack.ops.grid import Geometry
from jaxtrack.portability import inputs

# Of a batch, by name, and of a video; another one makes all recordings useless.
CHECKSUMS = [
    1489118142,
    3158232507,
    2010456426,
    2083193835,
    3221708803,
    3928478703,
    390733240,
]


def test_numbers_are_multiples_of_a_power_of_two():
    found = inputs.uniform((10_000,), seed="a")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found * 2**15, np.round(found * 2**15))
    # Uniform in [-1, 1): mean 0, deviation 1 / sqrt(3), of 10,000 within 4 standard
    # errors, 0.006 and 0.0026.
    assert abs(found.mean()) < 0.024 and abs(found.std() - 3**-0.5) < 0.0104
    # numpy's frozen generator, of the text's CRC.
    raw = np.random.RandomState(zlib.crc32(b"a")).bytes(2)
    assert found[0] == int.from_bytes(raw, "little", signed=True) / 2**15
    assert (found != inputs.uniform((10_000,), seed="b")).any()


def test_inputs_are_the_same_bits_everywhere():
    batch = inputs.draw_batch(Geometry(16, 32, 4, 8, 4.0), 2)
    frames, boxes = inputs.draw_video(3)
    arrays = [batch[name] for name in sorted(batch)] + [frames, boxes]
    assert [zlib.crc32(np.ascontiguousarray(a)) for a in arrays] == CHECKSUMS


def test_the_video_shows_its_target_where_the_boxes_say():
    frames, boxes = inputs.draw_video(70)
    corners = boxes[:, :2] - boxes[:, 2:] / 2
    first = None
    for frame, (left, top) in zip(frames, corners.astype(int), strict=True):
        shown = frame[top : top + 48, left : left + 48]
        first = shown if first is None else first
        np.testing.assert_array_equal(shown, first)
    steps = np.abs(np.diff(corners, axis=0))
    assert steps.max() <= 4 and (steps.sum(axis=1) > 0).all()
    height, width = frames.shape[1:3]
    assert (corners >= 0).all() and (corners + 48 <= (width, height)).all()
