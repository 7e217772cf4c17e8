"""Trains a tracker; run again with the same workdir, it resumes.

Run: python train.py --config=configs/siamcar_lite0.py --workdir=runs/lite0
"""

from absl import flags

from jaxtrack import cli

_CONFIG = cli.define_config("configs/siamcar_lite0.py")
_WORKDIR = flags.DEFINE_string("workdir", "runs/train", "Checkpoints and logs go here.")


def main() -> None:
    """Trains, after the flags were found sound."""
    from jaxtrack.training import loop  # Late: --help should not wait for jax.

    loop.train(_CONFIG.value, _WORKDIR.value)


if __name__ == "__main__":
    cli.run(main)
