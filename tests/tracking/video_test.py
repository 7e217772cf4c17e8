"""Tests for jaxtrack.tracking.video."""

import itertools
import subprocess
import threading

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from jaxtrack.errors import InputError
from jaxtrack.tracking import decoders, video


def write_images(folder, count, hw=(20, 30), suffix=".png"):
    """Writes `1.png`, `2.png`, ...; image k is of the RGB color (k, 100, 200)."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(1, count + 1):
        image = np.full((*hw, 3), (200, 100, k), np.uint8)  # BGR for OpenCV.
        cv2.imwrite(str(folder / f"{k}{suffix}"), image)
    return folder


def write_video(path, count, hw=(32, 48)):
    """Writes a Motion-JPEG file whose frame k is of the RGB color (6 k, 100, 200)."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, hw[::-1])
    for k in range(count):
        writer.write(np.full((*hw, 3), (200, 100, 6 * k), np.uint8))  # BGR.
    writer.release()
    return path


def read(source, **options):
    with video.FrameReader(source, **options) as reader:
        return list(reader)


@pytest.fixture(params=["ffmpeg", "opencv"])
def backend(request, monkeypatch):
    """Decodes with either."""
    if request.param == "opencv":
        monkeypatch.setattr(decoders.importlib.util, "find_spec", lambda name: None)


def test_folder_in_order_as_rgb_on_a_canvas(tmp_path):
    folder = write_images(tmp_path, 12)
    with video.FrameReader(folder) as reader:
        assert (reader.length, reader.hw, reader.canvas) == (12, (20, 30), (256, 256))
        assert reader.fps is None
        frames = list(reader)
    # 10.png comes after 9.png.
    assert [int(frame.image[0, 0, 0]) for frame in frames] == list(range(1, 13))
    np.testing.assert_array_equal(frames[0].image[19, 29], [1, 100, 200])
    np.testing.assert_array_equal(frames[0].hw, [20, 30])
    assert not frames[0].image[20:].any()
    assert not frames[0].image[:, 30:].any()
    assert frames[0].hw.dtype == np.int32


@pytest.mark.parametrize(
    ("hw", "canvas"), [((256, 257), (256, 512)), ((1, 1080), (256, 1280))]
)
def test_canvas_is_a_multiple_of_256(hw, canvas):
    assert video.canvas_size(hw) == canvas


def test_folder_img_and_list_of_paths(tmp_path):
    folder = write_images(tmp_path / "img", 3)
    assert len(read(tmp_path)) == 3
    write_images(tmp_path, 1)  # A preview beside the frames.
    assert len(read(tmp_path)) == 3
    paths = [folder / "3.png", folder / "1.png"]
    assert [int(f.image[0, 0, 0]) for f in read(paths)] == [3, 1]


def test_video_file(tmp_path, backend):
    path = write_video(tmp_path / "a.avi", 8)
    with video.FrameReader(str(path)) as reader:
        assert (reader.length, reader.fps, reader.hw) == (8, 20.0, (32, 48))
        levels = [int(frame.image[5, 5, 0]) for frame in reader]
    np.testing.assert_allclose(levels, 6 * np.arange(8), atol=6)


# By number, or large ones by their bytes: their canvas has 256 x 256 pixels.
@pytest.mark.parametrize("ahead", [4, 1000])
def test_decodes_ahead_but_not_everything(tmp_path, monkeypatch, ahead):
    monkeypatch.setattr(video, "_WAITING", 5 * 256 * 256 * 3 - 1)
    folder = write_images(tmp_path, 20)
    decoded = []
    plain = video.read_image

    def counted(path, **options):
        decoded.append(path)
        return plain(path, **options)

    monkeypatch.setattr(video, "read_image", counted)
    with video.FrameReader(folder, ahead=ahead) as reader:
        assert reader.first.image.shape == (256, 256, 3)
        frames = iter(reader)
        next(frames)
        next(frames)
        assert len(decoded) <= 6
        assert len(list(frames)) == 18
    assert len(decoded) == 20


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "3.jpg cannot be read"),
        (lambda path: path.write_bytes(b""), "3.jpg is empty"),
        (lambda path: path.write_bytes(b"text"), "3.jpg is no image"),
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "3.jpg is cut off"),
        (
            lambda path: cv2.imwrite(str(path), np.zeros((300, 8, 3), np.uint8)),
            "frame 3 is 8 x 300 pixels, the first is 30 x 20: too large for the canvas",
        ),
    ],
    ids=["missing", "empty", "text", "cut", "size"],
)
def test_names_the_damaged_frame(tmp_path, damage, message):
    folder = write_images(tmp_path, 5, suffix=".jpg")
    paths = [folder / f"{k}.jpg" for k in range(1, 6)]
    damage(paths[2])
    with video.FrameReader(paths) as reader:
        frames = iter(reader)
        assert len([next(frames), next(frames)]) == 2
        with pytest.raises(InputError, match=message):
            next(frames)


