"""Several processes track a batch of trials together, each its share of the sequences.

Process 0 decodes every frame once and writes down which sequences can be tracked; then
it chooses the settings of a batch and writes them down. The others track their
sequences with them, and write what each trial scores on a sequence. Process 0 collects
the scores; it tracks itself the sequences of a process that is not at work.
"""

import contextlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from jaxtrack import locks
from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic, run
from jaxtrack.evaluation.manifest import Skip
from jaxtrack.evaluation.tuning import trials
from jaxtrack.evaluation.tuning.splits import Material
from jaxtrack.evaluation.tuning.study import Study
from jaxtrack.shares import Share

_FOLDER, _READABLE, _ASKED, _SCORES = (
    "processes",
    "readable.json",
    "asked.json",
    "scores",
)
_POLL = 0.1  # Seconds between two looks.
_START = 180.0  # Seconds in which process 0 must have started.
Asked = Mapping[int, Mapping[str, float]]  # Number of a trial -> its settings.


class Exchange(NamedTuple):
    """Where the processes of a tuning meet.

    Attributes:
      out: folder of the tuning, which all see; process 0 holds its lock.
      share: of this process.
      identity: of the study, hashed: files of another one are not read. Until it is
        known which sequences can be tracked, that of a study of all of them.
    """

    out: Path
    share: Share
    identity: str

    def own(self, material: Material) -> list[Video]:
        """Returns the sequences of this process."""
        costs = [len(video.frames) for video in material.videos]
        return [material.videos[index] for index in self.share.of(costs)]

    def publish_readable(self, material: Material, skip: Skip | None) -> Material:
        """Leaves out what cannot be tracked, and tells the others, where there are any.

        Args:
          material: all sequences.
          skip: see `run.readable_videos`.

        Returns:
          The sequences that can be tracked to the end.

        Raises:
          InputError: see `run.readable_videos`.
        """
        place, reasons = self.out / _FOLDER / _READABLE, {}
        place.unlink(missing_ok=True)  # Of a search that was interrupted.

        def leave_out(name, reason):
            reasons[name] = reason
            skip(name, reason)

        videos = run.readable_videos(material.videos, skip=skip and leave_out)
        if self.share.count > 1:
            self._write(_READABLE, reasons)
        return material._replace(videos=videos)

    def await_readable(self, material: Material, skip: Skip | None) -> Material:
        """Waits until process 0 has told what cannot be tracked; see there.

        Raises:
          InputError: process 0 does not start, or is lost, or the file system has no
            locks.
        """
        name = f"{self.share.number}-of-{self.share.count}"
        with locks.locked(self.out / _FOLDER, "tuning", name=name) as is_alone:
            if not is_alone:
                raise InputError(
                    f"{self.out}: without locks processes cannot tune together: choose "
                    "another --out, or leave the work to process 0"
                )
            self._wait_for_start()
            print(f"process {self.share}: process 0 reads all frames once", flush=True)
            while (reasons := self._read(_READABLE, default=None)) is None:
                if not locks.is_held(self.out):
                    raise InputError(
                        f"process 0 ended in {self.out} before it had told which "
                        "sequences can be read: see its message; give all processes "
                        "the same options and sequences"
                    )
                time.sleep(_POLL)
        for name, reason in reasons.items():
            if skip is None:
                raise InputError(f"sequence {name}: {reason}")
            skip(name, reason)
        videos = [video for video in material.videos if video.name not in reasons]
        return material._replace(videos=videos)

    def publish(self, asked: Asked) -> None:
        """Tells the others what to track, where there are others."""
        if self.share.count > 1:
            self._write(
                _ASKED, {str(n): dict(settings) for n, settings in asked.items()}
            )

    def collect(
        self,
        track: trials.Track,
        material: Material,
        asked: Asked,
        study: Study,
        advance: Callable[[int], object],
    ) -> None:
        """Collects the scores of the others' sequences; see `trials.measure`."""
        waiting: dict[str, tuple[Video, Exchange]] = {}
        for number in range(self.share.count):
            other = self._replace(share=Share(number, self.share.count))
            if number != self.share.number:
                waiting |= {v.name: (v, other) for v in other.own(material)}
        while waiting:
            for video, other in [*waiting.values()]:
                found = self.scores(video.name, asked)
                if found is None and other.is_at_work():
                    continue
                if found is None:
                    one = material._replace(videos=[video])
                    trials.measure(track, one, asked, study, advance)
                else:
                    for trial, scores in found.items():
                        study.keep(trial, video.name, scores)
                    advance(len(asked) * len(video.frames))
                del waiting[video.name]
                break
            else:
                time.sleep(_POLL)

    def scores(self, name: str, asked: Asked) -> dict[int, dict[str, float]] | None:
        """Reads what trials score on a sequence; None until they are written."""
        found = self._read(f"{_SCORES}/{name}")
        if set(found) != {str(number) for number in asked}:
            return None
        return {int(number): scores for number, scores in found.items()}

    def is_at_work(self) -> bool:
        """Whether the process follows."""
        return locks.is_held(self.out / _FOLDER, name=self._lock())

    def follow(
        self,
        track: trials.Track,
        material: Material,
        advance: Callable[[int], object],
    ) -> None:
        """Tracks this process's sequences in batch after batch, until process 0 ends.

        Args:
          track: see `trials.tracking_function`.
          material: what is tuned on.
          advance: called with the number of frames tracked, times settings.

        Raises:
          InputError: process 0 is lost or tunes something else, a frame is missing or
            damaged, a first box is unusable.
        """
        own, done = self.own(material), {}
        place = self.out / _FOLDER
        with locks.locked(place, "tuning", name=self._lock()):
            while locks.is_held(self.out):
                asked = {int(n): s for n, s in self._read(_ASKED).items()}
                if not asked or asked == done:
                    time.sleep(_POLL)
                    continue
                for video in own:
                    if self.scores(video.name, asked) is None:
                        found = trials.score_all(track, material, video, asked, advance)
                        self._write(f"{_SCORES}/{video.name}", found)
                done = asked
        left = self._read(_ASKED, default=None)
        if left is None:
            raise InputError(
                f"process 0 ended in {self.out} without trials of this command: give "
                "all processes the same options and sequences"
            )
        if left:
            raise InputError(
                f"process 0 was lost: start all processes again, and the search in "
                f"{self.out} goes on"
            )

    def _lock(self) -> str:
        """Name of the lock: process 0 must not wait for one that tunes otherwise."""
        return f"{self.share.number}-of-{self.share.count}-{self.identity[:8]}"

    def _wait_for_start(self):
        """Waits until process 0 is at work."""
        end = time.monotonic() + _START
        while not locks.is_held(self.out):
            if time.monotonic() > end:
                raise InputError(
                    f"process 0 has not started in {self.out} within {_START:.0f} s: "
                    "start the same command with --process_id=0"
                )
            time.sleep(_POLL)

    def _write(self, name, value):
        """Writes a file for the other processes."""
        text = json.dumps({"identity": self.identity, "value": value})
        atomic.write_text(self.out / _FOLDER / name, text)

    def _read(self, name, default=MappingProxyType({})):
        """Reads a file of others; the default where there is none of this study."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads((self.out / _FOLDER / name).read_text())
            if found["identity"] == self.identity:
                return found["value"]
        return default
