"""One training of a study: its settings on disk, its stages, its outcome."""

import dataclasses
import itertools
import json
import os
import pathlib
import sys
from collections.abc import Callable, Sequence

from ml_collections import ConfigDict

from experiments import jobs, settings, work
from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.evaluation import results

# Wall time of scoring compared with training, for the progress bar alone.
_SCORE_WEIGHT = 0.25


@dataclasses.dataclass(frozen=True)
class Run:
    """A network to train and to test.

    Attributes:
      label: what messages call it.
      folder: everything of it lies there.
      config: the settings of its training.
      videos: folders of the sequences it is tested on.
      aligns: whether confidence is measured against overlap, too.
    """

    label: str
    folder: pathlib.Path
    config: ConfigDict
    videos: tuple[pathlib.Path, ...]
    aligns: bool = True


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a run has come to.

    Attributes:
      auc: sequence -> success AUC, first frame left out.
      ao: sequence -> mean IoU.
      alignment: sequence -> rank correlation of confidence and IoU, None where it is
        not defined; None as a whole where it is not measured.
      frames_per_second: while tracking, beside whatever else ran.
      cpu_seconds: of the training, all attempts; None if unknown.
      wall_seconds: of the training, all attempts; None if unknown.
    """

    auc: dict[str, float]
    ao: dict[str, float]
    alignment: dict[str, float | None] | None
    frames_per_second: float | None
    cpu_seconds: float | None
    wall_seconds: float | None


def _settings(run: Run) -> dict:
    """Returns what the child processes of a run must know, as JSON holds it."""
    return {
        "config": json.loads(run.config.to_json()),
        "videos": [str(video) for video in run.videos],
        **({} if run.aligns else {"aligns": False}),
    }


def _write_settings(run: Run) -> None:
    text = json.dumps(_settings(run), indent=1, sort_keys=True)
    results.write_text(run.folder / work.SETTINGS, text + "\n")


def _refuse_change(run: Run) -> None:
    """Raises if the folder holds a run in which a field differs that both know."""
    path = run.folder / work.SETTINGS
    if not path.is_file():
        return
    before = settings.flat(json.loads(path.read_text()))
    now = settings.flat(_settings(run))
    changed = [name for name in now if name in before and before[name] != now[name]]
    if changed:
        name = changed[0]
        raise InputError(
            f"{run.folder} was made with {name}={before[name]!r}, not {now[name]!r}: "
            "use that, or choose another --out"
        )


def as_job(run: Run, *others: Run) -> jobs.Job:
    """Returns the stages of a run: train, then score.

    Args:
      run: to be trained and scored.
      *others: runs that track with the same network, which are scored then.
    """
    train = _stage(run, "train", lambda: _is_trained(run), lambda: _trained(run))
    return jobs.Job(run.label, (train, *map(_scoring, (run, *others))))


def _scoring(run):
    """Returns the stage that scores a run."""
    return _stage(
        run,
        "score",
        lambda: _is_scored(run),
        lambda: _scored(run),
        weight=_SCORE_WEIGHT,
    )


def share_training(run: Run, trained: Run) -> None:
    """Lets a run track with the network of another one.

    The link between their folders is relative: a study may be moved, or copied.

    Args:
      run: whose settings differ in tracking alone.
      trained: the one that is trained.
    """
    link, target = run.folder / "train", trained.folder / "train"
    path = pathlib.Path(os.path.relpath(target.absolute(), link.parent.absolute()))
    if link.is_symlink() and link.readlink() == path:
        return
    link.unlink(missing_ok=True)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(path, target_is_directory=True)


def _has_own(run):
    """Whether a run was trained, or begun, by itself."""
    path = run.folder / "train"
    return path.is_dir() and not path.is_symlink()


def _sharing(runs):
    """Divides runs that can share a training: what is begun by itself stays so."""
    own = [run for run in runs if _has_own(run)] or [runs[0]]
    rest = [run for run in runs if run not in own]
    return [[own[0], *rest], *([run] for run in own[1:])]


def _drop_link(run):
    """Forgets whose network an earlier call shared, if it is still asked for."""
    link = run.folder / "train"
    if link.is_symlink() and not (_is_trained(run) and _is_scored(run)):
        link.unlink()


def run_all(
    runs: Sequence[Run | Sequence[Run]],
    *,
    at_once: int = 1,
    on_finished: Callable[[], None] = lambda: None,
) -> None:
    """Trains and scores what is not done yet; see `jobs.run_jobs`.

    Args:
      runs: in order of importance; several that share a training are one entry, of
        which the first is trained, or those that were before.
      at_once: child processes at a time.
      on_finished: called whenever a run is done.

    Raises:
      InputError: a folder holds a run with other settings, or a child failed.
    """
    groups = [[run] if isinstance(run, Run) else list(run) for run in runs]
    for run in itertools.chain(*groups):
        _refuse_change(run)
    for run in itertools.chain(*groups):
        _write_settings(run)
    shared = [part for group in groups for part in _sharing(group)]
    for trained, *others in shared:
        _drop_link(trained)
        for run in others:
            share_training(run, trained)
    jobs.run_jobs(
        [as_job(*part) for part in shared],
        at_once=at_once,
        on_finished=lambda job: on_finished(),
    )


def _stage(run, name, is_done, share, weight=1.0):
    """Makes a stage that a child of this Python does."""
    command = (sys.executable, "-m", "experiments.work", f"--stage={name}")
    return jobs.Stage(
        name=name,
        command=(*command, f"--folder={run.folder}"),
        log=run.folder / f"{name}.log",
        usage=run.folder / f"{name}_usage.json",
        is_done=is_done,
        share=share,
        weight=weight,
    )


def _is_trained(run: Run) -> bool:
    # Orbax gives a checkpoint its name last: where it stands, it is whole.
    step = config_lib.total_steps(run.config)
    return (run.folder / "train" / "checkpoints" / str(step)).is_dir()


def _trained(run: Run) -> float:
    """Returns the share of the steps done, from the last line of the log."""
    try:
        lines = (run.folder / "train" / "log.jsonl").read_text().splitlines()
        return json.loads(lines[-1])["step"] / config_lib.total_steps(run.config)
    except (OSError, ValueError, IndexError, KeyError):
        return 0.0


def _is_scored(run: Run) -> bool:
    names = ("scores.json", "alignment.json")[: 1 + run.aligns]
    return all((run.folder / name).is_file() for name in names)


def _scored(run: Run) -> float:
    """Returns the share of the sequences tracked, which is half of scoring."""
    done = len(list((run.folder / "results" / work.TRACKER).glob("*.txt")))
    return done / max(len(run.videos), 1) / 2


def read_outcome(folder: str | pathlib.Path) -> Outcome | None:
    """Reads what a run has come to.

    Args:
      folder: of the run.

    Returns:
      The outcome, or None while it is not scored.
    """
    folder = pathlib.Path(folder)
    try:
        scores = json.loads((folder / "scores.json").read_text())
    except (OSError, ValueError):
        return None
    try:
        alignment = json.loads((folder / "alignment.json").read_text())
    except (OSError, ValueError):
        alignment = None
    return Outcome(
        auc=scores["auc"],
        ao=scores["ao"],
        alignment=alignment,
        frames_per_second=scores["frames_per_second"],
        **jobs.read_usage(folder / "train_usage.json"),
    )
