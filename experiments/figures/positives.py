"""Count the positives that dynamic labels give: SiamDLA's Fig. 9, on one's own data.

Labels the boxes that a training with these settings would see (nothing is downloaded:
by default scenes are composed) for several K, and for each rule of what to do where no
anchor reaches the threshold, beside the fixed labels of the config that dla_* extends.
Writes positives.md, positives.json and positives.png.

Example:
  python -m experiments.figures.positives --config=dla_siamcar_r50 --out=runs/positives
"""

import argparse
import functools
import json
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from ml_collections import ConfigDict

from experiments import tables
from experiments.figures import positive_counts as counting
from experiments.figures.positive_counts import RULES
from jaxtrack import cli, configs, trackers
from jaxtrack import config as config_lib
from jaxtrack.cli import options, overrides
from jaxtrack.errors import InputError
from jaxtrack.evaluation import atomic
from jaxtrack.report.plots.style import color_of, plain, png_of

_WORDS = {
    "clamp": "clamp: all as good as the best",
    "argmax": "argmax: the single best",
    "skip": "skip: none",
}
# What the paper reports: P from 3 to 4, and that K from 7 to 19 hardly matters.
PAPER_POSITIVES, PAPER_POINTS = (3.0, 4.0), (7, 19)
POINTS = tuple(range(3, 26, 2))
STREAM_POINTS = (5, 11, 17, 23)  # Of Fig. 9b.
_DLA = "dla_"  # What the names of configs with dynamic labels begin with.
_MARKERS = ("o", "s", "^", "D")


class Fixed(NamedTuple):
    """Settings with fixed labels, and what they are called."""

    name: str
    config: ConfigDict


def find_fixed(path: str | pathlib.Path, config: ConfigDict) -> Fixed | None:
    """Finds the fixed labels that dynamic ones replace: dla_NAME.py extends NAME.py.

    Args:
      path: the config file.
      config: its settings, which are returned where their own labels are fixed.
    """
    path = pathlib.Path(path)
    base = path.with_name(path.name.removeprefix(_DLA))
    if config.labels.assigner != "dla":
        return Fixed(path.stem, config)
    if base == path or not base.is_file():
        return None
    return Fixed(base.stem, configs.load(base))


def read_log(workdir: pathlib.Path, num_parts: int) -> list[float]:
    """Reads the positives of a pair that a training has logged in `workdir`.

    Returns:
      The mean of each of `num_parts` equal parts of the log.

    Raises:
      InputError: no log is there, or too short a one.
    """
    path = workdir / "log.jsonl"
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        values = [line["positives"] for line in lines if "positives" in line]
    except (OSError, ValueError, TypeError) as fault:
        raise InputError(
            f"--log: {path} cannot be read ({fault}): name the workdir of a training"
        ) from None
    if len(values) < num_parts:
        raise InputError(
            f"--log: {path} has {len(values)} lines with positives: set --epochs to no "
            f"more (it is {num_parts})"
        )
    return [float(np.mean(part)) for part in np.array_split(values, num_parts)]


def measure(
    config: ConfigDict,
    name: str,
    *,
    num_pairs: int = 4000,
    points: Sequence[int] = POINTS,
    num_parts: int = 20,
    fixed: Fixed | None = None,
    log: pathlib.Path | None = None,
) -> dict[str, Any]:
    """Draws boxes, labels them and sums up.

    Args:
      config: settings of the data, the network and the labels.
      name: what the settings are called.
      num_pairs: pairs to draw.
      points: values of K.
      num_parts: parts of the stream, the paper's epochs.
      fixed: settings with fixed labels.
      log: folder of a training with these settings, whose log is drawn too.

    Returns:
      What `positives.json` holds: "points": K -> rule -> `Estimate` of the positives
      of an image, and "empty", the share of images without any if there is no rule;
      "stream": K -> see `positive_counts.over_stream`, with the config's rule; "fixed"
      and "log" likewise or None; and what it was counted on.

    Raises:
      InputError: something the user gave cannot be used.
    """
    model = trackers.network_of(config, training=True)
    _check(config, model, points, fixed)
    if not 1 <= num_parts <= num_pairs:
        raise InputError(f"--epochs={num_parts}: parts must be 1 to {num_pairs}, pairs")
    logged = log and read_log(log, num_parts)  # Before anything that takes long.
    xyxy = counting.draw_boxes(config, num_pairs=num_pairs)
    if len(xyxy) < num_parts:
        raise InputError(
            f"{len(xyxy)} images with the target do not fill {num_parts} parts: "
            "raise --pairs or lower --epochs"
        )
    all_points = sorted({*points, *STREAM_POINTS})
    counts = counting.count_dynamic(config, model, xyxy, all_points)
    rule = RULES.index(config.labels.dla_empty)
    follow = functools.partial(counting.over_stream, num_parts=num_parts)
    if logged:  # Of all pairs; here, per image that shows the target.
        logged = [mean * num_pairs / len(xyxy) for mean in logged]
    return {
        "config": name,
        "seed": config.run.seed,
        "num_pairs": num_pairs,
        "num_images": len(xyxy),
        "anchors": _anchors(config, model),
        "rule": config.labels.dla_empty,
        "points": {str(k): _row(counts[k]) for k in points},
        "stream": {str(k): follow(counts[k][rule]) for k in STREAM_POINTS},
        "fixed": fixed and _fixed(fixed, model, xyxy, num_parts),
        "log": logged and {"name": str(log), "positives": logged},
    }