def test_addresses_of_files_and_streams():
    assert str(decoders.local_path("file:///a%20b/c%23.mp4")) == "/a b/c#.mp4"
    assert str(decoders.local_path("a%20b.mp4")) == "a%20b.mp4"
    assert decoders.is_address("rtsp://host/stream")
    assert not decoders.is_address("videos/a://b")


def test_warns_of_bad_images_and_keeps_the_numbers(tmp_path):
    folder = write_images(tmp_path, 5)
    (folder / "3.png").write_bytes(b"text")
    cv2.imwrite(str(folder / "4.png"), np.full((300, 8, 3), (0, 0, 4), np.uint8))
    said = []
    with video.FrameReader(folder, warn=said.append) as reader:
        frames = list(reader)
    # The second picture stands in for the third.
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 2, 2, 4, 5]
    assert (len(said), reader.skipped) == (2, 1)
    assert "3.png is no image" in said[0]
    assert "frame 4 is 8 x 300 pixels, the first is 30 x 20" in said[1]
    assert [f.image.shape[0] for f in frames] == [256, 256, 256, 512, 256]
    np.testing.assert_array_equal(frames[3].hw, [300, 8])


def test_a_frame_of_another_size_on_the_same_canvas(tmp_path):
    folder = write_images(tmp_path, 3)
    cv2.imwrite(str(folder / "2.png"), np.full((9, 80, 3), (0, 0, 2), np.uint8))
    with pytest.warns(UserWarning, match="frame 2 is 80 x 9 pixels"):
        frames = read(folder)
    assert [tuple(frame.hw) for frame in frames] == [(20, 30), (9, 80), (20, 30)]
    assert {frame.image.shape for frame in frames} == {(256, 256, 3)}


def test_deep_pictures_are_stretched_by_the_range_of_all(tmp_path):
    """Levels 400 k of 12 bits, k = 1 ... 5: 400 is 0, 2000 is 255, 1200 is halfway."""
    for k in range(1, 6):
        level = np.full((20, 30), 400 * k, np.uint16)
        cv2.imwrite(str(tmp_path / f"{k}.png"), level)
    said = []
    with video.FrameReader(tmp_path, warn=said.append) as reader:
        levels = [frame.image[0, 0].tolist() for frame in reader]
    assert levels == [[value] * 3 for value in (0, 64, 128, 191, 255)]
    assert reader.skipped == 0
    (line,) = said
    assert "16-bit" in line and "400 to 2000" in line
    with pytest.warns(UserWarning, match="16-bit"), video.FrameReader(tmp_path):
        pass


def test_a_stated_length_is_no_evidence_of_damage(tmp_path, monkeypatch, backend):
    path = write_video(tmp_path / "a.avi", 8)
    monkeypatch.setattr(decoders, "_stated", lambda capture: (301, 25.0))
    assert len(read(path)) == 8


def test_a_video_cut_off_gives_what_decodes(tmp_path):
    path = write_video(tmp_path / "a.avi", 40)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"a\.avi is damaged or cut off"):
        read(path)
    said = []
    with video.FrameReader(path, warn=said.append) as reader:
        assert 5 <= len(list(reader)) <= 15  # The index takes a third of the file.
    assert reader.skipped == len(said) == 1
    assert "is damaged or cut off" in said[0] and "frames were read" in said[0]


