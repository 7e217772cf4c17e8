"""Small annotated sequences, and trackers that answer the truth with noise."""

import dataclasses
import types

import cv2
import jax.numpy as jnp
import numpy as np
import pytest

from jaxtrack import datasets
from jaxtrack.config import get_config
from jaxtrack.datasets import files, folders
from jaxtrack.evaluation import loading, results, scoring
from jaxtrack.evaluation.evaluate import Evaluation
from jaxtrack.evaluation.tuning import splits
from jaxtrack.ops import grid
from jaxtrack.tracking import TrackerOutput, TrackerState
from jaxtrack.tracking.siamese import RANGES, Settings
from jaxtrack.tracking.state import Probe
from tests.whole_frames import of_whole_frames

CELLS = 8


def write_sequence(folder, xyxy, hw=(48, 64)):
    """Writes gray frames with a white rectangle at each box, and the annotation."""
    (folder / "img").mkdir(parents=True)
    for number, box in enumerate(xyxy, start=1):
        image = np.full((*hw, 3), 90, np.uint8)
        if np.isfinite(box).all():
            x0, y0, x1, y1 = box.astype(int)
            image[y0:y1, x0:x1] = 255
        cv2.imwrite(str(folder / f"img/{number:04d}.png"), image)
    files.write_boxes(folder / "groundtruth_rect.txt", xyxy)


def write_sequences(folder):
    """Writes sequences of 5, 7 and 6 frames; the last has a larger canvas."""
    for name, length, hw in (
        ("ball", 5, (48, 64)),
        ("car <1>", 7, (48, 64)),
        ("dog", 6, (48, 300)),
    ):
        start = np.array([8.0, 9, 24, 21])
        xyxy = start + 2 * np.arange(length)[:, None] * [1, 0, 1, 0]
        write_sequence(folder / name, xyxy, hw)
    return folder


def read_sequences(root):
    """Reads what `write_sequences` wrote."""
    return [folders.read_sequence(p) for p in folders.list_sequences(root)]


def material_of(root, patterns=(), split="val"):
    """Some of those sequences, to tune on."""
    benchmark = datasets.load("folders", root, sequences=patterns)
    return splits.of_benchmark(benchmark, split=split)


def write_noisy(folder, videos, amplitude, seed=0):
    """Writes the results of a tracker that is `amplitude` px off."""
    rng = np.random.default_rng(seed)
    for name, truth in scoring.truth_xywh(videos).items():
        noise = amplitude * rng.standard_normal(truth.shape) * [1, 1, 0, 0]
        results.write_result(folder, name, truth + noise, np.full(len(truth), 0.02))


def score_trackers(folder, videos):
    """Scores a good tracker, a bad one, and one whose name needs escaping."""
    truth = scoring.truth_xywh(videos)
    names = ("good", "bad", "<b>&'\"</script>")
    for place, amplitude in enumerate((0.5, 6.0, 3.0)):
        write_noisy(folder / f"results{place}", videos, amplitude, place)
    return [
        scoring.score_folder(name, folder / f"results{place}", truth)
        for place, name in enumerate(names)
    ]


@pytest.fixture
def root(tmp_path):
    return write_sequences(tmp_path / "sequences")


@pytest.fixture
def videos(root):
    return read_sequences(root)


@pytest.fixture
def scores(tmp_path, videos):
    return score_trackers(tmp_path, videos)


def evaluation_of(root, scores):
    """The evaluation that scores are of."""
    benchmark = datasets.load("folders", root)
    return Evaluation(benchmark=benchmark, primary="otb", scores=scores)


def with_videos(found, **changes):
    """An evaluation whose videos differ: field -> name of a video -> value."""
    videos = [
        dataclasses.replace(video, **{k: by[video.name] for k, by in changes.items()})
        for video in found.benchmark.videos
    ]
    benchmark = dataclasses.replace(found.benchmark, videos=videos)
    return dataclasses.replace(found, benchmark=benchmark)


def init(variables, frame, box):
    """Begins a tracker that looks at no picture."""
    fill = jnp.zeros(3, jnp.float32)
    return TrackerState(template=jnp.zeros(1, jnp.float32), box=box, fill=fill)


def moving_tracker(traced):
    """Moves `variables["shift"]` px to the right a frame; notes its compilations."""

    def step(variables, state, frame):
        traced.append("step")
        box = state.box + variables["shift"] * jnp.array([1.0, 0, 0, 0])
        return state.replace(box=box), TrackerOutput(box, jnp.ones([]))

    return of_whole_frames(init, step)


def wandering_tracker(config, model):
    """Moves to the right by `window` times ten px a frame; its maps need no network.

    Cell `[i, j]` has the last box moved by j - 2 px (j = 4 is where the target of
    `root` is); confidence falls with the distance from j = `variables["aim"]`.
    """
    defaults = Settings(0.0, config.tracking.window, 0.0, 1.0)

    def step(variables, state, frame, settings=defaults):
        model.traced.append("step")
        shift = jnp.asarray(settings.window, jnp.float32) * 10
        box = state.box + shift * jnp.array([1.0, 0.0, 0.0, 0.0])
        return state.replace(box=box), TrackerOutput(box, jnp.ones([]))

    def probe(variables, state, frame):
        model.traced.append("probe")
        cells = jnp.arange(CELLS, dtype=jnp.float32)
        confidence = 1 - jnp.abs(cells - variables["aim"]) / 10
        confidence = jnp.broadcast_to(confidence[None], (CELLS, CELLS))
        center, half = state.box[:2], state.box[2:] / 2
        xyxy = jnp.concatenate([center - half, center + half])[None]
        xyxy = xyxy + (cells - 2)[:, None] * jnp.array([[1.0, 0.0, 1.0, 0.0]])
        xyxy = jnp.broadcast_to(xyxy[None], (CELLS, CELLS, 4))
        ones = jnp.ones_like(confidence)
        return Probe(cls=confidence, quality=ones, confidence=confidence, xyxy=xyxy)

    return of_whole_frames(init, step, probe=probe, settings=defaults, ranges=RANGES)


@pytest.fixture
def checkpoints(monkeypatch):
    """Checkpoints without a network: name -> what opening it gives."""
    # Two crop pixels a cell; see `grid.Geometry`.
    geometry = grid.Geometry(8, 16, CELLS, 2, 1.0)
    config = get_config()
    config.tracking.update({"window": 0.45, "penalty": 0.0, "size_rate": 0.0})
    config.tracking.selection = "clean"
    opened = {}
    for name, aim in (("sharp", 4), ("blunt", 0)):
        model = types.SimpleNamespace(geometry=geometry, traced=[])
        opened[name] = loading.Opened(
            config=config,
            model=model,
            tracker=wandering_tracker(config, model),
            variables={"aim": np.float32(aim)},
            identity={"weights": name},
            around={"device": "none"},
        )

    def open_checkpoint(path, *, tracking=None):
        found = opened[str(path)]
        if not tracking:
            return found
        config = found.config.copy_and_resolve_references()
        config.update_from_flattened_dict(tracking)
        identity = found.identity | {"tracking": dict(tracking)}
        tracker = wandering_tracker(config, found.model)
        return found._replace(config=config, tracker=tracker, identity=identity)

    monkeypatch.setattr(loading, "open_checkpoint", open_checkpoint)
    return opened