def _row(counts):
    """Sums up the counts `[3, N]` of one K."""
    rules = dict(zip(RULES, map(counting.estimate, counts), strict=True))
    return {**rules, "empty": float(np.mean(counts[RULES.index("skip")] == 0))}


def _fixed(fixed, model, xyxy, num_parts):
    """Counts and sums up the fixed labels."""
    counts = counting.count_fixed(fixed.config, model, xyxy)
    return {
        "config": fixed.name,
        "assigner": fixed.config.labels.assigner,
        "positives": counting.estimate(counts),
        "empty": float(np.mean(counts == 0)),
        **counting.over_stream(counts, num_parts),
    }


def _anchors(config, model):
    """Describes what is labeled."""
    side, num = model.geometry.response_size, len(model.anchors)
    one = f"a virtual anchor of {config.labels.virtual_anchor:g} px"
    return f"{side} x {side} cells with {f'{num} anchors' if num else one}"


def _check(config, model, points, fixed):
    """Rejects settings that cannot be counted."""
    config_lib.check(config)
    most = model.geometry.response_size**2
    if not points or min(points) < 2 or max(points) > most:
        raise InputError(f"--points: K must lie in 2 to {most}, the network's cells")
    if list(points) != sorted(set(points)):
        raise InputError("--points: K must rise from one to the next")
    own = trackers.describe(config)
    if fixed and (other := trackers.describe(fixed.config)) != own:
        raise InputError(f"--baseline: it is of {other}, not of {own} as --config is")


def markdown(result: Mapping[str, Any]) -> str:
    """Returns the counts of positive labels as Markdown.

    Args:
      result: see `measure`.
    """
    base, rule = result["fixed"], result["rule"]
    low, high = PAPER_POSITIVES
    first, last = PAPER_POINTS
    reported = [k for k in result["points"] if first <= int(k) <= last]
    within = [k for k in reported if low <= result["points"][k][rule][0] <= high]
    rows = [
        [k, *(_number(row[rule]) for rule in RULES), f"{row['empty']:.1%}"]
        for k, row in result["points"].items()
    ]
    lines = {f"K = {k}": one for k, one in result["stream"].items()}
    if base:
        lines[base["config"]] = base
    stream = [
        [
            name,
            _number(min(one["parts"])),
            _number(max(one["parts"])),
            f"{one['spread']:.3f}",
            f"{one['expected']:.3f}",
        ]
        for name, one in lines.items()
    ]
    fixed = base and (
        f"The fixed labels of {base['config']} ({base['assigner']}): "
        f"{_number(base['positives'])}, {base['empty']:.1%} of the images have none.\n"
    )
    return "\n".join(
        [
            f"# Positives of dynamic labels: {result['config']}\n",
            f"{result['num_pairs']} pairs of seed {result['seed']}, of which "
            f"{result['num_images']} show the target; {result['anchors']}. Mean number "
            "of positives of an image ± its standard error, by K and by the rule for "
            "images in which no anchor reaches the threshold.\n",
            tables.table(["K", *RULES, "empty without a rule"], rows),
            *([fixed] if fixed else []),
            f"For DLA-SiamCAR, the paper reports P from {low:g} to {high:g} and calls "
            f"K from {first} to {last} equivalent. With {rule}, P is in that range at "
            f"K = {', '.join(within) or 'none of them'} "
            f"(counted there: {', '.join(reported) or 'none'}).\n",
            f"## Along the stream, {rule}\n",
            "Labels do not depend on the network, only on the box: training cannot "
            "move P, only the data can. The last column is the spread that chance "
            "alone would give.\n",
            tables.table(
                ["", "smallest part", "largest part", "spread", "by chance"], stream
            ),
        ]
    )


def _number(pair):
    return tables.with_spread(*pair, form=".2f")


