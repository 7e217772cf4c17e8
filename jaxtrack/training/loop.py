"""The training loop: builds everything, resumes, steps, logs and saves."""

import contextlib
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack import devices, locks, weights
from jaxtrack.data import pipeline, processes
from jaxtrack.data.iterator import PairIterator
from jaxtrack.data.settings import Augmentation
from jaxtrack.models.regularization import regularized
from jaxtrack.ops.grid import Geometry
from jaxtrack.trackers import family_of, with_preprocessing
from jaxtrack.trackers.family import Family
from jaxtrack.training import distillation, initial, optimizer, overview
from jaxtrack.training import step as step_lib
from jaxtrack.training.checkpoint import CheckpointStore
from jaxtrack.training.clock import Clock
from jaxtrack.training.distributed import Watch, coordinator, meet
from jaxtrack.training.division import divide
from jaxtrack.training.meter import Meter
from jaxtrack.training.prefetch import DevicePrefetcher
from jaxtrack.training.report import Report
from jaxtrack.training.schedule import Schedule, rate_jump
from jaxtrack.training.signals import Stopper
from jaxtrack.training.state import TrainState, create


class Phase(NamedTuple):
    """A phase of the training with a step function of its own.

    Attributes:
      name: of the step, for messages.
      step: updates the parameters once.
    """

    name: str
    step: step_lib.Step


Phases = Mapping[bool, Phase]  # By whether the backbone trains.
Save = Callable[[TrainState, dict[str, Any], ConfigDict], None]
OpenLoader = Callable[[ConfigDict, Geometry], PairIterator]


def open_loader(config: ConfigDict, geometry: Geometry) -> PairIterator:
    """Opens the loader of this process's part of the batches.

    Args:
      config: see docs/settings.md.
      geometry: of the network, which has the sizes of the crops.
    """
    return pipeline.make(
        config,
        template_size=geometry.template_size,
        search_size=geometry.search_size,
        process_index=jax.process_index(),
        process_count=jax.process_count(),
    )


def train(
    config: ConfigDict,
    workdir: str | pathlib.Path,
    *,
    family: Family | None = None,
    allow_random_backbone: bool = False,
    loader_of: OpenLoader | None = None,
    now: Callable[[], float] = time.monotonic,
) -> TrainState:
    """Trains a tracker, or resumes the run in `workdir`.

    A resumed run computes what it would have computed without the interruption, bit for
    bit on one machine. SIGTERM and Ctrl-C save a checkpoint and return. Several
    processes that have called `distributed.initialize` train one network together; only
    the first one logs, and where one is lost the others end.

    Args:
      config: see docs/settings.md.
      workdir: checkpoints and logs go there; all processes must see it.
      family: the tracker; None takes the one named in the settings.
      allow_random_backbone: whether that one may train without trained weights to start
        from, although the first parts of its backbone are never trained.
      loader_of: opens the loader; None opens the one in the settings.
      now: time in seconds, for `run.minutes`.

    Returns:
      The state after the last step done.

    Raises:
      InputError: if the settings, the data or the checkpoint cannot be used, or the
        loss is no longer finite (checkpoints saved before are kept).
    """
    config = _checked(config)
    workdir = pathlib.Path(workdir).absolute()
    family = family or _family_of(config, allow_random_backbone)
    network = family.network(
        config, search_size=config.data.search_size, axis_name=step_lib.AXIS
    )
    teachers = distillation.load(config, network)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_occupied(workdir))
        loader = (loader_of or open_loader)(config, network.geometry)
        stack.enter_context(contextlib.closing(loader))
        state, phases = _build(config, family, network, teachers)
        meet("before the first sum")
        store = stack.enter_context(_open_store(config, workdir))
        state, seconds = _resume(state, store, loader, config)
        first, schedule = int(state.step), Schedule(config)
        if schedule.place(first, seconds) >= schedule.total:
            _say(f"nothing to do: {workdir} has all {first} steps")
            return state
        about = {"contents": loader.contents, "workdir": workdir, "first": first}
        _say("\n".join(overview.lines(config, state.params, **about)))
        store.check_room(state)
        state = step_lib.replicate(state)
        save = partial(store.save, provenance=distillation.provenance(teachers))
        clock = Clock(seconds, every=config.run.log_every, now=now)
        about = {"phases": phases, "clock": clock, "save": save, "workdir": workdir}
        return _run(config, state, loader, store, **about)


def _checked(config: ConfigDict) -> ConfigDict:
    """Checks what can be checked before data are opened; returns all settings."""
    config_lib.check(config)
    if config.data.num_workers:
        processes.check_main()
    devices.check()
    config = with_preprocessing(config)
    divide(config, jax.device_count())
    initial.check_file(config)
    return config


def _family_of(config: ConfigDict, allow_random_backbone: bool) -> Family:
    """Returns the tracker named in the settings."""
    family = family_of(config)
    if not allow_random_backbone:
        weights.check_backbone(config)
    return family


