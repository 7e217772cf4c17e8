"""Success against the share of the window: how much a tracker leans on it.

SiamLA (Nie et al.), section IV-D and Fig. 14: a tracker that finds the target by itself
scores alike whatever the share, 0 included; one that needs the window falls without it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation import compare, runner
from jaxtrack.evaluation.drive import compiled, driven_function, is_together
from jaxtrack.evaluation.wanted import WINDOWS
from jaxtrack.tracking import Tracker, make_tracker
from jaxtrack.tracking.siamese import Settings


class Sweep(NamedTuple):
    """A tracker's success at each share of the window.

    Attributes:
      windows: shares, ascending.
      auc: protocol -> AUC at each share.
      own_window: the share its configuration names.
    """

    windows: tuple[float, ...]
    auc: dict[str, tuple[float, ...]]
    own_window: float

    def spread(self, protocol: str = compare.PRIMARY) -> float:
        """Largest AUC less the smallest."""
        return max(self.auc[protocol]) - min(self.auc[protocol])

    def at_zero(self, protocol: str = compare.PRIMARY) -> float | None:
        """AUC without a window; None where 0 is none of the shares."""
        return dict(zip(self.windows, self.auc[protocol], strict=True)).get(0.0)


def measure(
    checkpoint: str | Path,
    videos: Sequence[Video],
    out_dir: str | Path,
    *,
    name: str = "",
    windows: Sequence[float] = WINDOWS,
    together: bool | None = None,
) -> Sweep:
    """Tracks all sequences at each share of the window and scores them.

    Results lie in `<out_dir>/window_sweep/<name>/<share>`, with a stamp that holds the
    share; what is finished is kept. All shares are tracked by one compilation.

    Args:
      checkpoint: what `training.checkpoint.load_for_inference` takes.
      videos: the sequences.
      out_dir: results go to a folder in it.
      name: of the tracker; "" takes the run's folder.
      windows: shares of the window, in [0, 1].
      together: see `runner.run`.

    Returns:
      The sweep, by the report's protocols.

    Raises:
      InputError: the checkpoint or a frame is missing or damaged, a first box is
        unusable, a file cannot be written.
    """
    runner.check_videos(videos)
    windows = tuple(sorted({float(window) for window in windows}))
    name = runner.checked_name(name or runner.tracker_name(checkpoint))
    opened = runner.open_checkpoint(checkpoint)
    together = is_together(together)
    tracker = adjustable(make_tracker(opened.model, opened.config))
    drivers = compiled(tracker, together=together)
    config, truth = opened.config, compare.truth_xywh(videos)
    settings = Settings(*(np.float32(config[key]) for key in Settings._fields))
    around = opened.around | {"together": together}
    auc = {protocol: [] for protocol in compare.REPORTED}
    for window in windows:
        tried = settings._replace(window=np.float32(window))
        variables = {"network": opened.variables, "settings": tried}
        folder = Path(out_dir) / "window_sweep" / name / str(window)
        runner.track_unfinished(
            driven_function(drivers, variables, together=together),
            videos,
            folder,
            identity=opened.identity | {"settings": {"window": window}},
            around=around,
            title=f"window {window:g}",
            is_quiet=True,
        )
        scores = compare.score_folder(name, folder, truth)
        for protocol, values in auc.items():
            values.append(scores.reports[protocol].auc)
    auc = {protocol: tuple(values) for protocol, values in auc.items()}
    return Sweep(windows, auc, float(config.window))


def adjustable(tracker: Tracker) -> Tracker:
    """Makes a tracker's settings a part of its variables, so that jit traces them.

    Args:
      tracker: its `step` takes `settings` as a fourth argument.

    Returns:
      The tracker with `variables = {"network": ..., "settings": Settings}`.
    """

    def init(variables: Any, frame, box):
        return tracker.init(variables["network"], frame, box)

    def step(variables: Any, state, frame):
        return tracker.step(variables["network"], state, frame, variables["settings"])

    return Tracker(init=init, step=step)
