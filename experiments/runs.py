"""One run of an experiment: its settings on disk, its stages, its outcome."""

import hashlib
import json
import os
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from experiments import child, processes, settings
from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic

# Wall time of scoring compared with training, for the progress bar alone.
_SCORE_WEIGHT = 0.25


class Run(NamedTuple):
    """A network to train and to test.

    Attributes:
      label: what messages call it.
      folder: of its settings, result files and scores.
      network: of its training; runs that differ in tracking alone share it.
      config: the settings.
      videos: folders of the sequences that it is tested on.
      aligns: whether to measure the alignment of confidence and overlap.
    """

    label: str
    folder: pathlib.Path
    network: pathlib.Path
    config: ConfigDict
    videos: tuple[pathlib.Path, ...]
    aligns: bool = True


class Outcome(NamedTuple):
    """What a run has come to.

    Attributes:
      auc: sequence -> success AUC, first frame left out.
      ao: sequence -> mean IoU.
      alignment: sequence -> rank correlation of confidence and IoU, None where it is
        not defined; None as a whole where it was not measured.
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


def run_folder(out: pathlib.Path, name: str, seed: int, fold: int) -> pathlib.Path:
    """Returns where a run lies."""
    return out / "runs" / name / f"seed{seed}_fold{fold}"


def network_folder(out: pathlib.Path, config: ConfigDict, *, fold: int) -> pathlib.Path:
    """Returns where a training lies: one folder for settings that train alike."""
    fields = settings.flat_json(config)
    read = {k: v for k, v in fields.items() if not config_lib.is_of_tracking(k)}
    digest = hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()
    return out / "networks" / f"seed{config.run.seed}_fold{fold}_{digest[:12]}"


def run_all(
    runs: Sequence[Run],
    *,
    at_once: int = 1,
    is_together: bool = False,
    on_finished: Callable[[], None] = lambda: None,
) -> None:
    """Trains and scores what is not done yet; see `processes.run_all`.

    Args:
      runs: in order of importance.
      at_once: child processes at a time.
      is_together: trains the networks of a seed and fold on the same batches.
      on_finished: called whenever a network is trained and all its runs are scored.

    Raises:
      InputError: a folder holds a run with other settings, or a child failed.
    """
    for run in runs:
        _refuse_change(run)
    networks: dict[pathlib.Path, list[Run]] = {}
    for run in runs:
        networks.setdefault(run.network, []).append(run)
    groups: dict[str, list[list[Run]]] = {}
    for network, sharing in networks.items():
        # Without the digest of the settings: seed and fold.
        key = network.name.rpartition("_")[0] if is_together else network.name
        groups.setdefault(key, []).append(sharing)
    for group in groups.values():
        settings.check_same_batches([sharing[0].config for sharing in group])
    for run in runs:
        text = json.dumps(_settings(run), indent=1, sort_keys=True)
        atomic.write_text(run.folder / child.SETTINGS, text + "\n")
        _link(run)
    chains = [chain_of(group) for group in groups.values()]
    processes.run_all(chains, at_once=at_once, on_finished=on_finished)


def chain_of(group: Sequence[Sequence[Run]]) -> processes.Chain:
    """Returns the stages of networks that are trained together: train, score each run.

    Args:
      group: for each network the runs that share it, one or more.

    Returns:
      The stages, in order. Once all is scored, the networks may be deleted.
    """
    steps = config_lib.total_steps(group[0][0].config)

    def is_trained(sharing):
        # Orbax gives a checkpoint its name last: where it stands, it is whole.
        checkpoint = sharing[0].network / "checkpoints" / str(steps)
        return checkpoint.is_dir() or all(map(_is_scored, sharing))

    # Of the others all may be scored, and the network deleted.
    left = [sharing[0] for sharing in group if not is_trained(sharing)]
    first = left or [group[0][0]]
    training = _stage(
        first,
        "train",
        first[0].network,
        is_done=lambda: all(map(is_trained, group)),
        share=lambda: min(_last_step(run.network) for run in first) / steps,
    )
    scoring = [
        _stage(
            [run],
            "score",
            run.folder,
            is_done=lambda run=run: _is_scored(run),
            share=lambda run=run: _tracked(run),
        )._replace(weight=_SCORE_WEIGHT)
        for sharing in group
        for run in sharing
    ]
    return (training, *scoring)


def read_outcome(folder: pathlib.Path) -> Outcome | None:
    """Reads what a run has come to.

    Args:
      folder: of the run.

    Returns:
      The outcome, or None while it is not scored.
    """
    if (scores := _scores(folder)) is None:
        return None
    usage = processes.read_usage(folder / child.WORKDIR / "train_usage.json")
    return Outcome(**{"alignment": None, **scores, **usage})


def _settings(run: Run) -> dict[str, Any]:
    """Returns what the child processes of a run must know, as JSON holds it."""
    return {
        "config": json.loads(run.config.to_json()),
        "videos": [str(video) for video in run.videos],
        "aligns": run.aligns,
    }


def _refuse_change(run):
    """Raises if the folder holds a run in which a field differs that both know."""
    try:
        before = config_lib.flat(json.loads((run.folder / child.SETTINGS).read_text()))
    except (OSError, ValueError):
        return
    for name, value in config_lib.flat(_settings(run)).items():
        if name != "aligns" and before.get(name, value) != value:
            raise InputError(
                f"{run.folder} was made with {name}={before[name]!r}, not {value!r}: "
                "use that, or choose another --out"
            )


def _link(run):
    """Makes the run's workdir a link to its network.

    The link is relative: an experiment may be moved, or copied.
    """
    run.network.mkdir(parents=True, exist_ok=True)
    link = run.folder / child.WORKDIR
    link.unlink(missing_ok=True)
    where = os.path.relpath(run.network.absolute(), run.folder.absolute())
    link.symlink_to(where, target_is_directory=True)


def _stage(runs, name, folder, *, is_done, share) -> processes.Stage:
    """Makes a stage that another process of this Python does."""
    folders = [str(run.folder) for run in runs]
    command = (sys.executable, "-m", "experiments.child", name, *folders)
    return processes.Stage(
        label=f"{', '.join(run.label for run in runs)}: {name}",
        command=command,
        log=folder / f"{name}.log",
        # Of several trainings nobody knows what each one used.
        usage=folder / f"{name}{'_together' * (len(runs) > 1)}_usage.json",
        is_done=is_done,
        share=share,
    )


def _scores(folder):
    try:
        return json.loads((folder / child.SCORES).read_text())
    except (OSError, ValueError):
        return None


def _is_scored(run):
    scores = _scores(run.folder)
    return scores is not None and ("alignment" in scores or not run.aligns)


def _last_step(network):
    """Returns the step that the log of a training ends with, or 0."""
    try:
        return json.loads((network / "log.jsonl").read_text().splitlines()[-1])["step"]
    except (OSError, ValueError, IndexError, KeyError):
        return 0


def _tracked(run):
    """Returns the share of the sequences tracked, which is half of scoring."""
    done = len(list((run.folder / "results" / child.TRACKER).glob("*.txt")))
    return done / max(len(run.videos), 1) / 2
