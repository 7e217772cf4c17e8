"""A long video and a large one are tracked in memory that does not grow."""

import os
import pathlib
import re
import subprocess
import sys
import time

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from jaxtrack.tracking.video_writer import VideoWriter

ROOT = pathlib.Path(__file__).resolve().parents[2]
BOX = (40, 30, 60, 50)  # x, y, width and height, pixels.

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="Linux has it"),
]


def pictures(height, width):
    """Makes eight pictures of a bright target that moves over noise."""
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 90, (height // 8, width // 8, 3), np.uint8)
    ground = cv2.resize(noise, (width, height), interpolation=cv2.INTER_NEAREST)
    x, y, w, h = BOX
    for shift in (0, 2, 4, 6, 8, 6, 4, 2):
        picture = ground.copy()
        picture[y : y + h, x + shift : x + shift + w] = (220, 180, 40)
        yield picture


def write(folder, frames, hw):
    """Writes eight frames again and again: into a video, and links to eight files."""
    drawn = list(pictures(*hw))
    short = folder / "short.mp4"
    with VideoWriter(str(short), hw, 25) as writer:
        for picture in drawn:
            writer.write(picture)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error"]
    command += ["-stream_loop", str(frames // 8 - 1), "-i", short, "-c", "copy"]
    subprocess.run([*command, folder / "video.mp4"], check=True)
    images = folder / "sequences" / "long" / "img"
    images.mkdir(parents=True)
    for number in range(frames):
        path = images / f"{number + 1:06d}.jpg"
        if number < 8:
            cv2.imwrite(str(path), drawn[number])
        else:
            os.link(images / f"{number % 8 + 1:06d}.jpg", path)
    truth = f"{','.join(map(str, BOX))}\n" * frames
    (images.parent / "groundtruth_rect.txt").write_text(truth)


def resident(pid):
    """Returns the memory of a process, MB."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def measured(command, log, frames):
    """Runs a command; returns frames done and memory, again and again, by its bar."""
    found, words = [], [sys.executable, "-m", "jaxtrack", *command]
    quick = os.environ | {"XLA_FLAGS": ""}  # Thousands of frames are worth compiling.
    with open(log, "wb") as said:
        how = {"cwd": ROOT, "env": quick, "stdout": said, "stderr": said}
        with subprocess.Popen(words, **how) as process:
            while process.poll() is None:
                time.sleep(0.05)
                done = re.findall(rf"(\d+)/{frames}\b", log.read_text())
                if done:
                    found.append((int(done[-1]), resident(process.pid)))
    assert process.returncode == 0, log.read_text()
    return np.array(found)


@pytest.mark.parametrize("name", ["track", "eval"])
@pytest.mark.parametrize(
    ("frames", "hw", "allowed"), [(2000, (480, 640), 20), (80, (2160, 3840), 50)]
)
def test_memory_is_flat(tmp_path, row, name, frames, hw, allowed):
    # Measured: at most 10 MB more of small frames, of which 16 may wait (15 MB), and
    # less of large ones: of those two are allowed. Were one in twenty kept, it would be
    # 46 and 50 MB.
    write(tmp_path, frames, hw)
    box = ",".join(map(str, BOX))
    words = {
        "track": "{0}/video.mp4 --checkpoint=lite --box={1} --boxes={0}/boxes.txt",
        "eval": "--sequences={0}/sequences --checkpoint=t=lite --no-batched",
    }
    command = [name, *words[name].format(tmp_path, box).split()]
    command += [f"--out={tmp_path / 'out'}"] * (name == "eval")
    done, memory = measured(command, tmp_path / "log", frames).T
    part = done / frames
    before = memory[(part > 0.25) & (part <= 0.5)].max()
    # What is left after the last frame is the report, with matplotlib.
    after = memory[(part > 0.75) & (part < 1)].max()
    assert after - before < allowed, (before, after)
    row(
        f"{frames:,} frames of {hw[1]} x {hw[0]} "
        f"({frames * hw[0] * hw[1] * 3 / 1e9:.1f} GB) through `{name}`",
        1,
        f"memory at most {before:.0f} MB in the second quarter, {after:.0f} MB in the "
        "last",
    )
