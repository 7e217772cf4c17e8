"""A study on disk: the trials so far, their scores, and the next ones."""

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
from optuna.storages import JournalStorage, journal
from optuna.trial import TrialState

from jaxtrack.errors import InputError, unwritable
from jaxtrack.evaluation import atomic

FILE = "study.jsonl"
_NAME = "tuning"
_IDENTITY = "identity"
_LEAST_TRIALS = 20  # From which importances mean something.
_TOP = 0.2  # Share of the trials that count as good ones in importances.


class Tried(NamedTuple):
    """A finished trial.

    Attributes:
      number: of the trial; 0 is the untuned settings.
      settings: field -> value.
      value: what is maximized.
      sequences: name of a sequence -> metric -> value.
    """

    number: int
    settings: dict[str, float]
    value: float
    sequences: dict[str, dict[str, float]]


class Plan(NamedTuple):
    """What a study searches, and how.

    Attributes:
      ranges: field -> lowest and highest value.
      own: the untuned settings, the first trial.
      sampler: one of `tuning.SAMPLERS`.
      seed: of the sampler; each trial draws from it by its number.
      num_trials: wanted in all, the first included; a grid may have fewer points.
    """

    ranges: Mapping[str, tuple[float, float]]
    own: Mapping[str, float]
    sampler: str
    seed: int
    num_trials: int

    def fixed(self) -> list[dict[str, float]]:
        """Trials that need no sampler: the untuned settings, and a grid's points.

        A grid over d fields has k values of each, as many as fit: k^d points.

        Raises:
          InputError: the grid has no room for two values of a field.
        """
        points = [dict(self.own)]
        if self.sampler != "grid":
            return points
        # In binary the root of 64 is a little below 4.
        count = math.floor((self.num_trials - 1) ** (1 / len(self.ranges)) + 1e-9)
        if count < 2:
            raise InputError(
                f"--trials={self.num_trials}: a grid over {len(self.ranges)} settings "
                f"has at least {2 ** len(self.ranges)} points beside the untuned ones; "
                "ask for more trials, or for fewer --settings"
            )
        axes = [np.linspace(*ends, count).tolist() for ends in self.ranges.values()]
        for point in itertools.product(*axes):
            settings = dict(zip(self.ranges, point, strict=True))
            if settings != points[0]:
                points.append(settings)
        return points

    def total(self) -> int:
        """How many trials there will be."""
        return len(self.fixed()) if self.sampler == "grid" else self.num_trials


class Study:
    """Trials on disk; `open_study` makes one."""

    def __init__(self, study: Any, storage: Any, plan: Plan):
        """Wraps an Optuna study and its storage."""
        self._study, self._storage, self._plan = study, storage, plan

    def finished(self) -> list[Tried]:
        """The finished trials, in order of their numbers."""
        return [
            Tried(t.number, dict(t.params), t.value, dict(t.user_attrs))
            for t in self._study.get_trials(states=(TrialState.COMPLETE,))
        ]

    def ask(self, count: int) -> dict[int, dict[str, float]]:
        """Returns the next trials: unfinished ones first, then new settings.

        What was left comes alone, so that the study goes on as if it had not been
        interrupted: nothing is drawn before all of a batch is told.

        Args:
          count: trials wanted at most.

        Returns:
          Number of the trial -> field -> value; empty where the study is complete.
        """
        running = self._study.get_trials(states=(TrialState.RUNNING,))
        left = self._plan.total() - len(self.finished())
        numbers = [t.number for t in running[: min(count, left)]]
        asked = {number: self._drawn(number) for number in numbers}
        while not running and len(asked) < min(count, left):
            number = self._study.ask().number
            asked[number] = self._drawn(number)
        return asked

    def keep(self, number: int, name: str, scores: Mapping[str, float]) -> None:
        """Keeps what a trial scored on a sequence.

        Args:
          number: of the trial.
          name: of the sequence.
          scores: metric -> value.
        """
        self._storage.set_trial_user_attr(self._id(number), name, dict(scores))

    def scores(self, number: int) -> dict[str, dict[str, float]]:
        """What a trial scored so far: name of a sequence -> metric -> value."""
        return dict(self._storage.get_trial(self._id(number)).user_attrs)

    def tell(self, number: int, value: float) -> None:
        """Ends a trial that has all its scores.

        Args:
          number: of the trial.
          value: what is maximized.
        """
        self._study.tell(number, value)

    def importances(self) -> dict[str, float] | None:
        """How much each setting decides whether a trial is among the best fifth.

        Watanabe et al., PED-ANOVA (arXiv:2304.10255), Optuna's.

        Returns:
          Field -> share, of a sum of 1; None of too few trials, or of trials that are
          all worth the same.
        """
        values = {t.value for t in self.finished()}
        if len(self.finished()) < _LEAST_TRIALS or len(values) < 2:
            return None
        evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=_TOP)
        found = optuna.importance.get_param_importances(
            self._study, evaluator=evaluator
        )
        return {name: float(found[name]) for name in self._plan.ranges}

    def _drawn(self, number: int) -> dict[str, float]:
        """Draws a trial's settings, or reads them where they were drawn before."""
        self._study.sampler = _sampler(self._plan, number)
        trial = optuna.Trial(self._study, self._id(number))
        ranges = self._plan.ranges.items()
        return {name: trial.suggest_float(name, *ends) for name, ends in ranges}

    def _id(self, number: int) -> int:
        """The storage's name for a trial."""
        study = self._storage.get_study_id_from_name(_NAME)
        return self._storage.get_trial_id_from_study_id_trial_number(study, number)


