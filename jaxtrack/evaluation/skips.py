"""Sequences that are left out of an evaluation, for all trackers."""

from dataclasses import replace
from pathlib import Path

from jaxtrack.datasets import Benchmark
from jaxtrack.datasets.sequence import Skipped
from jaxtrack.errors import InputError
from jaxtrack.evaluation import scoring, vot_files
from jaxtrack.evaluation.result_files import FoundBoxes
from jaxtrack.metrics import vot


class Skips:
    """Collects the sequences that are left out, for all trackers."""

    def __init__(self, benchmark: Benchmark, *, strict: bool):
        """Starts with those that the dataset's reader left out.

        Args:
          benchmark: with its truth.
          strict: raises for a sequence instead of leaving it out.
        """
        self._benchmark, self._strict = benchmark, strict
        self._found = {one.name: one.reason for one in benchmark.skipped}

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """What was left out, and why."""
        return tuple(Skipped(*item) for item in self._found.items())

    def add(self, name: str, reason: str) -> None:
        """Leaves a sequence out.

        Args:
          name: of the sequence.
          reason: what is wrong with it.

        Raises:
          InputError: instead, where it is strict.
        """
        if self._strict:
            raise InputError(f"sequence {name}: {reason}")
        self._found.setdefault(name, reason)

    def read(self, tracker: str, place: Path, protocol: str) -> FoundBoxes:
        """Reads a tracker's results; sequences without valid ones are left out.

        Args:
          tracker: its name.
          place: see `result_files.read_boxes`.
          protocol: that must give a score.

        Returns:
          What the files say.

        Raises:
          InputError: nothing is there, or no sequence can be scored.
        """
        found = scoring.read_tracker(tracker, place, self.left(), protocol)
        for name, reason in found.faults.items():
            self.add(name, f"{tracker}: {reason}")
        return found

    def read_runs(self, tracker: str, place: Path) -> vot_files.Runs:
        """Reads a tracker's runs with restarts, in the same way.

        Args:
          tracker: its name.
          place: its folder, which holds `baseline/`.

        Returns:
          Name of a sequence -> repetitions.

        Raises:
          InputError: no sequence can be scored.
        """
        regions = self.left().regions
        runs, faults = vot_files.find_runs(place, regions)
        faults |= vot.refusals(regions, runs)
        if len(faults) == len(regions):
            raise InputError(f"results of {tracker}: {next(iter(faults.values()))}")
        for name, reason in faults.items():
            self.add(name, f"{tracker}: {reason}")
        return runs

    def left(self) -> Benchmark:
        """Returns the sequences that are not left out.

        Raises:
          InputError: there is none.
        """
        videos = [v for v in self._benchmark.videos if v.name not in self._found]
        if not videos:
            name, reason = next(iter(self._found.items()))
            raise InputError(f"no sequence is left to score; {name}: {reason}")
        return replace(self._benchmark, videos=videos)
