"""Many short trainings of a network's parts that follow its frozen backbone."""

import contextlib
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from ml_collections import ConfigDict
from tqdm import tqdm

from jaxtrack import config, trackers
from jaxtrack.data import pipeline
from jaxtrack.data.batch import Batch
from jaxtrack.models.necks import PyramidNeck
from jaxtrack.ops import boxes, grid
from jaxtrack.ops.preprocess import normalize
from jaxtrack.training import initial, optimizer, schedule, state, step

AT_ONCE = 128  # Pairs whose features are computed at once.
_LAST = 8  # The training loss is that of the last eighth of the pairs.


class Data(NamedTuple):
    """Pairs with their features: those to train on, and those to test on."""

    train: Batch
    eval: Batch


def miniature(network: nn.Module) -> nn.Module:
    """Shrinks siamcar_lite0: crops of 32 and 64 px, 32 channels, towers of one layer.

    Args:
      network: siamcar_lite0; its backbone stays.
    """
    return network.clone(
        neck=PyramidNeck(features=32),
        correlation=network.correlation.clone(features=32),
        head=network.head.clone(depth=1),
        template_cells=4,
        geometry=grid.Geometry(32, 64, 8, 8, 4.0),
    )


def forward(
    network: nn.Module, batch: Batch, *, train: bool, train_backbone: bool = False
) -> Mapping[str, jax.Array]:
    """Runs what follows the backbone; see `jaxtrack.trackers.family.Forward`."""
    del train_backbone
    z = network.neck(batch["z"], crop=network.template_cells, train=train)
    x = network.neck(batch["x"], train=train)
    return network.predict(z, x, train=train)


def draw(
    base: ConfigDict, network: nn.Module, variables: Any, split: str, count: int
) -> Batch:
    """Draws pairs of composed scenes, and computes the features of their crops.

    Args:
      base: the settings of the data.
      network: with the backbone.
      variables: of the network.
      split: of the photographs, "train" or "eval".
      count: number of pairs, a multiple of 128.

    Returns:
      A batch of all pairs, with the backbone's levels as "z" and "x".
    """

    def levels(image):
        image = normalize(image, config.preprocessing(base))
        return network.apply(
            variables, image, method=lambda net, image: net.backbone(image, train=False)
        )

    extract = jax.jit(levels)
    c = base.copy_and_resolve_references()
    c.run.batch_size, c.run.pairs_per_epoch, c.run.num_epochs = AT_ONCE, count, 1
    c.data.composed_split = split
    geometry, drawn = network.geometry, []
    sizes = {"template_size": geometry.template_size}
    sizes["search_size"] = geometry.search_size
    with contextlib.closing(pipeline.make(c, **sizes)) as loader:
        for _ in tqdm(range(count // AT_ONCE), desc="drawing pairs", unit="batch"):
            batch = dict(next(loader))
            for name, image in (("z", "z_image"), ("x", "x_image")):
                batch[name] = jax.device_get(extract(batch[image]))
            # The step normalizes images, which nothing reads afterwards.
            batch |= {name: batch[name][:, :1, :1] for name in ("z_image", "x_image")}
            drawn.append(batch)
    return jax.tree.map(lambda *parts: np.concatenate(parts), *drawn)


def first_variables(
    base: ConfigDict, network: nn.Module, seed: int
) -> Mapping[str, Any]:
    """Draws a network's variables from a seed, on the host; the backbone is trained.

    Args:
      base: the settings.
      network: whose variables.
      seed: of the rest.
    """
    c = base.copy_and_resolve_references()
    c.run.seed = seed
    found, _ = initial.initial_variables(c, trackers.family_of(c), network)
    return jax.device_get(found)


class Trainer:
    """Trains and tests; a step is compiled once for each optimizer and batch."""

    def __init__(self, base: ConfigDict, network: nn.Module, data: Data):
        """Puts the pairs into the device's memory."""
        self._base, self._network = base, network
        self._data = jax.device_put(data)
        self._loss = trackers.family_of(base).loss(base, network)
        self._steps: dict[tuple[str, int], Any] = {}
        self._test = jax.jit(self._tested)

    def run(self, c: ConfigDict, variables: Mapping[str, Any]) -> dict[str, float]:
        """Trains once; the order of the pairs depends on the seed alone.

        Args:
          c: settings of a training of one epoch, a multiple of the batch.
          variables: at step 0, of the whole network.

        Returns:
          "loss" of the last pairs, "test_loss", "iou", and the seconds of all steps.
        """
        tx = optimizer.of_config(c)
        params = {k: v for k, v in variables["params"].items() if k != "backbone"}
        current = state.create({"params": params}, tx, keep_ema=True)
        plan, count = schedule.Schedule(c), len(self._data.train["xyxy"])
        rng = np.random.default_rng(c.run.seed)
        rounds = -(-plan.total * c.run.batch_size // count)
        order = np.concatenate([rng.permutation(count) for _ in range(rounds)])
        order = order[: plan.total * c.run.batch_size].reshape(plan.total, -1)
        update = self._compiled(c, tx, current, order[0])
        losses, wall, cores = [], time.perf_counter(), time.process_time()
        for number, numbers in enumerate(order):
            rates = plan.rates(number)
            current, metrics = update(current, self._data.train, numbers, rates)
            losses.append(metrics["loss"])
        last = float(jnp.stack(losses[-max(1, plan.total // _LAST) :]).mean())
        seconds = {"seconds": time.perf_counter() - wall}
        seconds["cpu_seconds"] = time.process_time() - cores
        loss, overlap = self._test(current.ema, self._data.eval)
        scores = {"loss": last, "test_loss": float(loss), "iou": float(overlap)}
        return scores | seconds

    def _compiled(self, c, tx, current, numbers):
        """Returns a step on numbered pairs."""
        name = c.optimizer.kind, c.run.batch_size
        if name in self._steps:
            return self._steps[name]
        update = partial(
            step.train_step,
            model=step.Model(
                self._network, forward, self._loss, config.preprocessing(c)
            ),
            optimizer=tx,
            train_backbone=False,
            ema_decay=c.optimizer.ema_decay,
        )

        def of_numbers(current, data, numbers, rates):
            batch = jax.tree.map(lambda leaf: leaf[numbers], data)
            return update(current, batch, rates)

        rates = schedule.Schedule(c).rates(0)
        lowered = jax.jit(of_numbers, donate_argnums=0).lower(
            current, self._data.train, numbers, rates
        )
        self._steps[name] = lowered.compile()
        return self._steps[name]

    def _tested(self, params, test):
        """Returns the loss of the test's pairs, and the best cells' overlap."""
        run = nn.apply(forward, self._network)
        outputs = run({"params": params}, test, train=False)
        loss, _ = self._loss(outputs, {**test, "key": _keys(test)})
        target = jax.nn.softmax(outputs["cls"])[..., 1]
        quality = jax.nn.sigmoid(outputs["centerness"][..., 0])
        score = target * quality**self._base.tracking.quality_power
        points = grid.points(self._network.geometry)
        found = boxes.ltrb_to_xyxy(points, outputs["ltrb"]).reshape(len(score), -1, 4)
        best = score.reshape(len(score), -1).argmax(1)
        overlap = boxes.iou(found[jnp.arange(len(best)), best], test["xyxy"])
        return loss, jnp.mean(overlap, where=test["is_positive"])


def _keys(batch):
    """Returns a random key for each pair."""
    return jax.random.split(jax.random.key(0), len(batch["xyxy"]))
