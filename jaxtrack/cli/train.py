r"""Train a tracker; run again with the same --workdir, it resumes.

Examples:
  jaxtrack train --config=siamcar_lite0 --workdir=runs/lite0
  jaxtrack train --config=siamcar_lite0 --workdir=runs/lite0 \
      --config.data.records="('packed/davis',)" --config.data.composed_weight=0.4
"""

import argparse

from jaxtrack import config, configs
from jaxtrack.cli import overrides


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    parser.add_argument(
        "--config",
        metavar="NAME",
        default="siamcar_lite0",
        help="settings, by name or as the path of a .py file (default: %(default)s); "
        f"names: {', '.join(configs.names())}",
    )
    parser.add_argument(
        "--config.FIELD",
        metavar="VALUE",
        help="change one setting, of those listed below with their defaults",
    )
    parser.add_argument(
        "--workdir",
        metavar="DIR",
        default="runs/train",
        help="folder for checkpoints and logs (default: %(default)s)",
    )
    parser.epilog = f"settings:\n{config.text()}"


def run(args: argparse.Namespace) -> None:
    """Trains."""
    settings = configs.load(args.config)
    overrides.apply(settings, args.overrides)
    from jaxtrack.training import loop  # Late: typing mistakes need not wait for jax.

    loop.train(settings, args.workdir)
