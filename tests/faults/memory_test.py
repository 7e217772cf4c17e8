"""A long video and a large one are tracked in memory that does not grow."""

import os
import pathlib
import re
import subprocess
import sys
import time

import cv2
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
    """Writes a video, and a sequence whose frames are links to eight files."""
    drawn = list(pictures(*hw))
    with VideoWriter(str(folder / "video.mp4"), hw, 25) as writer:
        for number in range(frames):
            writer.write(drawn[number % 8])
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
    found = []
    with open(log, "wb") as said:
        words = [sys.executable, "-m", "jaxtrack", *command]
        with subprocess.Popen(words, cwd=ROOT, stderr=said, stdout=said) as process:
            while process.poll() is None:
                time.sleep(0.05)
                done = re.findall(rf"(\d+)/{frames}\b", log.read_text())
                if done:
                    found.append((int(done[-1]), resident(process.pid)))
    assert process.returncode == 0, log.read_text()
    return np.array(found)


@pytest.mark.parametrize(
    ("frames", "hw", "allowed"), [(2000, (480, 640), 30), (160, (2160, 3840), 160)]
)
def test_memory_is_flat(tmp_path, frames, hw, allowed):
    # Frames that wait take up to 128 MB, 16 small ones 15 MB; all would take 1,800 MB,
    # 4,000 MB the large ones.
    write(tmp_path, frames, hw)
    box = ",".join(map(str, BOX))
    commands = {
        "track": [str(tmp_path / "video.mp4"), f"--box={box}"],
        "eval": [f"--sequences={tmp_path / 'sequences'}", "--no-batched"],
    }
    commands["track"] += ["--checkpoint=lite", f"--boxes={tmp_path / 'boxes.txt'}"]
    commands["eval"] += ["--checkpoint=t=lite", f"--out={tmp_path / 'eval'}"]
    for name, options in commands.items():
        done, memory = measured([name, *options], tmp_path / f"{name}.log", frames).T
        part = done / frames
        before = memory[(part > 0.25) & (part <= 0.5)].max()
        # What is left after the last frame is the report, with matplotlib.
        after = memory[(part > 0.75) & (part < 1)].max()
        print(f"{name}, {frames} frames of {hw}: {before:.0f} MB, then {after:.0f} MB")
        assert after - before < allowed, name
