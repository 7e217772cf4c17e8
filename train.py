"""Trains a tracker; run again with the same workdir, it resumes.

Run: python train.py --config=configs/siamcar_lite0.py --workdir=runs/lite0
"""

from absl import flags
from ml_collections import config_flags

from jaxtrack import cli

_CONFIG = config_flags.DEFINE_config_file(
    "config", "configs/siamcar_lite0.py", "Settings; --config.FIELD=VALUE overrides."
)
_WORKDIR = flags.DEFINE_string("workdir", "runs/train", "Checkpoints and logs go here.")


def main() -> None:
    """Trains, after the flags were found sound."""
    from jaxtrack.training import loop  # Late: --help should not wait for jax.

    loop.train(_CONFIG.value, _WORKDIR.value)


if __name__ == "__main__":
    cli.run(main)
