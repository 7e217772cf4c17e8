"""A run: one video on the page, with its requests, results and output files."""

import pathlib
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import numpy as np

from jaxtrack.errors import InputError
from jaxtrack.session import Session
from jaxtrack.tracking import check_init_box, outputs
from jaxtrack.tracking.host_boxes import cxcywh_from_xywh
from jaxtrack.tracking.outputs import OutputFiles, Outputs
from jaxtrack.tracking.track_files import Row
from jaxtrack.web.frames import Frames
from jaxtrack.web.targets import Targets

# Phases: waiting for boxes, tracking, paused, at the end of the video, stopped by an
# error, and the program ends.
DRAW, TRACK, PAUSE, DONE, FAULT, ENDED = "draw track pause done fault ended".split()

_ROWS_AT_ONCE = 2000
_MOST_NOTES = 4
_PATIENCE = 2.0  # Seconds to finish a frame; a compilation takes longer.

Boxes = Sequence[Sequence[float] | None]


class Run:
    """Tracks in a thread of its own; all methods may be called from any thread.

    Attributes:
      frames: of the video.
      fault: the error that stopped it, or None.
    """

    def __init__(
        self,
        frames: Frames,
        open_session: Callable[[], Session],
        *,
        paths: Outputs = outputs.NOWHERE,
        boxes: Boxes = (),
        notes: Sequence[str] = (),
    ):
        """Starts to open the session in the background.

        Args:
          frames: of the video; `close` closes them.
          open_session: returns the session.
          paths: files to write during tracking.
          boxes: initial boxes in the first frame, `[4]` xywh each.
          notes: warnings; more may be appended.
        """
        self.frames, self.fault = frames, None
        self._open_session, self._paths, self._notes = open_session, paths, notes
        self._changed = threading.Condition(threading.RLock())
        self._phase, self._asked = DRAW, []
        self._session = self._targets = self._files = None
        self._draft = {"frame": 0, "boxes": [list(map(float, b)) for b in boxes]}
        self._generation = self._count = 0
        self._busy = 0.0
        self._is_text_stale = self._is_video_stale = False
        self._worker = threading.Thread(target=self._work, daemon=True, name="track")
        self._worker.start()

    def draft(self, frame: int, boxes: Boxes) -> None:
        """Remembers the boxes being drawn, in case the page is reloaded."""
        with self._changed:
            self._draft = {"frame": frame, "boxes": boxes}

    def track(self, frame: int, boxes: Boxes) -> None:
        """Starts tracking, or corrects targets and continues from there.

        Args:
          frame: the number of the boxes' frame.
          boxes: `[4]` xywh of each target, pixels; None leaves a target unchanged.

        Raises:
          InputError: if a box cannot be tracked, or the frame was not tracked.
        """
        given = {k: box for k, box in enumerate(boxes) if box is not None}
        given = {k: np.array(box, np.float64) for k, box in given.items()}
        for k, xywh in given.items():
            where = f"target {k + 1}"
            check_init_box(cxcywh_from_xywh(xywh), self.frames.hw, where=where)
        with self._changed:
            self._refuse_when_over()
            if self._phase != DRAW:
                self._check_correction(frame, given)
            elif not given or len(given) != len(boxes):
                raise InputError("no box yet: drag one around each target")
            elif self.frames.jpeg(frame) is None:
                raise InputError(f"frame {frame} is no longer kept: use a newer one")
            self._asked.append((frame, given))
            self._draft = {"frame": 0, "boxes": []}
            self._go(TRACK)

    def pause(self) -> None:
        """Stops before the next frame."""
        with self._changed:
            if self._phase == TRACK:
                self._go(PAUSE)

    def resume(self) -> None:
        """Continues tracking."""
        with self._changed:
            if self._phase == PAUSE:
                self._go(TRACK)

    def restart(self) -> None:
        """Discards the results; the first boxes can be changed again."""
        with self._changed:
            self._refuse_when_over()
            if self._targets is not None:
                frame, boxes = min(self._targets.given.items())
                boxes = [list(map(float, boxes[k])) for k in range(len(self._targets))]
                self._draft = {"frame": frame, "boxes": boxes}
            self._targets, self._asked = None, []
            self._generation += 1
            self._go(DRAW)

    def rows(self) -> list[Row]:
        """Returns the results, in the order of frames."""
        with self._changed:
            return list(self._targets.rows.values()) if self._targets else []

    def is_given(self, frame: int, target: int) -> bool:
        """Returns whether a box was given by the user."""
        with self._changed:
            given = self._targets.given if self._targets else {}
            return target in given.get(frame, {})

    def news(self, generation: int, cursor: int) -> dict[str, Any]:
        """Returns the updates for a page, for JSON.

        Args:
          generation: the one that the page has; -1 for a new page.
          cursor: number of its changes that the page has.

        Returns:
          The phase, and the rows changed since.
        """
        with self._changed:
            targets = self._targets
            cursor = cursor if generation == self._generation else 0
            changes = targets.changes if targets else []
            end = min(len(changes), cursor + _ROWS_AT_ONCE)
            first, last = self.frames.span()
            return {
                "generation": self._generation,
                "cursor": end,
                "phase": self._phase,
                "fault": str(self.fault or ""),
                "notes": list(self._notes[:_MOST_NOTES]),
                "draft": self._draft,
                "span": [first, last],
                "at": changes[-1] if changes else None,
                "speed": round(self._count / self._busy, 1) if self._busy else None,
                "tracker": self._session.name if self._session else "",
                "rows": [targets.shown(k) for k in dict.fromkeys(changes[cursor:end])],
            }

    def write_video(self, path: str) -> None:
        """Writes an .mp4 with the boxes drawn.

        Raises:
          InputError: if it cannot be written, or nothing is tracked.
        """
        rows = {row.frame: row for row in self.rows()}
        if not rows:
            raise InputError("nothing is tracked yet")
        with closing(self.frames.again(min(rows))) as frames:
            found = ((f, rows[k]) for k, f in frames if k in rows)
            capped = (one for _, one in zip(range(len(rows)), found, strict=False))
            outputs.write_video(path, capped, self.frames.hw, self.frames.fps)

    def close(self) -> None:
        """Ends the thread, finishes the files and informs the page."""
        with self._changed:
            if self._phase == ENDED:
                return
            self._go(ENDED)
        self._worker.join(timeout=_PATIENCE)
        self.frames.close()
        if self._files is not None:
            self._catch_up()
            self._files.__exit__(None, None, None)
        if self._is_video_stale and not self.frames.is_live and self.rows():
            self._draw_again()

    def is_working(self) -> bool:
        """Returns whether the thread still runs after `close`, as when compiling."""
        return self._worker.is_alive()

    def _draw_again(self):
        """Replaces the video by one with the corrected boxes, once it is complete."""
        path = pathlib.Path(self._paths.out)
        fresh = path.with_name(f".{path.stem}.corrected.mp4")
        try:
            self.write_video(str(fresh))
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)

    def _refuse_when_over(self):
        """Raises if nothing can be tracked any more."""
        if self._phase in (FAULT, ENDED):
            raise InputError("tracking has ended")

    def _check_correction(self, frame, given):
        """Checks that a correction changes a box of a tracked frame."""
        count = len(self._targets) if self._targets else len(self._asked[0][1])
        if not given or max(given) >= count:
            raise InputError("no correction: change a box first")
        if not self._targets or frame not in self._targets.rows:
            raise InputError(f"frame {frame} is not tracked yet")
        if self.frames.jpeg(frame) is None:
            raise InputError(f"frame {frame} is no longer kept: use a newer one")

    def _go(self, phase):
        """Changes the phase, and wakes waiting threads."""
        self._phase = phase
        self._changed.notify_all()

    def _work(self):
        """Tracks on request until the end."""
        try:
            session = self._open_session()
            session.compile_for(self.frames.hw)
            with self._changed:
                self._session = session
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._phase in (TRACK, ENDED))
                    if self._phase == ENDED:
                        return
                self._track_on()
        except Exception as fault:
            with self._changed:
                if self._phase != ENDED:
                    self.fault = fault
                    self._go(FAULT)

    def _track_on(self):
        """Tracks until the next request."""
        with self._changed:
            start, generation = self._take_asked(), self._generation
        targets = self._targets
        with closing(self.frames.walk(start)) as walk:
            for found in walk:
                if not self._may_go_on(generation):
                    return
                if found:
                    self._step(targets, *found)
        with self._changed:
            if self._phase == TRACK and not self._asked:
                self._catch_up()
                self._go(DONE)

    def _may_go_on(self, generation):
        """Waits while paused; returns False if there is a new request."""
        with self._changed:
            self._changed.wait_for(lambda: self._phase != PAUSE or self._asked)
            is_same = generation == self._generation and not self._asked
            return is_same and self._phase == TRACK

    def _take_asked(self):
        """Starts on boxes or corrects them; returns the next frame."""
        for frame, boxes in self._asked:
            if self._targets is None:
                xywh = np.stack([boxes[k] for k in sorted(boxes)])
                self._targets = Targets(self._session, frame, xywh)
                self._is_text_stale = self._is_video_stale = self._files is not None
            else:
                self._targets.give(frame, boxes)
                self._is_text_stale = self._is_video_stale = True
        self._asked = []
        if self._files is None:
            notes = self._notes.append if isinstance(self._notes, list) else print
            hw, fps = self.frames.hw, self.frames.fps
            self._files = OutputFiles(self._paths, hw, fps, warn=notes)
        self._is_video_stale &= bool(self._paths.out)
        return self._targets.next

    def _step(self, targets, number, frame):
        """Tracks a frame, and writes it if it is new."""
        is_new = not targets.is_behind
        begin = time.perf_counter()
        row = targets.step(number, frame)
        seconds = time.perf_counter() - begin
        with self._changed:
            self._busy, self._count = self._busy + seconds, self._count + 1
            if is_new and targets is self._targets:
                self._catch_up(but=number)
                self._files.write(frame, row)

    def _catch_up(self, *, but=None):
        """Writes corrected boxes again."""
        if self._is_text_stale:
            self._is_text_stale = False
            self._files.rewrite(row for row in self.rows() if row.frame != but)
