"""All that the guards need of jaxtrack, by names that stay when its own change.

Rename, move or regroup what you like: then fix this file, not the guards and not the
values in `expected/`. Settings go by the names of `FIELDS`' keys.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import sys
import types
import zlib

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxtrack import config as config_lib
from jaxtrack import datasets, trackers
from jaxtrack.data import build as pack_build
from jaxtrack.data import pipeline
from jaxtrack.data.composed import ComposedSource
from jaxtrack.data.packing.shrink import WHOLE
from jaxtrack.data.settings import Augmentation
from jaxtrack.errors import InputError
from jaxtrack.evaluation import settings as eval_settings
from jaxtrack.evaluation import vot_files
from jaxtrack.evaluation.evaluate import evaluate as run_evaluation
from jaxtrack.metrics import ope, vot
from jaxtrack.metrics import protocols as protocol_table
from jaxtrack.ops.grid import Geometry
from jaxtrack.report import build as report
from jaxtrack.trackers import cract, siamcar
from jaxtrack.tracking import Frame
from jaxtrack.training import checkpoint, loop
from jaxtrack.training import state as train_state
from jaxtrack.training.augmentation import augment_batch
from tests import networks

# Setting as the guards call it -> as it is called now, where that is something else.
FIELDS = {
    **{
        name.rpartition(".")[2]: name
        for name in config_lib.flat(config_lib.get_config())
        if not name.startswith(("refine.", "online."))
    },
    **{"model": "model.name", "labels": "labels.kind", "optimizer": "optimizer.kind"},
    **{f"label_{name}": f"labels.{name}" for name in ("smoothing", "alpha", "beta")},
    **{"label_curve": "labels.curve", "label_normalize": "labels.normalize"},
    **{"loss_weights": "loss.weights", "train_search_size": "data.search_size"},
    **{f"refine.{name}": f"tracking.{name}" for name in ("proposals", "nms_iou")},
    **{
        f"synthetic_{name}": f"data.composed_{name}"
        for name in ("weight", "split", "length")
    },
    "synthetic_tracks": "data.scenes",
    "refine.weight": "tracking.refined_weight",
    "refine.identifier": "tracking.identifier_weight",
    "refine.window": "tracking.refined_window",
    **{
        f"preprocessing.{name}": f"model.preprocessing.{name}"
        for name in ("order", "mean", "scale")
    },
}
# Key of a report as it is called now -> as the guards call it.
REPORT_KEYS = {"manifest": "stamp"}
# Keys that reports have got since.
NEW_KEYS = ("rankings", "refused", "warnings")


# Networks.


def model_names():
    """Lists the networks that have a name."""
    return tuple(networks.NETWORKS)


def settings(config_name, **changes):
    """Returns the settings of a config file; `changes` have dots as `__`."""
    config = importlib.import_module(f"jaxtrack.configs.{config_name}").get_config()
    config.update_from_flattened_dict(_named_now(changes))
    return trackers.with_preprocessing(config)


def _named_now(changes):
    """Calls settings what they are called now."""
    names = {name.replace("__", "."): value for name, value in changes.items()}
    return {FIELDS.get(name, name): value for name, value in names.items()}


def build(name, **choices):
    """Builds the network of a name with some of its parts chosen."""
    if "dtype" in choices:
        choices["dtype"] = jnp.dtype(choices["dtype"]).name
    return networks.build(name, **choices)


def network(config, *, training=False):
    """Builds the network that settings name."""
    return trackers.network_of(config, training=training)


def with_backbone(model, backbone):
    """Puts another backbone into a network."""
    return model.clone(backbone=backbone)


def geometry(template_size, search_size, *, cells, stride, offset):
    """Returns where the cells of a response look."""
    return Geometry(template_size, search_size, cells, stride, offset)


def shapes(model):
    """Returns path -> shape of all variables; the first part is the collection."""
    return _paths(networks.shapes_of(model)[1])


def _paths(tree):
    """Returns path -> shape of a tree of arrays."""
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {tuple(part.key for part in path): leaf.shape for path, leaf in leaves}


def drawn_variables(model, *, seed=0):
    """Draws variables by numpy, each from its path, so that none depends on JAX."""
    tree = {}
    for path, shape in shapes(model).items():
        place = zlib.crc32("/".join(path).encode())
        normal = np.random.default_rng([seed, place]).standard_normal(shape)
        if path[-1] == "kernel":
            value = normal * np.sqrt(2 / np.prod(shape[:-1]))
        else:
            value = 0.1 * normal + (path[-1] in ("scale", "var"))
        branch = tree
        for part in path[:-1]:
            branch = branch.setdefault(part, {})
        branch[path[-1]] = value.astype(np.float32)
    return tree


def encode_template(model):
    """Returns `(variables, image [B, S, S, 3]) -> features`."""

    def encode(variables, image):
        return model.apply(variables, image, method="encode_template")

    return encode


# Training.


def loss(config, model):
    """Returns `(outputs, batch) -> (loss, metrics)`."""
    return trackers.family_of(config).loss(config, model)


def draw_proposals(config, model):
    """Returns `(maps, batch) -> proposals [B, N, 4]` of CRACT in training."""
    return cract.make_sample(config, model)


# Tracking.


def tracker(config, model):
    """Returns `init(variables, frame, box)` and `step(variables, state, frame)`.

    A frame is what `frame` makes; boxes are cxcywh; a step returns a state, a box and
    a score.
    """
    made = trackers.family_of(config).tracker(config, model)

    def step(variables, state, frame):
        state, output = made.step(variables, state, frame)
        return state, output.box, output.score

    return made.init, step


def frame(image):
    """Makes a frame of a picture, without padding."""
    return Frame(np.asarray(image), np.array(image.shape[:2], np.int32))


# Data.


def composed(count, length, hw, *, seed):
    """Yields composed videos: frames `[T, H, W, 3]` RGB and boxes xyxy `[T, 4]`."""
    source = ComposedSource(
        num_tracks=count, length=length, size=hw, seed=seed, split="eval"
    )
    for track in range(count):
        frames = [source.frame(track, time).image for time in range(length)]
        yield np.stack(frames), source.track_boxes(track)


def pack(sequences, stills, out):
    """Packs a folder of sequences and tables of stills for training."""
    options = {"root": sequences, "stills": stills, "num_workers": 1}
    pack_build.build(out, shrink=WHOLE, **options)


def loader(config, *, template_size, search_size):
    """Returns the stream of batches that settings name, with crops of other sizes."""
    return pipeline.make(config, template_size=template_size, search_size=search_size)


def augmentation(config):
    """Returns what the device makes of a batch: `(number, batch) -> batch`."""
    chances = Augmentation(**config.augment)

    def augment(number, batch):
        size = len(batch["is_positive"])
        key = jax.random.split(jax.random.key(number), size)
        return augment_batch(key, batch, chances)

    compiled = jax.jit(augment)
    return lambda number, batch: jax.device_get(compiled(number, batch))


# Runs.


@contextlib.contextmanager
def registered(name, network):
    """Lets settings name a network: `network(dtype=, axis_name=)`."""

    def build(config, *, search_size=0, axis_name=None):
        del search_size
        return network(dtype=jnp.dtype(config.model.dtype), axis_name=axis_name)

    family = dataclasses.replace(siamcar.FAMILY, network=build)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trackers, "FAMILIES", {**trackers.FAMILIES, name: name})
        patch.setitem(sys.modules, name, types.SimpleNamespace(FAMILY=family))
        yield


def train(config, batches, workdir):
    """Trains on `batches(number)`; returns the rows of its log, and the last state."""

    class Loader:
        contents = ()
        position = 0

        def __next__(self):
            self.position += 1
            return batches(self.position)

        def get_state(self):
            return {"position": self.position}

        def close(self):
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "make", lambda config, **sizes: Loader())
        state = loop.train(config, workdir, allow_random_backbone=True)
    lines = (workdir / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines], state


def save_checkpoint(folder, config, variables):
    """Saves variables as a training of these settings would."""
    first = train_state.create(variables, optax.sgd(0.1), keep_ema=False)
    store = checkpoint.CheckpointStore(folder)
    store.save(first, {}, config)
    store.close()


def evaluate(benchmark, root, out, *, checkpoints, results, changes):
    """Runs checkpoints over a benchmark, scores them and others' results, reports.

    Returns the report's JSON by the names that the guards call its keys.
    """
    found = run_evaluation(
        datasets.load(benchmark, root, allow_missing=True),
        out,
        checkpoints=checkpoints,
        results_of=results,
        settings=eval_settings.choose(changes=_named_now(changes)),
    )
    report.write(found, out)
    return _named_then(json.loads((out / "report.json").read_text()))


def _named_then(tree):
    """Calls the keys of a report what the guards call them."""
    if not isinstance(tree, dict):
        return tree
    return {
        REPORT_KEYS.get(key, key): _named_then(value)
        for key, value in tree.items()
        if key not in NEW_KEYS
    }


# Scores.


def protocols():
    """Lists the protocols of one-pass evaluation."""
    return tuple(protocol_table.PROTOCOLS)


def score(truth, results, *, protocol, absent, cover, image_size):
    """Scores boxes xywh; None where the protocol refuses them."""
    options = {"absent": absent, "cover": cover, "image_size": image_size}
    try:
        return ope.score(truth, results, protocol=protocol, **options)
    except InputError:
        return None


def editions():
    """Lists the editions of VOT's reset-based experiment."""
    return tuple(vot.INTERVALS)


def read_vot(folder, names):
    """Reads result files of VOT's reset-based experiment."""
    return vot_files.read_runs(folder, names)


def vot_path(folder, name):
    """Returns where the first run of a sequence is kept."""
    return vot_files.sequence_folder(folder, name) / f"{name}_001.txt"


def score_vot(truth, runs, *, edition, image_size, tags):
    """Scores runs with resets."""
    return vot.score(truth, runs, tags=tags, image_size=image_size, edition=edition)
