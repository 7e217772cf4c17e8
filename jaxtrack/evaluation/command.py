"""What eval.py does: track, score, compare, report."""

import json
from collections.abc import Sequence
from pathlib import Path

from jaxtrack.data import annotations
from jaxtrack.errors import InputError
from jaxtrack.evaluation import compare, plots, report, results, snapshots
from jaxtrack.evaluation.compare import PRIMARY, TrackerScores


def parse_results(entries: Sequence[str]) -> dict[str, Path]:
    """Reads the `NAME=DIR` of the command line.

    Args:
      entries: as typed.

    Returns:
      Name of a tracker -> folder of its results.

    Raises:
      InputError: not of that form, or a name twice.
    """
    folders = {}
    for entry in entries:
        name, separator, folder = entry.partition("=")
        if not (name and separator and folder):
            raise InputError(f"--results {entry!r}: expected NAME=DIR")
        if name in folders:
            raise InputError(f"--results {entry!r}: {name!r} is given twice")
        folders[name] = Path(folder)
    return folders


def draw_plots(scores: Sequence[TrackerScores]) -> dict[str, bytes]:
    """Success, precision and normalised precision plots of the primary dialect.

    Args:
      scores: of the trackers; their order gives the colours.

    Returns:
      File name without its ending -> PNG.
    """
    reports = {s.name: s.reports[PRIMARY] for s in scores}
    rules = scores[0].reports[PRIMARY].dialect
    return {
        "success": plots.curve_plot(
            rules.success_thresholds,
            {n: (r.success_curve, r.auc) for n, r in reports.items()},
            title="Success [AUC]",
            xlabel="IoU threshold",
            ylabel="share of frames",
        ),
        "precision": plots.curve_plot(
            rules.precision_thresholds,
            {n: (r.precision_curve, r.precision) for n, r in reports.items()},
            title="Precision [at 20 px]",
            xlabel="centre error, px",
            ylabel="share of frames",
            mark=20.0,
        ),
        "norm_precision": plots.curve_plot(
            rules.norm_thresholds,
            {n: (r.norm_precision_curve, r.norm_precision) for n, r in reports.items()},
            title="Normalised precision [at 0.2]",
            xlabel="centre error in widths and heights of the target",
            ylabel="share of frames",
            mark=0.2,
        ),
    }


def worst_sequences(
    scores: Sequence[TrackerScores],
    videos: Sequence[annotations.Sequence],
    *,
    about: int = 0,
    count: int = 4,
) -> dict[str, list[report.Snapshot]]:
    """Draws frames of the sequences with the lowest AUC.

    Args:
      scores: of the trackers.
      videos: the sequences scored.
      about: which of `scores` to judge by.
      count: sequences to show.

    Returns:
      Sequence -> pictures, worst first.

    Raises:
      InputError: a frame cannot be read.
    """
    by_name = {v.name: v for v in videos}
    truth = compare.truth_xywh(videos)
    judged = scores[about].reports[PRIMARY].sequences
    worst = {}
    for name in sorted(judged, key=lambda n: judged[n].auc)[:count]:
        iou = dict(zip(judged[name].frames.tolist(), judged[name].iou, strict=True))
        shots = []
        for frame in snapshots.telling_frames(judged[name].frames, judged[name].iou):
            # The tracker in question is drawn last, on top.
            order = sorted(range(len(scores)), key=lambda i: i == about)
            boxes = [
                (plots.color_of(i), scores[i].predicted[name][frame]) for i in order
            ]
            jpeg = snapshots.draw(
                by_name[name].frames[frame], truth[name][frame], boxes
            )
            value = max(0.0, float(iou.get(frame, 0.0)))
            shots.append(report.Snapshot(frame, value, jpeg))
        worst[name] = shots
    return worst


