"""The whole road on data that nobody has to download.

Run: python -m jaxtrack.demo --out=runs/demo
Trains on scenes composed of scikit-image's photographs, tracks scenes made of other
photographs, scores them and draws one; run again, it resumes or finds itself done.
"""

import pathlib

from absl import flags

from jaxtrack import cli
from jaxtrack.configs import demo

_OUT = flags.DEFINE_string("out", "runs/demo", "Everything is written here.")
_SEQUENCES = flags.DEFINE_integer("sequences", 8, "Held-out scenes to track.")
_EPOCHS = flags.DEFINE_integer("epochs", 0, "Epochs to train for; 0: the config's.")


def run(
    out: str | pathlib.Path, *, num_sequences: int = 8, num_epochs: int = 0
) -> float:
    """Trains, tracks and scores the small tracker.

    Args:
      out: folder for checkpoints, scenes, report and video.
      num_sequences: held-out scenes to track.
      num_epochs: epochs to train for; 0 takes those of configs/demo.py.

    Returns:
      Success AUC on the held-out scenes.

    Raises:
      InputError: if `out` holds something else, or cannot be used.
    """
    from jaxtrack.clients import live  # Late: --help should not wait for jax.
    from jaxtrack.data.synthetic import SyntheticSource, write_sequences
    from jaxtrack.evaluation import command, source
    from jaxtrack.training import loop

    out = pathlib.Path(out)
    config = demo.get_config()
    if num_epochs:
        config.num_epochs = num_epochs
        config.backbone_from_epoch = float(num_epochs)
    print("1/4 composing scenes of photographs that training will not see")
    scenes = SyntheticSource(num_tracks=num_sequences, split="eval")
    folders = write_sequences(scenes, out / "sequences", prefix="scene")
    print("2/4 training")
    loop.train(config, out / "train")
    print("3/4 tracking and scoring")
    scores = command.evaluate(
        checkpoint=str(out / "train"),
        results_of=[],
        benchmark=source.load(sequences=str(out / "sequences"), patterns=["scene*"]),
        out_dir=out,
        name="demo",
    )
    print("4/4 drawing")
    live.run(str(out / "train"), str(folders[0]), out=str(out / "tracking.mp4"))
    # OTB's rules would count a target that touches the left or upper border as lost.
    auc = scores[0].reports["no_first"].auc
    print(f"AUC {auc:.3f} on {num_sequences} scenes it has not seen")
    print(f"look at {out / 'report.html'} and {out / 'tracking.mp4'}")
    return auc


def _main() -> None:
    run(_OUT.value, num_sequences=_SEQUENCES.value, num_epochs=_EPOCHS.value)


if __name__ == "__main__":
    cli.run(_main)
