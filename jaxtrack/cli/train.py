r"""Train a tracker, or resume its training: run the same command again.

Examples:
  jaxtrack train --config=siamcar_lite0 --workdir=runs/lite0
  jaxtrack train --config=siamcar_lite0 --workdir=runs/lite0 \
      --config.data.records=packed/davis --config.data.composed_weight=0.4
  jaxtrack train --config=siamcar_r50 --init=runs/siamcar --workdir=runs/tuned

Ctrl-C saves a checkpoint after the present step. docs/training.md describes the output.
"""

import argparse
import pathlib

from ml_collections import ConfigDict

from jaxtrack import config, configs
from jaxtrack.cli import checks, options, overrides
from jaxtrack.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    meaning = f"a config by name, or the path of a .py file; {options.configs_known()}"
    options.add(parser, "--config", "NAME", meaning, default="siamcar_lite0")
    meaning = "change a setting; all are listed below with their defaults"
    options.add(parser, "--config.FIELD", "VALUE", meaning)
    meaning = "folder for checkpoints and logs"
    options.add(parser, "--workdir", "DIR", meaning, default="runs/train")
    meaning = "start from trained weights, as far as they fit: imagenet (Lite0 only), "
    meaning += "a file of weights, a shipped tracker or the workdir of a training; "
    meaning += "the same as --config.model.pretrained"
    options.add(parser, "--init", "TRACKER", meaning)
    meaning = "train even without ImageNet weights to start from"
    options.add_flag(parser, "--allow_random_backbone", meaning)
    meaning = "train one network in several processes: the same command in each, which "
    meaning += "must all see --workdir; Slurm, Open MPI and TPUs need no more"
    group = options.add_processes(parser, meaning)
    meaning = "where process 0 runs, and a free port there"
    options.add(group, "--coordinator", "HOST:PORT", meaning)
    parser.epilog = f"settings:\n{config.text()}"


def run(args: argparse.Namespace) -> None:
    """Trains."""
    settings = configs.load(args.config)
    overrides.apply(settings, args.overrides)
    if args.init:
        settings.model.pretrained = args.init
    _check(settings, args.workdir)
    if args.num_processes and not args.coordinator:
        raise InputError("--num_processes is there without --coordinator=HOST:PORT")
    if args.coordinator and not args.distributed:
        raise InputError("--coordinator is for --distributed: add it")
    # Late: typing mistakes need not wait for jax.
    from jaxtrack.training import distributed, loop

    if args.distributed:
        distributed.initialize(
            args.coordinator,
            num_processes=args.num_processes,
            process_id=args.process_id,
        )

    allow = args.allow_random_backbone
    loop.train(settings, args.workdir, allow_random_backbone=allow)
    if args.distributed:
        distributed.leave()


def _check(settings: ConfigDict, workdir: str) -> None:
    """Rejects what cannot work before jax is imported."""
    from jaxtrack.data import mixture
    from jaxtrack.training import logging

    config.check(settings)
    logging.check(settings.run.loggers)
    mixture.check_folders(settings)
    start = settings.model.pretrained
    if start not in ("", "imagenet") and not pathlib.Path(start).is_file():
        checks.check_tracker(start, option="--init")
    checks.check_folder(workdir, option="--workdir")
