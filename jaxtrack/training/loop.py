"""The training run: everything built, resumed, stepped, logged and saved."""

import math
import pathlib
import signal
import threading
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict
from tqdm import tqdm

from jaxtrack import config as config_lib
from jaxtrack import models, weights
from jaxtrack.errors import InputError
from jaxtrack.training import inputs, optimizer, state, step
from jaxtrack.training.checkpoint import CheckpointStore
from jaxtrack.training.logging import ScalarLog
from jaxtrack.training.objective import make_loss
from jaxtrack.training.prefetch import DevicePrefetcher


def train(config: ConfigDict, workdir: str | pathlib.Path) -> state.TrainState:
    """Trains a tracker, or goes on where a run in `workdir` stopped.

    A run that was interrupted and resumed computes what it would have computed without
    the interruption, bit for bit on one machine. SIGTERM and Ctrl-C save a checkpoint
    and return.

    Args:
      config: see configs/common.py.
      workdir: checkpoints and logs go there.

    Returns:
      The state after the last step done.

    Raises:
      InputError: if the settings, the data or the checkpoint cannot be used, or the
        loss is no longer finite.
    """
    config_lib.check(config)
    _check_devices(config)
    workdir = pathlib.Path(workdir).absolute()
    run = Run(config, workdir)
    try:
        run.resume()
        run.loop()
    finally:
        run.close()
    return run.state


class Run:
    """The parts of one training run, and what passes between them."""

    def __init__(self, config: ConfigDict, workdir: pathlib.Path):
        """Builds network, optimizer and loader; writes nothing yet."""
        self.config = config
        self.total_steps = config_lib.total_steps(config)
        self.backbone_from = config_lib.epochs_to_steps(
            config, config.backbone_from_epoch
        )
        self.loader = inputs.make_loader(config)
        model = models.build(
            config.model,
            correlation=config.correlation or None,
            dtype=jnp.dtype(config.dtype),
            axis_name=step.AXIS,
        )
        self.schedule = _schedule(config)
        tx = _optimizer(config, self.schedule, self.backbone_from)
        variables = _initial_variables(config, model)
        self.state = state.create(variables, tx, keep_ema=config.ema_decay > 0)
        self.store = CheckpointStore(
            workdir, keep_latest=config.keep_latest, keep_every=config.keep_every
        )
        self.workdir = workdir
        self.position = self.loader.get_state()
        train_step = partial(
            step.train_step,
            model=model,
            loss_fn=make_loss(config, model),
            optimizer=tx,
            preprocessing=config_lib.preprocessing(config),
            ema_decay=config.ema_decay,
            accumulate=config.accumulate,
        )
        self.steps = {
            trains: step.pmap_step(partial(train_step, train_backbone=trains))
            for trains in (False, True)
        }

    def resume(self) -> None:
        """Takes up the newest checkpoint, if there is one."""
        if self.store.latest_step() is None:
            return
        self.state, self.position = self.store.restore(self.state, self.config)
        self.loader.set_state(self.position)
        print(f"resuming at step {int(self.state.step)} from {self.store.folder}")

    def loop(self) -> None:
        """Steps to the end, or to a signal; saves there and on the way."""
        first = int(self.state.step)
        if first >= self.total_steps:
            print(f"nothing to do: {self.workdir} has all {first} steps")
            return
        is_main = jax.process_index() == 0
        self.state = step.replicate(self.state)
        log = ScalarLog(self.workdir, first_step=first) if is_main else None
        batches = DevicePrefetcher(self.loader)
        self.loader = None  # The prefetcher closes it.
        meter = Meter(first, self.config.batch_size, batches)
        bar = tqdm(
            range(first, self.total_steps),
            initial=first,
            total=self.total_steps,
            desc="training",
            unit="step",
            disable=not is_main,
            mininterval=1.0,
        )
        try:
            with Stopper() as stopper:
                for number in bar:
                    batch, self.position = next(batches)
                    train_step = self.steps[number >= self.backbone_from]
                    self.state, metrics = train_step(self.state, batch)
                    meter.add(metrics)
                    done = number + 1
                    is_last = done == self.total_steps or stopper.is_set()
                    saves = is_last or done % self.config.checkpoint_every == 0
                    if saves or done % self.config.log_every == 0:
                        scalars = meter.read(done, self.store)
                        self._log(log, bar, done, scalars)
                    if saves:
                        self.store.save(self.state, self.position, self.config)
                    if is_last:
                        break
        finally:
            bar.close()
            batches.close()
            if log:
                log.close()
        if done < self.total_steps:
            print(f"stopped by a signal: step {done} is saved in {self.store.folder}")

    def _log(self, log, bar, done, scalars):
        """Writes one step's scalars, from the main process."""
        if log is None:
            return
        rate = float(self.schedule(done - 1))
        is_tuned = done - 1 >= self.backbone_from
        scalars["epoch"] = done / config_lib.steps_per_epoch(self.config)
        scalars["lr"] = rate
        scalars["lr_backbone"] = rate * self.config.backbone_lr_factor * is_tuned
        log.write(done, scalars)
        bar.set_postfix_str(
            f"loss {scalars['loss']:.3f}, {scalars['pairs_per_second']:.0f} pairs/s"
        )

    def close(self) -> None:
        """Waits for checkpoints, ends loader processes."""
        if self.loader is not None:
            self.loader.close()
        self.store.close()


