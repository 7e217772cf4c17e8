"""How many positives do dynamic labels give? SiamDLA's Fig. 9, on one's own data.

Run: python -m experiments.figures.positives --config=configs/dla_siamcar_r50.py \
         --out=runs/positives
Labels the boxes that a training with these settings would see (nothing is downloaded:
by default scenes are composed) for several K, and for each rule of what to do where no
anchor reaches the threshold, beside the fixed labels of the config that dla_* extends.
Writes positives.md, positives.json and positives.png.
"""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from absl import flags
from flax import linen as nn
from ml_collections import ConfigDict, config_flags

from experiments import settings
from experiments.figures import positive_counts, positives_plot, positives_table
from jaxtrack import cli, models
from jaxtrack import config as config_lib
from jaxtrack.errors import InputError
from jaxtrack.evaluation import results

_DLA = "dla_"  # What the names of configs with dynamic labels begin with.
_POINTS = tuple(range(3, 26, 2))
_STREAM_POINTS = (5, 11, 17, 23)  # Of Fig. 9b.


class Recipe(NamedTuple):
    """What is to be counted.

    Attributes:
      config: settings of the data, the network and the labels.
      name: what the settings are called.
      num_pairs: pairs to draw.
      points: values of K.
      num_parts: parts of the stream, the paper's epochs.
      baseline: settings with fixed labels, or None.
      baseline_name: what they are called.
      log: folder of a training with these settings, whose log is drawn too, or None.
    """

    config: ConfigDict
    name: str
    num_pairs: int = 4000
    points: Sequence[int] = _POINTS
    num_parts: int = 20
    baseline: ConfigDict | None = None
    baseline_name: str = ""
    log: pathlib.Path | None = None


def find_baseline(
    path: str | pathlib.Path, config: ConfigDict
) -> tuple[ConfigDict | None, str]:
    """Finds the fixed labels that the dynamic ones replace.

    Args:
      path: the config file; `configs/dla_NAME.py` extends `configs/NAME.py`.
      config: its settings.

    Returns:
      Settings and their name; the settings themselves where their labels are fixed,
      None where there is no such file.

    Raises:
      InputError: the file cannot be used.
    """
    path = pathlib.Path(path)
    base = path.with_name(path.name.removeprefix(_DLA))
    if config.assigner != "dla":
        return config, path.stem
    if base == path or not base.is_file():
        return None, ""
    return settings.load(base), base.stem


def read_log(workdir: pathlib.Path, num_parts: int) -> list[float]:
    """Reads the positives of a pair that a training has logged.

    Args:
      workdir: folder of the training, with `log.jsonl`.
      num_parts: parts of the training, of equally many lines.

    Returns:
      The mean of every part.

    Raises:
      InputError: no log is there, or too short a one.
    """
    path = workdir / "log.jsonl"
    if not path.is_file():
        raise InputError(f"--log: no file {path}: name the workdir of a training")
    try:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        values = [line["positives"] for line in lines if "positives" in line]
    except (json.JSONDecodeError, TypeError) as fault:
        raise InputError(f"--log: {path} is damaged: {fault}") from None
    if len(values) < num_parts:
        raise InputError(
            f"--log: {path} has {len(values)} lines with positives: set --epochs to no "
            f"more (it is {num_parts})"
        )
    return [float(np.mean(part)) for part in np.array_split(values, num_parts)]


def run(recipe: Recipe) -> dict[str, Any]:
    """Draws boxes, labels them and sums up.

    Args:
      recipe: what to count.

    Returns:
      What `positives.json` holds: "points": K -> rule -> mean and standard error of
      the positives of an image, and "empty", the share of images without any if there
      is no rule; "stream": K -> see `positive_counts.over_stream`, with the config's
      rule; "baseline" and "log" likewise or None; and what it was counted on.

    Raises:
      InputError: something the user gave cannot be used.
    """
    model = models.from_config(recipe.config, training=True)
    _check(recipe, model)
    # Before anything that takes long.
    logged = None if recipe.log is None else read_log(recipe.log, recipe.num_parts)
    xyxy = positive_counts.draw_boxes(recipe.config, num_pairs=recipe.num_pairs)
    if len(xyxy) < recipe.num_parts:
        raise InputError(
            f"{len(xyxy)} images with the target do not fill {recipe.num_parts} parts: "
            "raise --pairs or lower --epochs"
        )
    wanted = sorted({*recipe.points, *_STREAM_POINTS})
    counts = positive_counts.count_dynamic(recipe.config, model, xyxy, wanted)
    chosen = positive_counts.RULES.index(recipe.config.dla_empty)
    side = model.geometry.response_size
    return {
        "config": recipe.name,
        "seed": recipe.config.seed,
        "num_pairs": recipe.num_pairs,
        "num_images": len(xyxy),
        "anchors": f"{side} x {side} cells with {_anchors(recipe.config, model)}",
        "rule": recipe.config.dla_empty,
        "points": {str(k): _row(counts[k]) for k in recipe.points},
        "stream": {
            str(k): positive_counts.over_stream(counts[k][chosen], recipe.num_parts)
            for k in _STREAM_POINTS
        },
        "baseline": _baseline(recipe, model, xyxy),
        "log": logged and _log(recipe, logged, len(xyxy) / recipe.num_pairs),
    }


