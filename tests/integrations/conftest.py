"""A tracker that needs no network, and a checkpoint whose weights were drawn."""

import types

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxtrack import session, trackers
from jaxtrack.configs import siamcar_lite0
from jaxtrack.tracking.state import TrackerOutput, TrackerState
from jaxtrack.training import state as state_lib
from jaxtrack.training.checkpoint import CheckpointStore
from tests.whole_frames import of_whole_frames


def seeking_tracker(traced):
    """Puts the first box's center on the reddest pixel; says the picture's height.

    Each frame it remembers makes the box one pixel wider; `traced` notes compilations.
    """

    def init(variables, frame, box):
        traced.append(("init", frame.image.shape[:2]))
        return TrackerState(template=jnp.zeros([]), box=box, fill=variables)

    def step(variables, state, frame):
        traced.append(("step", frame.image.shape[:2]))
        red = frame.image[..., 0].astype(jnp.int32)
        y, x = jnp.unravel_index(jnp.argmax(red), red.shape)
        center = jnp.stack([x, y]).astype(jnp.float32) + 0.5
        size = state.box[2:] + jnp.array([1.0, 0.0])
        box = jnp.concatenate([center, size])
        score = frame.hw[0].astype(jnp.float32) / 1000
        return state.replace(box=box), TrackerOutput(box, score)

    return of_whole_frames(init, step)


def draw(rng, path, shape):
    """Draws one parameter; scales and variances are ones."""
    if path[-1].key in ("scale", "var"):
        return np.ones(shape.shape, np.float32)
    fan_in = np.prod(shape.shape[:-1]) if shape.ndim > 1 else 1e4
    return rng.standard_normal(shape.shape, np.float32) / np.float32(np.sqrt(fan_in))


@pytest.fixture
def traced():
    """What `seeker` compiled: pairs of a function's name and a canvas."""
    return []


@pytest.fixture
def seeker(traced):
    """The seeking tracker as another program calls it."""
    return session.Session(seeking_tracker(traced), np.zeros(3, np.float32))


@pytest.fixture
def seeking_checkpoint(monkeypatch, traced):
    """Replaces every checkpoint by the seeking tracker."""
    config, variables = siamcar_lite0.get_config(), {"params": np.zeros(3, np.float32)}
    saved = types.SimpleNamespace(config=config, variables=variables)
    monkeypatch.setattr(session, "load_for_inference", lambda path: saved)
    monkeypatch.setattr(session, "tracker_of", lambda c: seeking_tracker(traced))


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A run's folder with the small tracker, not trained."""
    config = siamcar_lite0.get_config()
    model = trackers.network_of(config)
    sides = model.geometry.template_size, model.geometry.search_size
    z, x = (jnp.zeros((1, side, side, 3)) for side in sides)
    shapes = jax.eval_shape(model.init, jax.random.key(0), z, x)
    rng = np.random.default_rng(0)
    # Drawn by numpy, since compiling the network's own init takes far longer.
    variables = jax.tree.map_with_path(lambda path, a: draw(rng, path, a), shapes)
    folder = tmp_path_factory.mktemp("runs") / "drawn at 100%"
    store = CheckpointStore(folder)
    store.save(state_lib.create(variables, optax.sgd(0.1), keep_ema=False), {}, config)
    store.close()
    return folder
