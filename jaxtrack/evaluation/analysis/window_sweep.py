"""Success against the share of the window: how much a tracker leans on it.

SiamLA (Nie et al.), section IV-D and Fig. 14: a tracker that finds the target by itself
scores alike at every share, 0 included; one that needs the window falls without it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxtrack.datasets.sequence import Sequence as Video
from jaxtrack.evaluation import loading, run, scoring
from jaxtrack.evaluation.analysis.options import WINDOWS
from jaxtrack.evaluation.analysis.outcome import Sweep
from jaxtrack.evaluation.batching import compiled, is_batched, tracking_function
from jaxtrack.tracking import Tracker


def measure(
    checkpoint: str | Path,
    videos: Sequence[Video],
    out_dir: str | Path,
    *,
    name: str,
    windows: Sequence[float] = WINDOWS,
    batched: bool | None = None,
) -> Sweep:
    """Tracks all sequences at each share of the window and scores them.

    Results lie in `<out_dir>/window_sweep/<name>/<share>`, whose manifest holds the
    share; what is finished is kept. All shares are tracked by one compilation.

    Args:
      checkpoint: what `training.inference.load_for_inference` takes.
      videos: the sequences.
      out_dir: results go to a folder in it.
      name: of the tracker.
      windows: shares of the window, in [0, 1].
      batched: see `run.track_checkpoint`.

    Returns:
      The sweep, by the report's protocols.

    Raises:
      InputError: the checkpoint or a frame is missing or damaged, a first box is
        unusable, a file cannot be written.
    """
    run.usable_videos(videos)
    windows = tuple(sorted({float(window) for window in windows}))
    opened = loading.open_checkpoint(checkpoint)
    batched = is_batched(batched)
    drivers = compiled(adjustable(opened.tracker), batched=batched)
    config, truth = opened.config, scoring.truth_xywh(videos)
    settings = jax.tree.map(np.float32, opened.tracker.settings)
    around = opened.around | {"batched": batched}
    auc = {protocol: [] for protocol in scoring.REPORTED}
    for window in windows:
        changed = settings._replace(window=np.float32(window))
        variables = {"network": opened.variables, "settings": changed}
        folder = Path(out_dir) / "window_sweep" / name / str(window)
        run.track_unfinished(
            tracking_function(drivers, variables, batched=batched),
            videos,
            folder,
            identity=opened.identity | {"settings": {"window": window}},
            around=around,
            title=f"window {window:g}",
            is_quiet=True,
        )
        scores = scoring.score_folder(name, folder, truth)
        for protocol, values in auc.items():
            values.append(scores.reports[protocol].auc)
    auc = {protocol: tuple(values) for protocol, values in auc.items()}
    return Sweep(windows, auc, float(config.tracking.window))


def adjustable(tracker: Tracker) -> Tracker:
    """Makes a tracker's settings a part of its variables, so that jit traces them.

    Args:
      tracker: its `update` takes `settings` as a fourth argument.

    Returns:
      The tracker with `variables = {"network": ..., "settings": ...}`.
    """

    def start(variables: Any, crops, fill):
        return tracker.start(variables["network"], crops, fill)

    def update(variables: Any, state, crop):
        return tracker.update(variables["network"], state, crop, variables["settings"])

    return tracker._replace(start=start, update=update, probe=None)