@contextlib.contextmanager
def _occupied(workdir: pathlib.Path) -> Iterator[None]:
    """Keeps other trainings out of the workdir, and watches the other processes."""
    number, count = jax.process_index(), jax.process_count()
    watch = {"number": number, "count": count, "coordinator": coordinator()}
    with Watch(workdir, **watch), contextlib.ExitStack() as stack:
        if number == 0:
            lock = locks.locked(workdir, "training", option="--workdir")
            stack.enter_context(lock)
        yield


def _run(
    config: ConfigDict,
    state: TrainState,
    loader: PairIterator,
    store: CheckpointStore,
    *,
    phases: Phases,
    clock: Clock,
    save: Save,
    workdir: pathlib.Path,
) -> TrainState:
    """Runs the remaining steps, or stops at a signal; returns the last state."""
    schedule, done = Schedule(config), int(state.step)

    def place_of(done):
        agreed = clock.agreed(done) if schedule.has_clock else 0.0
        return schedule.place(done, agreed)

    with contextlib.ExitStack() as stack:
        report = Report(config, workdir, first=done)
        stack.enter_context(report)
        stopper = Stopper(every=config.run.log_every, say=report.say)
        stack.enter_context(stopper)
        stopper.saved, phase = store.latest_step(), None
        batches = stack.enter_context(DevicePrefetcher(loader))
        meter = Meter(config.run.batch_size, batches, store)
        report.say("loading the first batch ...")
        place, rates, is_last = place_of(done), {}, False
        while not is_last:
            batch, position = batches.next(meter.newest)
            before, phase = phase, phases[schedule.trains_backbone(place)]
            rates_before, rates = rates, schedule.rates(place)
            if phase is before:
                state, metrics = phase.step(state, batch, rates)
            else:
                with report.compilation(phase.name, stopper, meter):
                    state, metrics = phase.step(state, batch, rates)
            done += 1
            meter.add(done, metrics)
            place = place_of(done)
            is_last = stopper.is_set(done) or place >= schedule.total
            saves = is_last or done % config.run.checkpoint_every == 0
            # The step in progress is waited for only if it is saved.
            upto = done if saves else done - 1
            if saves or upto % config.run.log_every == 0:
                report.write(
                    upto,
                    meter.read(upto),
                    rates=rates if saves else rates_before,
                    seconds_left=schedule.seconds_left(clock.seconds()),
                )
            if saves:
                at = {"loader": position, "seconds": clock.seconds()}
                save(state, at, config)
                stopper.saved = done
            report.advance()
        store.wait()
    _say_end(done, place, schedule, store)
    return state


def _say_end(done, place, schedule, store):
    """Explains why a training ended, and where its last step is."""
    if place < schedule.total:
        why = "stopped by a signal"
    elif done < schedule.total:
        why = "config.run.minutes have passed"
    else:
        why = "finished"
    _say(f"{why}: step {done} of {schedule.total} is saved in {store.folder}")


def _build(
    config: ConfigDict,
    family: Family,
    network: nn.Module,
    teachers: Sequence[distillation.Teacher],
) -> tuple[TrainState, Phases]:
    """Makes the state of step 0, and the steps of both phases."""
    tx = optimizer.of_config(config)
    variables, loaded = initial.initial_variables(config, family, network)
    if loaded:
        _say(f"start: {loaded}")
    state = create(variables, tx, keep_ema=config.optimizer.ema_decay > 0)
    model = step_lib.Model(
        network,
        regularized(
            family.forward(config, network),
            network,
            stochastic_depth=config.optimizer.stochastic_depth,
            feature_dropout=config.optimizer.feature_dropout,
        ),
        distillation.teach(
            family.loss(config, network), teachers, config=config, network=network
        ),
        config_lib.preprocessing(config),
    )
    train_step = partial(
        step_lib.train_step,
        model=model,
        optimizer=tx,
        ema_decay=config.optimizer.ema_decay,
        division=divide(config, jax.device_count()),
        remat=config.run.remat,
        seed=config.run.seed,
        augmentation=Augmentation(**config.augment),
    )
    names = {False: "the training step", True: "the training step with the backbone"}
    return state, {
        is_tuned: Phase(
            name, step_lib.pmap_step(partial(train_step, train_backbone=is_tuned))
        )
        for is_tuned, name in names.items()
    }


def _open_store(config: ConfigDict, workdir: pathlib.Path) -> CheckpointStore:
    """Opens the run's checkpoints."""
    return CheckpointStore(
        workdir, keep_latest=config.run.keep_latest, keep_every=config.run.keep_every
    )


def _resume(
    state: TrainState, store: CheckpointStore, loader: PairIterator, config: ConfigDict
) -> tuple[TrainState, float]:
    """Restores the newest checkpoint, if there is one: state, data, and seconds."""
    if store.latest_step() is None:
        return state, 0.0
    state, at = store.restore(state, config)
    loader.set_state(at["loader"])
    step, seconds = int(state.step), at["seconds"]
    _say(f"resuming at step {step} from {store.folder}")
    if said := rate_jump(store.saved_config(step), config, step, seconds):
        _say(said)
    return state, seconds


def _say(text: str) -> None:
    """Prints a line, in one process only."""
    if jax.process_index() == 0:
        print(text, flush=True)
