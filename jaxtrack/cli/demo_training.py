"""The long demonstration: trains a small tracker from nothing, and scores it."""

import pathlib

from jaxtrack.configs import demo as settings


def demonstrate(
    out: str | pathlib.Path, *, num_scenes: int = 8, num_epochs: int = 0
) -> float:
    """Trains, tracks and scores the small tracker.

    It trains on scenes composed of scikit-image's photographs, tracks scenes made of
    other photographs, scores them and draws one; run again, it resumes or finds itself
    done.

    Args:
      out: folder for checkpoints, scenes, report and video.
      num_scenes: held-out scenes to track.
      num_epochs: epochs to train for; 0 takes those of configs/demo.py.

    Returns:
      Success AUC on the held-out scenes.

    Raises:
      InputError: if `out` holds something else, or cannot be used.
    """
    from jaxtrack.cli import demo, demo_clip  # Late: --help should not wait for jax.
    from jaxtrack.evaluation import evaluate
    from jaxtrack.report import build, summary
    from jaxtrack.training import loop

    out = pathlib.Path(out)
    config = settings.get_config()
    if num_epochs:
        config.run.num_epochs = num_epochs
        config.optimizer.backbone_from_epoch = float(num_epochs)
    print("1/4 composing scenes of photographs that training will not see")
    scenes = demo.compose_scenes(out, num_scenes)
    print("2/4 training")
    loop.train(config, out / "train")
    print("3/4 tracking and scoring")
    checkpoint = str(out / "train")
    evaluation = evaluate.evaluate(scenes, out, checkpoints={"demo": checkpoint})
    page = build.write(evaluation, out)
    print(*summary.lines(evaluation), f"report: {page}", sep="\n")
    print("4/4 drawing")
    scene = demo_clip.Clip(out / "sequences" / scenes.videos[0].name)
    video = demo_clip.track(scene, checkpoint, out)
    # OTB's rules would count a target that touches the left or upper border as lost.
    auc = evaluation.scores[0].reports["no_first"].auc
    which = "21 thresholds, first frame excluded"
    print(f"AUC {auc:.3f} ({which}) on {num_scenes} scenes it has not seen")
    print(f"look at {page} and {video}")
    return auc