class Meter:
    """Gathers metrics on the devices and reads them seldom."""

    def __init__(self, step: int, batch_size: int, batches: DevicePrefetcher):
        """Starts the clock at a step."""
        self._pending: list = []
        self._step, self._batch_size, self._batches = step, batch_size, batches
        self._time, self._waited = time.perf_counter(), batches.waited

    def add(self, metrics: dict[str, jax.Array]) -> None:
        """Keeps a step's metrics where they are."""
        self._pending.append(metrics)

    def read(self, step: int, store: CheckpointStore) -> dict[str, float]:
        """Returns means since the last reading, and speeds.

        Raises:
          InputError: if a loss or gradient is not finite, naming its step.
        """
        rows = jax.device_get(self._pending)
        for number, row in enumerate(rows, self._step + 1):
            if not all(math.isfinite(value) for value in row.values()):
                raise InputError(
                    f"the loss or its gradient is not finite at step {number} "
                    f"({ {name: float(value) for name, value in row.items()} }): the "
                    f"last good checkpoint is step {store.latest_step()} in "
                    f"{store.folder}; lower config.lr or config.clip_norm"
                )
        now, waited = time.perf_counter(), self._batches.waited
        seconds = now - self._time
        scalars = {n: float(np.mean([row[n] for row in rows])) for n in rows[0]}
        scalars["pairs_per_second"] = len(rows) * self._batch_size / seconds
        scalars["data_wait"] = (waited - self._waited) / seconds
        scalars["seconds"] = seconds
        self._pending, self._step = [], step
        self._time, self._waited = now, waited
        return scalars


class Stopper:
    """Turns SIGTERM and the first Ctrl-C into a flag while it is open."""

    def __init__(self):
        """Makes the flag, not yet set."""
        self._flag = threading.Event()
        self._old: dict = {}

    def __enter__(self):
        """Takes the signals over, where this is the main thread."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._old[number] = signal.signal(number, self._catch)
        return self

    def __exit__(self, *_):
        """Gives the signals back."""
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _catch(self, number, frame):
        """Notes a signal; a second Ctrl-C acts as ever."""
        del frame
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._flag.set()

    def is_set(self) -> bool:
        """Returns whether a signal came; of several processes, whether any got one."""
        if jax.process_count() == 1:
            return self._flag.is_set()
        from jax.experimental import multihost_utils

        flags = multihost_utils.process_allgather(np.array(self._flag.is_set()))
        return bool(np.any(flags))


def _initial_variables(config, model):
    """Draws parameters from the seed, then puts trained weights where named."""
    geometry = model.geometry

    def init(key):
        sizes = (geometry.template_size, geometry.search_size)
        return model.init(key, *(jnp.zeros((1, size, size, 3)) for size in sizes))

    variables = jax.jit(init)(jax.random.key(config.seed))
    if config.pretrained:
        variables = weights.load_pretrained(config.model, variables, config.pretrained)
    return variables


def _schedule(config):
    """Returns the head's learning rate by step."""
    return optimizer.warmup_schedule(
        warmup=config.lr_warmup,
        peak=config.lr,
        end=config.lr_end,
        warmup_steps=config_lib.epochs_to_steps(config, config.warmup_epochs),
        total_steps=config_lib.total_steps(config),
        kind=config.schedule,
    )


def _optimizer(config, schedule, backbone_from):
    """Returns the optimizer that the settings name."""
    return optimizer.make_optimizer(
        kind=config.optimizer,
        schedule=schedule,
        group=models.param_group,
        backbone_from_step=backbone_from,
        backbone_factor=config.backbone_lr_factor,
        momentum=config.momentum,
        adam_b2=config.adam_b2,
        weight_decay=config.weight_decay,
        clip_norm=config.clip_norm,
    )


def _check_devices(config):
    """Raises unless every device gets the same number of whole parts of a batch."""
    parts = jax.device_count() * config.accumulate
    if config.batch_size % parts:
        raise InputError(
            f"config.batch_size is {config.batch_size}: make it a multiple of {parts} "
            f"({jax.device_count()} devices x {config.accumulate} accumulation steps)"
        )
