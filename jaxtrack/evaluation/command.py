"""What eval.py does: track, score, compare, report."""

import json
from collections.abc import Sequence
from pathlib import Path

from jaxtrack.data import annotations
from jaxtrack.errors import InputError
from jaxtrack.evaluation import compare, entries, plots, report, results, snapshots
from jaxtrack.evaluation.compare import PRIMARY, TrackerScores
from jaxtrack.evaluation.sections import Section
from jaxtrack.evaluation.wanted import Wanted


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


def worst_names(
    scores: Sequence[TrackerScores], *, about: int = 0, count: int = 4
) -> list[str]:
    """Names the sequences with the lowest AUC, worst first.

    Args:
      scores: of the trackers.
      about: which of `scores` to judge by.
      count: sequences to name.
    """
    judged = scores[about].reports[PRIMARY].sequences
    return sorted(judged, key=lambda n: judged[n].auc)[:count]


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
    for name in worst_names(scores, about=about, count=count):
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
    analyses: Sequence[Section] = (),
) -> None:
    """Writes plots, `report.json` and `report.html`, each whole or not at all.

    Args:
      scores: of the trackers.
      videos: the sequences scored.
      out_dir: made where it is missing.
      about: which of `scores` the worst sequences are shown of.
      analyses: what else was asked for.

    Raises:
      InputError: a frame cannot be read or the folder not written to.
    """
    out_dir = Path(out_dir)
    figures = draw_plots(scores)
    worst = worst_sequences(scores, videos, about=about)
    text = report.html_report(scores, figures, worst, about=about, analyses=analyses)
    for name, png in figures.items():
        results.write_bytes(out_dir / f"{name}.png", png)
    for picture in (p for section in analyses for p in section.pictures):
        results.write_bytes(out_dir / picture.path, picture.content)
    numbers = compare.as_json(scores)
    numbers["analyses"] = {section.key: section.numbers for section in analyses}
    written = json.dumps(numbers, indent=1, allow_nan=False)
    results.write_text(out_dir / "report.json", written + "\n")
    results.write_text(out_dir / "report.html", text)


def evaluate(
    *,
    checkpoint: str | Sequence[str],
    results_of: Sequence[str],
    sequences: str,
    patterns: Sequence[str],
    out_dir: str,
    name: str = "",
    together: bool = False,
    wanted: Wanted | None = None,
) -> list[TrackerScores]:
    """Runs checkpoints, reads other trackers' results, or both; scores and reports.

    Args:
      checkpoint: folders of trained trackers, `DIR` or `NAME=DIR`; "" runs none.
      results_of: `NAME=DIR` of existing results.
      sequences: folder of sequences.
      patterns: which of them, as file name patterns; all where empty.
      out_dir: for results, plots and reports.
      name: of the checkpoint in reports, where there is one; "" takes its folder's.
      together: tracks many sequences at once.
      wanted: analyses of the checkpoints beside the scores.

    Returns:
      The scores, the checkpoints' first.

    Raises:
      InputError: nothing to score, or something the user gave is missing or damaged.
    """
    wanted = wanted or Wanted()
    if not sequences:
        raise InputError("--sequences is missing: name a folder of sequences")
    checkpoints = entries.parse_checkpoints(checkpoint, name=name)
    if not (checkpoints or results_of):
        raise InputError("nothing to score: give --checkpoint, --results or both")
    folders = entries.parse_results(results_of)
    for both in folders.keys() & checkpoints.keys():
        raise InputError(
            f"--results {both}=...: a checkpoint is called {both!r} too; "
            "give it another --name"
        )
    videos = [
        annotations.read_sequence(path, allow_absent=True)
        for path in annotations.list_sequences(sequences, tuple(patterns) or ("*",))
    ]
    wanted.check(list(checkpoints), videos)
    scores = _scores(checkpoints, folders, videos, out_dir, together=together)
    found = []
    if wanted.flags:
        from jaxtrack.evaluation import analyses  # Late: as in `_scores`.

        options = {"worst": worst_names(scores), "together": together}
        found = analyses.run(
            wanted, checkpoints, videos, out_dir, scores=scores, **options
        )
    write_report(scores, videos, out_dir, analyses=found)
    lines = [line for section in found for line in section.lines]
    print(*summary_lines(scores), *lines, sep="\n")
    print(f"report: {Path(out_dir) / 'report.html'}")
    return scores


def _scores(checkpoints, folders, videos, out_dir, *, together) -> list[TrackerScores]:
    """Tracks with the checkpoints; scores them and the folders of results."""
    truth = compare.truth_xywh(videos)
    # Files first: what is wrong with them shows at once.
    others = [compare.score_folder(n, folder, truth) for n, folder in folders.items()]
    scores = []
    for name, checkpoint in checkpoints.items():
        from jaxtrack.evaluation import runner  # Late: scoring files needs no network.

        folder = runner.run(checkpoint, videos, out_dir, name=name, together=together)
        scores.append(compare.score_folder(name, folder, truth))
    return scores + others