def _sampler(plan: Plan, number: int) -> Any:
    """Makes a trial's sampler, which depends on its number and the trials before."""
    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    if plan.sampler == "tpe":
        return optuna.samplers.TPESampler(
            seed=seed, multivariate=True, constant_liar=True
        )
    return optuna.samplers.RandomSampler(seed=seed)


def open_study(folder: str | Path, plan: Plan, identity: Mapping[str, Any]) -> Study:
    """Opens the study in a folder, or begins one; the caller holds the folder's lock.

    Args:
      folder: is there.
      plan: of the study.
      identity: of what is tuned, on what and how, as JSON.

    Returns:
      The study.

    Raises:
      InputError: the folder's study is of another identity or damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    points, identity = plan.fixed(), json.loads(json.dumps(identity))
    file = Path(folder) / FILE
    try:
        storage = _storage(file)
        if _NAME in optuna.get_all_study_names(storage):
            study = optuna.load_study(study_name=_NAME, storage=storage)
        else:
            study = optuna.create_study(
                study_name=_NAME, storage=storage, direction="maximize"
            )
        attributes = study.user_attrs
    except InputError:
        raise
    except (OSError, ValueError, LookupError, TypeError) as fault:
        raise InputError(
            f"{file} cannot be opened as a study ({str(fault).splitlines()[0]}): "
            "move it away, or choose another --out"
        ) from fault
    _check_identity(attributes.get(_IDENTITY, identity), identity, file)
    for point in points:
        study.enqueue_trial(point, skip_if_exists=True)
    # Last: without it the points above may be incomplete, and are added to.
    study.set_user_attr(_IDENTITY, identity)
    return Study(study, storage, plan)


def _storage(file: Path) -> Any:
    """Opens a journal; one that a power cut or SIGKILL left behind too."""
    if file.exists():
        kept = file.read_bytes()
        # A last line without its end was never read, and would spoil the next one.
        end = kept.rfind(b"\n") + 1
        if end < len(kept):
            atomic.write_bytes(file, kept[:end])
    # Who holds the folder's lock is alone: a lock in here is a dead process's.
    file.with_name(f"{file.name}.lock").unlink(missing_ok=True)
    return JournalStorage(_Journal(file))


class _Journal:
    """Optuna's journal; its errors name the file that cannot be written."""

    def __init__(self, file: Path):
        """Opens or makes it."""
        self._file, self._backend = file, journal.JournalFileBackend(str(file))

    def read_logs(self, start: int) -> Iterable[dict[str, Any]]:
        """Reads the entries from one on."""
        return self._backend.read_logs(start)

    def append_logs(self, entries: list[dict[str, Any]]) -> None:
        """Writes entries."""
        try:
            self._backend.append_logs(entries)
        except OSError as fault:
            raise unwritable(self._file, fault) from fault


def _check_identity(kept: Mapping, asked: Mapping, file: Path) -> None:
    """Raises if a study's trials were of something else; names what differs."""
    for key in sorted(kept.keys() | asked.keys()):
        was, now = kept.get(key), asked.get(key)
        if was == now:
            continue
        is_short = not isinstance(was, dict) and not isinstance(now, dict)
        shown = f" ({was!r} there, {now!r} now)" if is_short else ""
        if isinstance(was, dict) and isinstance(now, dict):
            parts = [k for k in sorted(was | now) if was.get(k) != now.get(k)]
            shown = f" ({', '.join(parts[:4])}{', ...' if len(parts) > 4 else ''})"
        raise InputError(
            f"{file} holds trials of another {key}{shown}: choose another --out, or "
            "move it away"
        )
