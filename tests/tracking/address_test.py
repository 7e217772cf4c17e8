"""Tests for jaxtrack.tracking.video: videos at addresses."""

import functools
import http.server
import subprocess
import threading

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.tracking import video, video_writer
from tests.tracking.video_test import read, write_video


@pytest.fixture
def web_server(tmp_path):
    """Serves `tmp_path`; its address."""
    handler = functools.partial(Quiet, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and /live as a camera does: pictures without a stated end."""

    def log_message(self, *words):
        pass

    def do_GET(self):
        if self.path != "/live":
            return super().do_GET()
        kind = "multipart/x-mixed-replace; boundary=frame"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        for k in range(12):
            image = np.full((32, 48, 3), 6 * k, np.uint8)
            data = cv2.imencode(".jpg", image)[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}"
            self.wfile.write(head.encode() + b"\r\n\r\n" + data + b"\r\n")


def test_address_of_a_recording_and_of_a_live_stream(tmp_path, web_server):
    write_video(tmp_path / "a.avi", 8)
    with video.FrameReader(f"{web_server}/a.avi") as reader:
        assert (reader.is_live, reader.length, len(list(reader))) == (False, 8, 8)
    said = []
    with video.FrameReader(f"{web_server}/live", warn=said.append) as reader:
        assert (reader.is_live, reader.length) == (True, None)
        levels = [int(frame.image[9, 9, 0]) for frame in reader]
    assert len(levels) >= 8 and np.all(np.diff(levels) > 0)
    assert said == [f"{web_server}/live gives no more frames: {len(levels)} were read"]
    with pytest.raises(InputError, match="does not answer, or sends no video"):
        video.FrameReader(f"{web_server}/nothing.mp4")


def test_mp4_at_an_address_whose_server_knows_no_ranges(tmp_path, web_server):
    """Its index is in front as we write it; most cameras write it at the end."""
    path = tmp_path / "a.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (6, 256, 256, 3), np.uint8)
    with video_writer.VideoWriter(path, (256, 256), 25.0) as writer:
        for picture in noise:
            writer.write(picture)
    assert len(read(f"{web_server}/a.mp4")) == 6
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path)]
    subprocess.run([*command, "-c", "copy", str(tmp_path / "b.mp4")], check=True)
    with pytest.raises(InputError, match="server knows no ranges, download it"):
        video.FrameReader(f"{web_server}/b.mp4")
