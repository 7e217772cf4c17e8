"""Small annotated sequences, and trackers that answer the truth with noise."""

import cv2
import numpy as np
import pytest

from jaxtrack.data import annotations
from jaxtrack.evaluation import compare, results


def write_sequence(folder, xyxy, hw=(48, 64)):
    """Writes grey frames with a white rectangle at each box, and the annotation."""
    (folder / "img").mkdir(parents=True)
    for number, box in enumerate(xyxy, start=1):
        image = np.full((*hw, 3), 90, np.uint8)
        if np.isfinite(box).all():
            x0, y0, x1, y1 = box.astype(int)
            image[y0:y1, x0:x1] = 255
        cv2.imwrite(str(folder / f"img/{number:04d}.png"), image)
    annotations.write_boxes(folder / "groundtruth_rect.txt", xyxy)


@pytest.fixture
def root(tmp_path):
    """Sequences of 5, 7 and 6 frames; the last has a larger canvas."""
    folder = tmp_path / "sequences"
    for name, length, hw in (
        ("ball", 5, (48, 64)),
        ("car <1>", 7, (48, 64)),
        ("dog", 6, (48, 300)),
    ):
        start = np.array([8.0, 9, 24, 21])
        xyxy = start + 2 * np.arange(length)[:, None] * [1, 0, 1, 0]
        write_sequence(folder / name, xyxy, hw)
    return folder


@pytest.fixture
def videos(root):
    return [annotations.read_sequence(p) for p in annotations.list_sequences(root)]


def write_noisy(folder, videos, amplitude, seed=0):
    """Writes the results of a tracker that is `amplitude` px off."""
    rng = np.random.default_rng(seed)
    for name, truth in compare.truth_xywh(videos).items():
        noise = amplitude * rng.standard_normal(truth.shape) * [1, 1, 0, 0]
        results.write_result(folder, name, truth + noise, np.full(len(truth), 0.02))


@pytest.fixture
def scores(tmp_path, videos):
    """A good tracker, a bad one, and one whose name needs escaping, scored."""
    truth = compare.truth_xywh(videos)
    names = ("good", "bad", "<b>&'\"</script>")
    for place, amplitude in enumerate((0.5, 6.0, 3.0)):
        write_noisy(tmp_path / f"results{place}", videos, amplitude, place)
    return [
        compare.score_folder(name, tmp_path / f"results{place}", truth)
        for place, name in enumerate(names)
    ]