def test_goes_on_behind_frames_that_do_not_decode(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.avi", 8)
    monkeypatch.setattr(decoders.importlib.util, "find_spec", lambda name: None)
    said = []
    with video.FrameReader(path, warn=said.append) as reader:
        capture, reads = reader._decoder._capture, itertools.count()

        class Faulty:
            """Fails to read frames 3 to 5."""

            get, release = capture.get, capture.release

            def read(self):
                is_read, image = capture.read()
                is_bad = next(reads) in (1, 2, 3)
                return (False, None) if is_bad else (is_read, image)

        reader._decoder._capture = Faulty()
        assert len(list(reader)) == 5
    assert "3 frames cannot be decoded" in said[0]


def test_names_the_codec_that_opencv_does_not_decode(tmp_path, monkeypatch):
    monkeypatch.setattr(decoders.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(decoders, "_capture", lambda target: UndecodedAv1())
    path = tmp_path / "a.mp4"
    path.write_bytes(b"av01")
    with pytest.raises(
        InputError, match=r"codec is av01.*pip install 'jaxtrack\[video"
    ):
        video.FrameReader(path)


class UndecodedAv1:
    """What OpenCV opens and does not decode."""

    def isOpened(self):  # noqa: N802
        return True

    def get(self, what):
        named = what == cv2.CAP_PROP_FOURCC
        return float(int.from_bytes(b"av01", "little")) if named else 20.0

    def read(self):
        return False, None

    def release(self):
        pass


def test_takes_the_color_matrix_of_the_stream(tmp_path):
    """A quarter of the primaries of BT.2020 and of BT.601 differ by tens of levels."""
    path = tmp_path / "a.mkv"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi"]
    command += ["-i", "color=0xF07814:s=32x32:d=0.12", "-pix_fmt", "yuv444p"]
    command += ["-vf", "scale=out_color_matrix=bt2020nc", "-colorspace", "bt2020nc"]
    command += ["-c:v", "libx264", "-qp", "1", str(path)]
    subprocess.run(command, check=True)
    with video.FrameReader(f"file://{path}") as reader:
        pixel = reader.first.image[16, 16].astype(int)
    np.testing.assert_allclose(pixel, [0xF0, 0x78, 0x14], atol=4)


def test_damaged_sound_is_no_damage_of_the_video(tmp_path):
    path = tmp_path / "a.mkv"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi"]
    command += ["-i", "color=gray:s=32x32:d=0.12", "-f", "lavfi"]
    command += ["-i", "anoisesrc=d=0.12", "-c:v", "ffv1", "-c:a", "pcm_s16le"]
    subprocess.run([*command, str(path)], check=True)
    # Noise that calls itself AC-3.
    data = path.read_bytes().replace(b"A_PCM/INT/LIT", b"A_AC3".ljust(13, b"\0"))
    path.write_bytes(data)
    assert len(read(path)) == 3
    sound = tmp_path / "b.mpg"  # Some sound says what it is in its packets alone.
    command[-3:] = ["mpeg1video", "-r", "25", "-c:a", "mp2"]
    subprocess.run([*command, str(sound)], check=True)
    assert len(read(sound)) == 3
    with pytest.raises(InputError, match="only sound or a cover"):
        subprocess.run([*command, "-map", "1", "-y", str(path)], check=True)
        video.FrameReader(path)


def test_a_tiff_of_several_pages_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    cv2.imwritemulti(str(path), [np.zeros((8, 6), np.uint8)] * 2)
    with pytest.raises(InputError, match="several pages: save each"):
        video.FrameReader(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "nothing.mp4", "no video"),
        (lambda p: p, "holds no images"),
        (lambda p: [], "empty list"),
        (lambda p: [p / "1.png"], "cannot be read"),
    ],
)
def test_refuses_sources_without_frames(tmp_path, make, message):
    with pytest.raises(InputError, match=message):
        video.FrameReader(make(tmp_path))


def test_refuses_a_file_that_is_no_video(tmp_path, capfd):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"no video at all")
    with pytest.raises(InputError, match="has no frame that can be read.*check"):
        video.FrameReader(path)


def test_closes_its_threads(tmp_path):
    folder = write_images(tmp_path, 8)
    before = threading.active_count()
    with video.FrameReader(folder) as reader:
        next(iter(reader))
    reader.close()
    assert threading.active_count() == before


def test_is_read_once(tmp_path):
    with video.FrameReader(write_images(tmp_path, 2)) as reader:
        list(reader)
        with pytest.raises(ValueError, match="already read"):
            list(reader)


def test_starts_at_any_frame(tmp_path, backend):
    path = write_video(tmp_path / "a.avi", 8)
    with video.FrameReader(path, start=5) as reader:
        assert reader.length == 8
        levels = [int(frame.image[5, 5, 0]) for frame in reader]
    np.testing.assert_allclose(levels, [30, 36, 42], atol=6)
    folder = write_images(tmp_path / "img", 4)
    assert [int(f.image[0, 0, 0]) for f in read(folder, start=2)] == [3, 4]
    for source in (path, folder):
        with pytest.raises(InputError, match="has no frame 8: it is shorter"):
            video.FrameReader(source, start=8)


def test_pattern_of_image_names(tmp_path):
    folder = write_images(tmp_path, 11)
    cv2.imwrite(str(folder / "x9.png"), np.zeros((8, 8, 3), np.uint8))
    levels = [int(f.image[0, 0, 0]) for f in read(str(folder / "%d.png"))]
    assert levels == list(range(1, 12))
    # At least two digits.
    assert len(read(str(folder / "%02d.png"))) == 2
    with pytest.raises(InputError, match=r"no image matches .*%04d\.png"):
        video.FrameReader(str(folder / "%04d.png"))
