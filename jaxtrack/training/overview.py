"""The summary that a training prints before it starts."""

import pathlib
from collections.abc import Sequence

import jax
from ml_collections import ConfigDict

from jaxtrack import config as config_lib
from jaxtrack.models.backbones import param_group
from jaxtrack.trackers import describe
from jaxtrack.training import division, logging
from jaxtrack.training.schedule import Schedule
from jaxtrack.training.state import Tree


def lines(
    config: ConfigDict,
    params: Tree,
    *,
    contents: Sequence[str],
    workdir: pathlib.Path,
    first: int,
) -> list[str]:
    """Summarizes devices, precision, network, data, batch, memory, length, folders.

    Args:
      config: the settings.
      params: of the network.
      contents: the training data, one line for each source.
      workdir: of the run.
      first: steps done before this run.

    Returns:
      A few aligned lines.
    """
    rows = {
        "devices": [_devices()],
        "precision": [_precision(config)],
        "network": [describe(config), parameters(config, params)],
        "data": list(contents),
        "batch": [
            _batch(config),
            *division.lines(config, jax.device_count()),
            _rate(config),
        ],
        "memory": [_memory(config, params)],
        "length": [_length(config)],
        "workdir": [_workdir(workdir, first)],
        "logs": [_logs(config)],
    }
    width = max(map(len, rows)) + 2
    return [
        f"{name if place == 0 else '':<{width}}{text}"
        for name, texts in rows.items()
        for place, text in enumerate(texts)
    ]


def _devices():
    """Describes the devices of all processes."""
    devices, count = jax.devices(), jax.process_count()
    kind, platform = devices[0].device_kind, devices[0].platform
    named = platform if kind.lower() == platform else f"{kind} ({platform})"
    return f"{len(devices)} x {named}, {_number(count, 'process', 'processes')}"


def _precision(config):
    """Describes the precision of the computation."""
    matmul = jax.config.jax_default_matmul_precision or "default"
    return f"{config.model.dtype}, parameters float32, matmul precision {matmul}"


def parameters(config: ConfigDict, params: Tree) -> str:
    """Counts the parameters that are trained, frozen, and trained later.

    Args:
      config: the settings.
      params: of the network.

    Returns:
      The counts as text.
    """
    counts = {"head": 0, "backbone": 0, "frozen": 0}
    for keys, leaf in jax.tree.leaves_with_path(params):
        counts[param_group(tuple(key.key for key in keys))] += leaf.size
    epoch = config.optimizer.backbone_from_epoch
    group = "head" if epoch <= 0 else "backbone"
    if epoch >= config.run.num_epochs:
        group = "frozen"
    if group != "backbone":
        counts[group] += counts.pop("backbone")
    trained, frozen = (_millions(counts[name]) for name in ("head", "frozen"))
    text = f"parameters: {trained} trained, {frozen} frozen"
    if group == "backbone":
        text += f"; {_millions(counts[group])} of the backbone from epoch {epoch:g}"
    return text


def _batch(config):
    """Describes the batch and its parts."""
    size, devices = config.run.batch_size, jax.device_count()
    text = f"{size} pairs a step"
    if devices > 1:
        text += f", {size // devices} on each device"
    return text


def _rate(config):
    """Describes the learning rates."""
    opt, schedule = config.optimizer, Schedule(config)
    text = f"{opt.kind}, learning rate {schedule.peak:.3g} "
    if schedule.peak != opt.lr:
        text += f"({opt.lr:g} at {opt.reference_batch} pairs, {opt.lr_scaling}) "
    return text + (
        f"after warm-up, {schedule.end:.3g} at the end; times "
        f"{opt.backbone_lr_factor:g} for the backbone"
    )


def _memory(config, params):
    """Counts what a device keeps from step to step, besides the activations."""
    moments = 2 if config.optimizer.kind in ("adamw", "lamb") else 1
    copies = 2 + moments + (config.optimizer.ema_decay > 0)
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(params))
    text = (
        f"{copies * size / 1e6:,.0f} MB a device for parameters, gradients, moments "
        "and averages; activations come on top"
    )
    return f"{text}, recomputed by block" if config.run.remat else text


def _length(config):
    """Describes the length of the training."""
    epochs, steps = config.run.num_epochs, config_lib.steps_per_epoch(config)
    total, minutes = config_lib.total_steps(config), config.run.minutes
    text = f"{_number(epochs, 'epoch', 'epochs')} of {steps:,} steps: {total:,} steps"
    return f"{text}, or {minutes:g} minutes if they are shorter" if minutes else text


def _workdir(workdir, first):
    """Describes the workdir, and whether the run resumes."""
    return f"{workdir} ({f'resumes after step {first:,}' if first else 'a new run'})"


def _logs(config):
    """Lists where scalars are logged."""
    text = "log.jsonl"
    for name in config.run.loggers:
        if logging.is_installed(name):
            text += f", {logging.TITLES[name]}"
        else:
            text += f" ({logging.TITLES[name]}: pip install 'jaxtrack[{name}]')"
    return text


def _millions(count):
    """Formats a number of parameters."""
    return f"{count / 1e6:.2f} M" if count >= 1e4 else str(count)


def _number(count, one, many):
    """Formats a count with its noun."""
    return f"{count} {one if count == 1 else many}"