def positives_plot(result: Mapping[str, Any]) -> bytes:
    """Draws the mean number of positives P of an image, by K and along the stream.

    Args:
      result: see `measure`.

    Returns:
      A PNG file's bytes.
    """
    figure = Figure(figsize=(10.4, 4.3), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _by_points(left, result)
    _over_stream(right, result)
    text = (
        f"{result['config']}: {result['num_images']} images of seed {result['seed']}, "
    )
    text += f"{result['anchors']}; bands: one standard error"
    figure.suptitle(plain(text), fontsize=10, color="0.3")
    return png_of(figure)


def _by_points(axes, result):
    """Draws P against K, a line a rule, and what the paper reports."""
    low, high = PAPER_POSITIVES
    axes.fill_between(PAPER_POINTS, low, high, color="0.86", linewidth=0, zorder=0)
    style = {"fontsize": 8.5, "color": "0.3", "zorder": 4, "ha": "left", "va": "top"}
    axes.text(PAPER_POINTS[0] + 0.25, high - 0.06, "paper: 3 to 4", **style)
    points = [int(name) for name in result["points"]]
    for place, (rule, label) in enumerate(_WORDS.items()):
        rows = [row[rule] for row in result["points"].values()]
        _line(axes, points, rows, place, label)
    axes.set_xticks(points)
    axes.set_xlim(min(points) - 1, max(points) + 1)
    _finish(axes, "(a) by K", "K", least=high)
    title = "where no anchor reaches the threshold"
    axes.legend(loc="upper left", fontsize=8.5, title=title, title_fontsize=8.5)


def _over_stream(axes, result):
    """Draws P along the stream, a line a K, beside the fixed labels."""
    for place, (name, one) in enumerate(result["stream"].items()):
        _line(axes, _middles(one["parts"]), one["parts"], place, f"K = {name}")
    if base := result["fixed"]:
        label = plain(f"{base['config']}, {base['assigner']}")
        style = {"linestyle": "--", "marker": ""}
        _line(axes, _middles(base["parts"]), base["parts"], 6, label, **style)
    if log := result["log"]:
        rows = [(mean, 0.0) for mean in log["positives"]]
        style = {"linestyle": ":", "marker": "x"}
        _line(
            axes, _middles(rows), rows, 5, plain(f"{log['name']}, as logged"), **style
        )
    axes.set_xlim(0, len(next(iter(result["stream"].values()))["parts"]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _finish(axes, f"(b) along the stream, {result['rule']}", "parts of the stream seen")
    axes.legend(loc="upper center", fontsize=8.5, ncols=3)


def _middles(parts):
    """Returns where the parts' middles lie: part 1 goes from 0 to 1."""
    return [place + 0.5 for place in range(len(parts))]


def _line(axes, x, rows, place, label, **style):
    """Draws means with a band of one standard error to each side."""
    style = {"linewidth": 1.7, "markersize": 4.5, "zorder": 3, **style}
    style = {"color": color_of(place), "marker": _MARKERS[place % 4], **style}
    axes.plot(x, [mean for mean, _ in rows], label=label, **style)
    lows, highs = [m - e for m, e in rows], [m + e for m, e in rows]
    band = {"color": color_of(place), "alpha": 0.2, "linewidth": 0, "zorder": 2}
    axes.fill_between(x, lows, highs, **band)


def _finish(axes, title, xlabel, *, least=0.0):
    """Gives axes the style of all plots, and room for a legend."""
    axes.set_ylim(0, 1.3 * max(least, axes.dataLim.ymax))
    axes.set_title(title, fontsize=11, loc="left", fontweight="bold")
    axes.set_xlabel(xlabel)
    axes.set_ylabel("positives P of an image")
    axes.grid(color="0.92", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def write(out: str | pathlib.Path, result: Mapping[str, Any]) -> None:
    """Writes result, tables and the picture to a folder."""
    text, out = json.dumps(result, indent=1, allow_nan=False), pathlib.Path(out)
    atomic.write_text(out / "positives.json", text + "\n")
    atomic.write_text(out / "positives.md", markdown(result))
    atomic.write_bytes(out / "positives.png", positives_plot(result))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    add, count = options.add, options.count
    add(parser, "--config", "NAME", "name, or .py file", default="dla_siamcar_r50")
    add(parser, "--config.FIELD", "VALUE", "change one setting")
    add(parser, "--out", "DIR", "for everything written", default="runs/positives")
    add(parser, "--pairs", "N", "pairs to draw", type=count, default=4000)
    add(parser, "--epochs", "N", "parts of the stream", type=count, default=20)
    points = {"type": _points, "default": POINTS}
    add(parser, "--points", "K,K", "values of K", **points)
    meaning = "config with fixed labels; if not given, the one that dla_* extends"
    add(parser, "--baseline", "NAME", meaning)
    meaning = "workdir of a training with this config, whose log is drawn too"
    add(parser, "--log", "DIR", meaning, type=pathlib.Path, default=None)


def _points(text: str) -> tuple[int, ...]:
    """Reads numbers between commas."""
    return tuple(map(options.count, options.comma_separated(text)))


def run(args: argparse.Namespace) -> None:
    """Counts, writes and prints."""
    config, path = configs.load(args.config), configs.find(args.config)
    overrides.apply(config, args.overrides)
    fixed = find_fixed(path, config)
    if args.baseline:
        fixed = Fixed(configs.find(args.baseline).stem, configs.load(args.baseline))
    result = measure(
        config,
        path.stem,
        num_pairs=args.pairs,
        points=args.points,
        num_parts=args.epochs,
        fixed=fixed,
        log=args.log,
    )
    write(args.out, result)
    print(markdown(result))
    print(f"written: {args.out}/positives.md, .json and .png")


if __name__ == "__main__":
    cli.run_command(sys.modules[__name__], sys.argv[1:], prog="positives")
