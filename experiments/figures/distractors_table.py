"""Ways of tracking look-alikes, as Markdown tables."""

from collections.abc import Mapping
from typing import Any

from experiments import tables


def markdown(found: Mapping[str, Any]) -> str:
    """Words the study.

    Args:
      found: see `distractors.run`.

    Returns:
      A Markdown document.
    """
    ways, videos = found["settings"], found["videos"]
    rows = [[name, *_row(way)] for name, way in ways.items()]
    head = ["tracked by", "AUC", f"change to {found['baseline']}", "lost", "frames/s"]
    cells = [
        [name, *(_cell(way["sequences"][name]) for way in ways.values())]
        for name in ways[found["baseline"]]["sequences"]
    ]
    photos = "scikit-image's" if videos["photos"] is None else "the given"
    return "\n".join(
        [
            "# Look-alikes\n",
            tables.table(head, rows),
            f"One network ({found['step']} steps of training) on {videos['num']} "
            f"videos of {videos['length']} frames, composed of {photos} photographs, "
            "in which look-alikes cross the target's path (difference "
            f'{videos["difference"]:g}, seed {videos["seed"]}). "without" leaves the '
            'discriminator out; "rpn" leaves the identifier out, too: the RPN\'s '
            "scores choose among the refined boxes. A change has the "
            f"{found['confidence']:.0%} interval of a paired bootstrap over videos. "
            f"Lost are videos whose last {found['last_frames']} frames all have IoU 0. "
            "AUC is over 21 thresholds without the first frame.\n",
            "## Videos\n",
            tables.table(["video", *ways], cells),
        ]
    )


def _row(way):
    """Words one way on all videos."""
    change = "-"
    if way["change"]:
        low, high = way["change"]["interval"]
        change = f"{way['change']['difference']:+.3f} ({low:+.3f} to {high:+.3f})"
    speed = tables.number(way["frames_per_second"], ".1f")
    return f"{way['auc']:.3f}", change, f"{way['lost']:.0%}", speed


def _cell(one):
    """Words one way on one video."""
    return f"{one['auc']:.3f}" + (" (lost)" if one["lost"] else "")
