"""Targets that are tracked together, until one of them is corrected."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxtrack.session import Session
from jaxtrack.session_state import join_states
from jaxtrack.tracking.state import Frame
from jaxtrack.tracking.track_files import Row


class Targets:
    """Tracks n targets frame by frame, and again from where one was corrected.

    Each target has its next frame. Normally all targets advance together, in one batch.
    A box given later moves its target back to that frame, from where it catches up
    alone; the boxes of the others, and boxes given by hand, do not change.

    Attributes:
      rows: frame -> boxes; in the order of frames.
      changes: frames in the order in which rows were written.
      given: frame -> target, from 0 -> `[4]` xywh.
    """

    def __init__(self, session: Session, frame: int, xywh: np.ndarray):
        """Starts at a frame; nothing is tracked yet.

        Args:
          session: the tracker.
          frame: the number of the first frame.
          xywh: `[n, 4]` boxes in it, pixels.
        """
        self._session = session
        self.rows = {}
        self.changes = []
        self.given = {frame: dict(enumerate(np.asarray(xywh, np.float64)))}
        self._next = [frame] * len(xywh)
        self._states = [None] * len(xywh)
        self._is_joined = False

    def __len__(self) -> int:
        """Returns the number of targets."""
        return len(self._next)

    @property
    def next(self) -> int:
        """The next frame to track."""
        return min(self._next)

    @property
    def is_behind(self) -> bool:
        """Whether a target is catching up with the others."""
        return self.next <= max(self.rows, default=-1)

    def give(self, frame: int, boxes: Mapping[int, np.ndarray]) -> None:
        """Corrects targets, which continue from that frame.

        Args:
          frame: a tracked frame.
          boxes: target -> `[4]` xywh.
        """
        self._split()
        self.given.setdefault(frame, {}).update(boxes)
        for target in boxes:
            self._next[target] = min(self._next[target], frame)

    def step(self, number: int, frame: Frame) -> Row:
        """Tracks the targets whose next frame this is.

        Args:
          number: of the frame, at least `next`; frames between were not available.
          frame: in numpy.

        Returns:
          The boxes of the frame; those of other targets are unchanged.
        """
        due = [k for k, at in enumerate(self._next) if at <= number]
        boxes = [self._given_until(k, number) for k in due]
        is_all = len(due) == len(self)
        if is_all and all(box is not None for box in boxes):
            tracked = self._together(frame, np.stack(boxes))
        elif is_all and all(box is None for box in boxes):
            tracked = self._together(frame, None)
        else:
            tracked = [self._alone(*one, frame) for one in zip(due, boxes, strict=True)]
            tracked = [np.stack(column) for column in zip(*tracked, strict=True)]
        old = self.rows.get(number)
        columns = [np.array(column) for column in old[1:]] if old else list(tracked)
        for column, new in zip(columns, tracked, strict=True):
            column[due] = new
        self.rows[number] = Row(number, *columns)
        self.changes.append(number)
        for k in due:
            self._next[k] = number + 1
        return self.rows[number]

    def shown(self, number: int) -> list[Any]:
        """Returns a row for JSON.

        Args:
          number: of a tracked frame.

        Returns:
          The number, and for each target x, y, w, h, score, whether it is lost, and
          whether the box was given by hand.
        """
        row, given = self.rows[number], self.given.get(number, {})
        columns = zip(row.xywh.round(2).tolist(), row.score, row.lost, strict=True)
        targets = [
            [*box, round(float(score), 4), bool(lost), k in given]
            for k, (box, score, lost) in enumerate(columns)
        ]
        return [number, targets]

    def _given_until(self, target, number):
        """Returns the latest box given for a target since it was tracked, or None."""
        frames = [
            at
            for at, boxes in self.given.items()
            if self._next[target] <= at <= number and target in boxes
        ]
        return self.given[max(frames)][target] if frames else None

    def _together(self, frame, xywh):
        """Starts or tracks all targets, in one batch."""
        if xywh is not None:
            tracked = self._session.init(frame, xywh)
        else:
            if not self._is_joined:
                self._session.state = join_states(self._states)
            tracked = self._session.update(frame)
        self._is_joined = True
        return (
            tracked.xywh.reshape(-1, 4),
            np.reshape(tracked.score, -1),
            np.reshape(self._session.lost, -1),
        )

    def _alone(self, target, xywh, frame):
        """Starts or tracks one target."""
        self._split()
        if xywh is not None:
            tracked = self._session.init(frame, xywh)
        else:
            self._session.state = self._states[target]
            tracked = self._session.update(frame)
        self._states[target] = self._session.state
        return tracked.xywh, tracked.score, self._session.lost

    def _split(self):
        """Splits the state into one for each target."""
        if self._is_joined:
            self._states = self._session.state.split()
            self._is_joined = False
