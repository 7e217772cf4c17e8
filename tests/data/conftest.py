"""A small folder of sequences and stills, and the same packed."""

import pathlib

import numpy as np
import pytest

from jaxtrack.data import build, encoding
from jaxtrack.data.packing.shrink import WHOLE
from jaxtrack.datasets import files

HW = (48, 64)
NUM_FRAMES = 6


def scene(seed, hw=HW):
    """A smooth random image, `[H, W, 3]` uint8: JPEG keeps it to a few levels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: hw[0], : hw[1]] / 10
    waves = rng.uniform(0.2, 1, (3, 2))
    phases = rng.uniform(0, 6, 3)
    image = [np.sin(a * x + b * y + p) for (a, b), p in zip(waves, phases, strict=True)]
    return np.uint8(127 + 100 * np.stack(image, axis=-1))


def encode(image):
    """Encodes an image so that it keeps its colors to a few levels."""
    return encoding.encode(image, quality=95, subsampling="444")


def write_sequence(folder, seed, num_frames=NUM_FRAMES):
    """Writes frames and boxes; frame `t` has the box (10 + t, 12, 30 + t, 28)."""
    (folder / "img").mkdir(parents=True)
    xyxy = np.array([[10 + t, 12, 30 + t, 28] for t in range(num_frames)], float)
    for t in range(num_frames):
        data = encode(scene(100 * seed + t))
        (folder / "img" / f"{t + 1:04d}.jpg").write_bytes(data)
    files.write_boxes(folder / "groundtruth_rect.txt", xyxy)
    return xyxy


def write_stills(folder, name="photos"):
    """Writes two photographs, the first with two objects, and their table."""
    (folder / name).mkdir(parents=True)
    for number in range(2):
        data = encode(scene(900 + number))
        (folder / name / f"{number}.jpg").write_bytes(data)
    table = folder / f"{name}_boxes.tsv"
    table.write_text(
        "image\tx\ty\tw\th\n0.jpg\t1\t2\t20\t30\n0.jpg\t30\t5\t10\t10\n1.jpg\t0\t0\t9\t8\n"
    )
    return table


def check_batch(batch, size, template, search):
    """Asserts that a batch is as `jaxtrack.data.batch` documents it."""
    fields = {"z_xyxy": (4,), "xyxy": (4,), "is_positive": ()}
    fields |= {"z_image": (template, template, 3), "x_image": (search, search, 3)}
    assert {n: a.shape for n, a in batch.items()} == {
        name: (size, *shape) for name, shape in fields.items()
    }
    kinds = [batch[name].dtype for name in sorted(batch)]
    assert kinds == ["bool", "uint8", "float32", "uint8", "float32"]


def is_alive(pid):
    """Returns whether a process runs; one that only waits to be counted does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def root(tmp_path):
    """A folder of the sequences `a` and `b`."""
    for seed, name in enumerate("ab"):
        write_sequence(tmp_path / "sequences" / name, seed)
    return tmp_path / "sequences"


@pytest.fixture(scope="session")
def packed(tmp_path_factory):
    """Folder of records: tracks a and b of 6 frames, three of a still each."""
    folder = tmp_path_factory.mktemp("packed")
    for seed, name in enumerate("ab"):
        write_sequence(folder / "sequences" / name, seed)
    table = write_stills(folder)
    out = folder / "records"
    options = {"shrink": WHOLE, "num_workers": 1}
    build.build(out, root=folder / "sequences", stills=[table], **options)
    return out
