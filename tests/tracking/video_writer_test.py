"""Tests for jaxtrack.tracking.video_writer."""

import os

import cv2
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.tracking import video_writer


def read(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        is_read, image = capture.read()
        if not is_read:
            break
        frames.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    fps = capture.get(cv2.CAP_PROP_FPS)
    code = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    capture.release()
    return np.stack(frames), fps, code


def test_writes_h264_padded_to_even_sizes(tmp_path):
    color = np.array([200, 60, 30], np.uint8)
    path = tmp_path / "a.mp4"
    with video_writer.VideoWriter(path, (51, 65), 12.5) as writer:
        for _ in range(6):
            writer.write(np.broadcast_to(color, (51, 65, 3)))
        assert not path.exists()
    frames, fps, code = read(path)
    assert frames.shape == (6, 52, 66, 3)
    assert fps == 12.5
    assert code in (b"h264", b"avc1")
    # Colors survive within what 8-bit YUV and the decoder's rounding allow.
    np.testing.assert_allclose(frames[:, 10, 10], np.tile(color, (6, 1)), atol=12)
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    # `faststart`: the index lies before the pictures, so players start at once.
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_a_fault_keeps_the_frames_until_then(tmp_path):
    path = tmp_path / "a.mp4"
    with (
        pytest.raises(RuntimeError, match="midway"),
        video_writer.VideoWriter(path, (32, 32), 25) as writer,
    ):
        for _ in range(3):
            writer.write(np.zeros((32, 32, 3), np.uint8))
        raise RuntimeError("midway")
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
    assert len(read(path)[0]) == 3


def test_a_fault_before_a_frame_keeps_the_older_file(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    with pytest.raises(RuntimeError), video_writer.VideoWriter(path, (32, 32), 25):
        raise RuntimeError("midway")
    assert path.read_bytes() == b"older"


def test_names_the_file_the_encoder_cannot_write(tmp_path):
    with (
        pytest.raises(InputError, match=r"a\.mp4 could not be written: Error"),
        video_writer.VideoWriter(tmp_path / "a.mp4", (32, 32), -1) as writer,
    ):
        for _ in range(2000):
            writer.write(np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(InputError, match=r"a\.mp4 could not be written: Error"):
        video_writer.VideoWriter(tmp_path / "a.mp4", (32, 32), -1).__exit__(None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has it")
def test_names_a_full_disk(tmp_path):
    (tmp_path / ".a.partial.mp4").symlink_to("/dev/full")
    told = r"cannot write .*/a\.mp4: No space left on device: free space"
    with (
        pytest.raises(InputError, match=told),
        video_writer.VideoWriter(tmp_path / "a.mp4", (32, 32), 25) as writer,
    ):
        writer.write(np.zeros((32, 32, 3), np.uint8))


def test_refuses_other_sizes_and_names(tmp_path):
    with (
        pytest.raises(ValueError, match="not uint8"),
        video_writer.VideoWriter(tmp_path / "a.mp4", (32, 32), 25) as writer,
    ):
        writer.write(np.zeros((32, 31, 3), np.uint8))
    with pytest.raises(InputError, match="does not end in"):
        video_writer.check_path(tmp_path / "a.avi")
    (tmp_path / "c.mp4").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        video_writer.check_path(tmp_path / "c.mp4")
    with pytest.raises(InputError, match="no folder"):
        video_writer.check_path(tmp_path / "b" / "a.mp4")
