"""Guards the first batches of a seeded loader, and what a device makes of some.

Composed scenes and a packed folder take turns; every augmentation occurs, and no
setting of data and augmentation is the default. Crops are small, which every draw
before them is not. Bits depend on the libraries and the processor named beside them;
where those differ, numbers are compared instead. Augmented batches are compared by
numbers alone.
"""

import hashlib
import importlib.metadata
import pathlib
import platform
import tempfile

import cv2
import numpy as np

from tests.guards import adapter, store

NAME = "loader.json"
BATCHES, A_DIGEST = 100, 10
LIBRARIES = ("numpy", "grain", "opencv-python-headless", "scikit-image", "simplejpeg")
SETTINGS = {
    **{"synthetic_weight": 0.7, "synthetic_split": "all", "synthetic_tracks": 12},
    **{"synthetic_length": 9, "frame_range": 4, "negative_ratio": 0.25, "seed": 3},
    **{"num_workers": 0, "bank": "off"},
    **{"batch_size": 2, "context": 0.4, "template_shift": 3.0, "template_scale": 0.1},
    **{"template_blur": 0.3, "template_color": 0.6, "search_shift": 7.0},
    **{"search_scale": 0.25, "search_blur": 0.3, "search_color": 0.5, "flip": 0.4},
    **{"gray": 0.2, "aspect": 0.15, "fill_image": 0.5, "occluder": 0.3},
    **{"motion_blur": 0.3, "low_resolution": 0.3, "noise": 0.3, "tone": 0.6},
}


def write_videos(folder):
    """Writes two sequences of waves with a box that moves, and a table of stills."""
    y, x = np.mgrid[:60, :80] / 9
    for seed in range(2):
        (folder / f"sequences/{seed}/img").mkdir(parents=True)
        rows = []
        for time in range(5):
            waves = [
                np.sin((k + 1) * x * 0.4 + (seed + time) * y / 5) for k in range(3)
            ]
            image = np.uint8(127 + 100 * np.stack(waves, -1))
            path = folder / f"sequences/{seed}/img/{time + 1:04d}.jpg"
            cv2.imwrite(str(path), image)
            rows.append(f"{20 + 3 * time},{15 + seed},{18 + time},{22 - 2 * time}\n")
        (folder / f"sequences/{seed}/groundtruth_rect.txt").write_text("".join(rows))
    table = folder / "stills.tsv"
    table.write_text("image\tx\ty\tw\th\n0001.jpg\t30\t12\t25\t30\n")
    (folder / "stills").mkdir()
    (folder / "stills/0001.jpg").write_bytes(path.read_bytes())
    return folder / "sequences", _named(table, folder)


def _named(table, folder):
    """Lets a table of stills name images beside it."""
    text = table.read_text().replace("0001.jpg", str(folder / "stills/0001.jpg"))
    table.write_text(text)
    return table


def provenance():
    """Names what bits depend on."""
    cpu = pathlib.Path("/proc/cpuinfo")
    flags = cpu.read_text() if cpu.exists() else ""
    return {name: importlib.metadata.version(name) for name in LIBRARIES} | {
        "machine": f"{platform.machine()}{' avx512' * ('avx512f' in flags)}"
    }


def compute():
    """Returns digests of ten batches each, and some batches' boxes and means."""
    digests, numbers, augmented = [], {}, {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sequences, stills = write_videos(folder)
        adapter.pack(sequences, [stills], folder / "packed")
        config = adapter.settings(
            "siamcar_lite0",
            **SETTINGS,
            records=(str(folder / "packed"),),
            record_weights=(0.4,),
        )
        stream = adapter.loader(config, template_size=24, search_size=48)
        augment = adapter.augmentation(config)
        digest = hashlib.sha256()
        for number in range(BATCHES):
            batch = next(stream)
            for name in sorted(batch):
                digest.update(f"{name} {batch[name].dtype}".encode())
                digest.update(np.ascontiguousarray(batch[name]).tobytes())
            if number % A_DIGEST == A_DIGEST - 1:
                digests.append(digest.hexdigest()[:16])
                numbers[str(number)] = summary(batch)
                augmented[str(number)] = summary(augment(number, batch))
        stream.close()
    values = {"digests": digests, "batches": numbers, "augmented": augmented}
    return {"libraries": provenance(), **values}


def summary(batch):
    """Returns boxes, and means and deviations of pictures."""
    return {
        name: store.rounded(
            value
            if value.ndim < 3
            else np.concatenate([value.mean((1, 2)), value.std((1, 2))]),
            5,
        )
        for name, value in batch.items()
    }


def make():
    store.write(NAME, compute())


def test_the_first_hundred_batches_are_what_they_were():
    found, expected = compute(), store.read(NAME)
    # A gray level of a crop of 24 x 24.
    for name in ("batches", "augmented"):
        store.assert_close(found[name], expected[name], rtol=1e-4, atol=0.5)
    if found["libraries"] == expected["libraries"]:
        assert found["digests"] == expected["digests"]
