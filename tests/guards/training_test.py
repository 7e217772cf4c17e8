"""Guards six steps of training: its log, its last parameters and their averages.

Settings of optimization and of the run are not the defaults, the backbone joins at
step 3, and each device takes its part of a batch in two pieces. That devices together
equal one is tested in `tests/training/step_test.py`, resuming in
`tests/training/loop_test.py`.
"""

import pathlib
import tempfile

import jax
import numpy as np

from tests.guards import adapter, store
from tests.guards.light import Tiny

NAME = "training.json"
SETTINGS = {
    **{"model": "guard_tiny", "pretrained": "", "correlation": "", "seed": 5},
    **{"positive_size": 0.8, "hard_negatives": 3, "cls_weights": (0.5, 0.3, 0.2)},
    **{"batch_size": 16, "accumulate": 2, "num_epochs": 2, "pairs_per_epoch": 48},
    **{"optimizer": "adamw", "schedule": "cosine", "lr_warmup": 0.004, "lr": 0.02},
    **{"lr_end": 0.001, "warmup_epochs": 0.7, "backbone_from_epoch": 1.0},
    **{"backbone_lr_factor": 0.3, "momentum": 0.8, "adam_b2": 0.95},
    **{"weight_decay": 0.05, "clip_norm": 1.6, "ema_decay": 0.35, "log_every": 1},
    **{"checkpoint_every": 4, "keep_every": 2, "keep_latest": 1},
    # Pictures are guarded in loader_test.py.
    **dict.fromkeys(("flip", "gray", "tone", "occluder", "noise"), 0.0),
    **dict.fromkeys(("search_blur", "motion_blur", "low_resolution"), 0.0),
}
SPEEDS = ("per_second", "seconds", "wait", "share")


def batch(number):
    """Returns a batch of noise with a random box in each search crop."""
    rng = np.random.default_rng([7, number])
    corner = rng.uniform(2, 10, (16, 2))
    box = np.concatenate([corner, corner + rng.uniform(10, 20, (16, 2))], axis=1)
    return {
        "z_image": rng.integers(0, 256, (16, 16, 16, 3), np.uint8),
        "x_image": rng.integers(0, 256, (16, 32, 32, 3), np.uint8),
        "z_xyxy": np.tile(np.float32([4, 5, 12, 11]), (16, 1)),
        "xyxy": box.astype(np.float32),
        "is_positive": rng.random(16) > 0.2,
    }


def compute():
    """Trains; returns the log and products of variables and of averages' distance."""
    config = adapter.settings("siamcar_lite0", **SETTINGS)
    with (
        adapter.registered(SETTINGS["model"], Tiny),
        tempfile.TemporaryDirectory() as folder,
        jax.numpy_dtype_promotion("standard"),  # As optax's Adam wants it.
    ):
        rows, state = adapter.train(config, batch, pathlib.Path(folder))
    log = {
        str(row["step"]): {
            name: store.rounded(value)[0]
            for name, value in row.items()
            if not any(speed in name for speed in SPEEDS)
        }
        for row in rows
    }
    behind = jax.tree.map(lambda ema, new: ema - new, state.ema, state.params)
    trees = {"params": state.params, "stats": state.batch_stats, "ema": behind}
    leaves = jax.tree_util.tree_flatten_with_path(trees)[0]
    return log | {
        "variables": {
            "/".join(part.key for part in path): _products(leaf)
            for path, leaf in leaves
        }
    }


def _products(leaf):
    """Returns a leaf's norm and its product with a direction that is drawn."""
    leaf = np.ravel(np.asarray(leaf, np.float64))
    direction = np.random.default_rng(leaf.size).standard_normal(leaf.size)
    return store.rounded([np.linalg.norm(leaf), leaf @ direction])


def make():
    store.write(NAME, compute())


def test_six_steps_are_what_they_were():
    # Adam divides slopes by their size, so what float32 rounds off small ones shows.
    store.assert_close(compute(), store.read(NAME), rtol=1e-3, atol=1e-6)
