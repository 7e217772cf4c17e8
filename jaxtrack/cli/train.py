r"""Train a tracker; run again with the same --workdir, it resumes.

Examples:
  jaxtrack train --config=siamcar_lite0 --workdir=runs/lite0
  jaxtrack train --config=siamcar_lite0 --workdir=runs/lite0 \
      --config.data.records="('packed/davis',)" --config.data.composed_weight=0.4
  jaxtrack train --config=siamcar_r50 --init=runs/siamcar --workdir=runs/tuned
"""

import argparse

from jaxtrack import config, configs
from jaxtrack.cli import options, overrides


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    names = ", ".join(configs.names())
    meaning = f"settings, by name or as the path of a .py file, of {names}"
    options.add(parser, "--config", "NAME", meaning, default="siamcar_lite0")
    meaning = "change one setting, of those listed below with their defaults"
    options.add(parser, "--config.FIELD", "VALUE", meaning)
    meaning = "folder for checkpoints and logs"
    options.add(parser, "--workdir", "DIR", meaning, default="runs/train")
    meaning = "start from trained weights, whole or what fits: imagenet (Lite0 only), "
    meaning += "a file of weights, or a tracker as --checkpoint names it; the same as "
    meaning += "--config.model.pretrained"
    options.add(parser, "--init", "TRACKER", meaning)
    meaning = "train even where no ImageNet weights are named to start from"
    options.add_flag(parser, "--allow_random_backbone", meaning)
    parser.epilog = f"settings:\n{config.text()}"


def run(args: argparse.Namespace) -> None:
    """Trains."""
    settings = configs.load(args.config)
    overrides.apply(settings, args.overrides)
    if args.init:
        settings.model.pretrained = args.init
    from jaxtrack.training import loop  # Late: typing mistakes need not wait for jax.

    allow = args.allow_random_backbone
    loop.train(settings, args.workdir, allow_random_backbone=allow)