def summary_lines(scores: Sequence[TrackerScores]) -> list[str]:
    """What the command prints, best tracker first.

    Args:
      scores: of the trackers.

    Returns:
      One line a tracker, and a note where the ground truth has unusable rows.
    """
    width = max(len(s.name) for s in scores)
    lines = []
    for tracker in compare.by_auc(scores):
        main, given = tracker.reports[PRIMARY], tracker.reports["no_first"]
        speed = tracker.frames_per_second
        line = (
            f"{tracker.name:<{width}}  AUC {main.auc:.3f}  "
            f"precision@20px {main.precision:.3f}  AO {main.ao:.3f}  "
            f"SR0.5 {main.sr50:.3f}  SR0.75 {main.sr75:.3f}  | first frame left out: "
            f"AUC {given.auc:.3f}  precision@20px {given.precision:.3f}"
        )
        lines.append(line + (f"  | {speed:.1f} frames/s" if speed else ""))
    judged = scores[0].reports[PRIMARY].sequences.values()
    unusable = sum(s.num_unusable for s in judged)
    if unusable:
        lines.append(
            f"note: in {unusable} frames the true x, y, width or height is not above "
            f"0; by the rules of {PRIMARY!r} they count as misses"
        )
    return lines


def write_report(
    scores: Sequence[TrackerScores],
    videos: Sequence[annotations.Sequence],
    out_dir: str | Path,
    *,
    about: int = 0,
) -> None:
    """Writes plots, `report.json` and `report.html`, each whole or not at all.

    Args:
      scores: of the trackers.
      videos: the sequences scored.
      out_dir: made where it is missing.
      about: which of `scores` the worst sequences are shown of.

    Raises:
      InputError: a frame cannot be read or the folder not written to.
    """
    out_dir = Path(out_dir)
    figures = draw_plots(scores)
    worst = worst_sequences(scores, videos, about=about)
    text = report.html_report(scores, figures, worst, about=about)
    for name, png in figures.items():
        results.write_bytes(out_dir / f"{name}.png", png)
    numbers = json.dumps(compare.as_json(scores), indent=1, allow_nan=False)
    results.write_text(out_dir / "report.json", numbers + "\n")
    results.write_text(out_dir / "report.html", text)


def evaluate(
    *,
    checkpoint: str,
    results_of: Sequence[str],
    sequences: str,
    patterns: Sequence[str],
    out_dir: str,
    name: str = "",
    together: bool = False,
) -> list[TrackerScores]:
    """Runs a checkpoint, reads other trackers' results, or both; scores and reports.

    Args:
      checkpoint: folder of a trained tracker; "" runs none.
      results_of: `NAME=DIR` of existing results.
      sequences: folder of sequences.
      patterns: which of them, as file name patterns; all where empty.
      out_dir: for results, plots and reports.
      name: of the checkpoint in reports; "" takes its folder's.
      together: tracks many sequences at once.

    Returns:
      The scores, the checkpoint's first.

    Raises:
      InputError: nothing to score, or something the user gave is missing or damaged.
    """
    if not sequences:
        raise InputError("--sequences is missing: name a folder of sequences")
    if not (checkpoint or results_of):
        raise InputError("nothing to score: give --checkpoint, --results or both")
    folders = parse_results(results_of)
    videos = [
        annotations.read_sequence(path, allow_absent=True)
        for path in annotations.list_sequences(sequences, tuple(patterns) or ("*",))
    ]
    truth = compare.truth_xywh(videos)
    scores = [
        compare.score_folder(tracker, folder, truth)
        for tracker, folder in folders.items()
    ]
    if checkpoint:
        from jaxtrack.evaluation import runner  # Late: scoring files needs no network.

        name = name or runner.tracker_name(checkpoint)
        if name in folders:
            raise InputError(
                f"--results {name}=...: the checkpoint is called {name!r} too; "
                "give it another --name"
            )
        folder = runner.run(checkpoint, videos, out_dir, name=name, together=together)
        scores.insert(0, compare.score_folder(name, folder, truth))
    write_report(scores, videos, out_dir)
    for line in summary_lines(scores):
        print(line)
    print(f"report: {Path(out_dir) / 'report.html'}")
    return scores