def write(out: str | pathlib.Path, found: Mapping[str, Any]) -> None:
    """Writes the three files.

    Args:
      out: folder.
      found: as `run` returns it.

    Raises:
      InputError: the folder cannot be written to.
    """
    out = pathlib.Path(out)
    text = json.dumps(found, indent=1, allow_nan=False)
    results.write_text(out / "positives.json", text + "\n")
    results.write_text(out / "positives.md", positives_table.markdown(found))
    results.write_bytes(out / "positives.png", positives_plot.positives_plot(found))


def _check(recipe: Recipe, model: nn.Module) -> None:
    """Refuses what cannot be counted."""
    config_lib.check(recipe.config)
    most = model.geometry.response_size**2
    points = recipe.points
    if not points or min(points) < 2 or max(points) > most:
        raise InputError(f"--points: K must lie in 2 to {most}, the network's cells")
    if list(points) != sorted(set(points)):
        raise InputError("--points: K must rise from one to the next")
    if not 1 <= recipe.num_parts <= recipe.num_pairs:
        raise InputError(
            f"--epochs={recipe.num_parts}: parts of the stream must be 1 to "
            f"{recipe.num_pairs}, its pairs"
        )
    own, base = recipe.config.model, recipe.baseline
    if base is not None and base.model != own:
        raise InputError(
            f"--baseline: it is of {base.model}, not of {own} as --config is"
        )


def _anchors(config, model):
    """Says what is labelled."""
    if model.anchors:
        return f"{len(model.anchors)} anchors"
    return f"a virtual anchor of {config.virtual_anchor:g} px"


def _row(counts):
    """Sums up the counts `[3, N]` of one K."""
    rules = dict(zip(positive_counts.RULES, counts, strict=True))
    means = {rule: positive_counts.estimate(one) for rule, one in rules.items()}
    return {**means, "empty": float(np.mean(rules["skip"] == 0))}


def _baseline(recipe, model, xyxy):
    """Counts and sums up the fixed labels."""
    if recipe.baseline is None:
        return None
    counts = positive_counts.count_fixed(recipe.baseline, model, xyxy)
    return {
        "config": recipe.baseline_name,
        "assigner": recipe.baseline.assigner,
        "positives": positive_counts.estimate(counts),
        "empty": float(np.mean(counts == 0)),
        **positive_counts.over_stream(counts, recipe.num_parts),
    }


def _log(recipe, logged, share):
    """Tells the logged numbers, which are of all pairs, per image with the target."""
    return {"name": str(recipe.log), "positives": [mean / share for mean in logged]}


def _define_flags() -> None:
    cli.define_config("configs/dla_siamcar_r50.py")
    flags.DEFINE_string("out", "runs/positives", "Everything is written here.")
    flags.DEFINE_integer("pairs", 4000, "Pairs to draw.", lower_bound=1)
    flags.DEFINE_list("points", [str(k) for k in _POINTS], "Values of K.")
    flags.DEFINE_integer("epochs", 20, "Parts of the stream.", lower_bound=1)
    flags.DEFINE_string(
        "baseline", None, "Config with fixed labels; else the one that dla_* extends."
    )
    flags.DEFINE_string("log", None, "Workdir of a training with this config.")


def _main() -> None:
    given = flags.FLAGS
    path = config_flags.get_config_filename(given["config"])
    if given.baseline:
        name = pathlib.Path(given.baseline).stem
        baseline = settings.load(given.baseline), name
    else:
        baseline = find_baseline(path, given.config)
    try:
        points = tuple(int(word) for word in given.points)
    except ValueError:
        raise InputError(f"--points={','.join(given.points)}: not numbers") from None
    recipe = Recipe(
        config=given.config,
        name=pathlib.Path(path).stem,
        num_pairs=given.pairs,
        points=points,
        num_parts=given.epochs,
        baseline=baseline[0],
        baseline_name=baseline[1],
        log=pathlib.Path(given.log) if given.log else None,
    )
    found = run(recipe)
    write(given.out, found)
    print(positives_table.markdown(found))
    print(f"written: {pathlib.Path(given.out) / 'positives.md'}, .json and .png")


if __name__ == "__main__":
    _define_flags()
    cli.run(_main)
