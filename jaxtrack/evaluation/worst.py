"""The sequences on which a tracker fared worst, with frames."""

from collections.abc import Mapping, Sequence

import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation import compare, plots, report, snapshots
from jaxtrack.evaluation.compare import PRIMARY, TrackerScores


def worst_names(
    scores: Sequence[TrackerScores],
    *,
    about: int = 0,
    count: int = 4,
    primary: str = PRIMARY,
) -> list[str]:
    """Names the sequences with the lowest AUC, worst first.

    Args:
      scores: of the trackers.
      about: which of `scores` to judge by.
      count: sequences to name.
      primary: the protocol to judge by.
    """
    judged = scores[about].reports[primary].sequences
    return sorted(judged, key=lambda n: judged[n].auc)[:count]


def worst_sequences(
    scores: Sequence[TrackerScores],
    videos: Sequence[Video],
    *,
    truth: Mapping[str, np.ndarray] | None = None,
    origin: float = 0.0,
    about: int = 0,
    count: int = 4,
    primary: str = PRIMARY,
) -> dict[str, list[report.Snapshot]]:
    """Draws frames of the sequences with the lowest AUC.

    Args:
      scores: of the trackers.
      videos: the sequences scored.
      truth: name -> `[N, 4]` xywh, in the coordinates of the scored boxes; None
        takes the videos' own.
      origin: what is added to the coordinates of pictures to get those.
      about: which of `scores` to judge by.
      count: sequences to show.
      primary: the protocol to judge by.

    Returns:
      Sequence -> pictures, worst first.

    Raises:
      InputError: a frame cannot be read.
    """
    by_name = {v.name: v for v in videos}
    judged = scores[about].reports[primary].sequences
    truth = compare.truth_xywh(videos) if truth is None else truth
    moved = np.array([origin, origin, 0.0, 0.0])
    worst = {}
    for name in worst_names(scores, about=about, count=count, primary=primary):
        iou = dict(zip(judged[name].frames.tolist(), judged[name].iou, strict=True))
        shots = []
        for frame in snapshots.telling_frames(judged[name].frames, judged[name].iou):
            # The tracker in question is drawn last, on top.
            order = sorted(range(len(scores)), key=lambda i: i == about)
            boxes = [
                (plots.color_of(i), scores[i].predicted[name][frame] - moved)
                for i in order
            ]
            jpeg = snapshots.draw(
                by_name[name].frames[frame], truth[name][frame] - moved, boxes
            )
            value = max(0.0, float(iou.get(frame, 0.0)))
            shots.append(report.Snapshot(frame, value, jpeg))
        worst[name] = shots
    return worst
