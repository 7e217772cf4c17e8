"""Lists the contents of a file of weights, and the networks that it fits."""

import argparse
import json
from typing import Any

import jax
import numpy as np

from jaxtrack import configs, trackers
from jaxtrack.errors import InputError
from jaxtrack.training import inference
from jaxtrack.weights import files, foreign, torch
from jaxtrack.weights.files import WeightFile
from jaxtrack.weights.matching import Match


def inspect(args: argparse.Namespace) -> list[str]:
    """Describes what a file or a checkpoint holds.

    Args:
      args: of `weights inspect`.

    Returns:
      Lines.

    Raises:
      InputError: if there is nothing, it is damaged, or no network is called so.
    """
    if inference.has_settings(args.path):
        if args.model or args.fits:
            raise InputError(
                f"{args.path} has its own settings: leave out --model and --fits"
            )
        loaded = inference.load_for_inference(args.path)
        leaves = jax.tree.leaves_with_path(loaded.variables)
        name = jax.tree_util.keystr
        arrays = {name(p, simple=True, separator="/"): a for p, a in leaves}
        notes = [f"network: {trackers.describe(loaded.config)}, step {loaded.step}"]
        if loaded.provenance:
            notes += [f"comes from: {json.dumps(loaded.provenance)}"]
        return [*listing(arrays), *notes]
    content = files.read_all(args.path.split(","))
    if args.model:
        part, fit = compare(args.model, content.arrays)
        return [
            *fit.lines(),
            f"compared with {part} of {args.model}",
            *notes_on(content),
        ]
    if args.fits:
        return [*fits(content.arrays), *notes_on(content)]
    return [*listing(content.arrays), *notes_on(content)]


def listing(arrays: dict[str, np.ndarray]) -> list[str]:
    """Lists the arrays, a line each, and their sum.

    Args:
      arrays: by name.
    """
    rows = [(n, f"{a.dtype}", f"{list(a.shape)}") for n, a in arrays.items()]
    wide = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
    lines = [f"{n:<{wide[0]}}  {t:<{wide[1]}}  {shape}" for n, t, shape in rows]
    count = sum(array.size for array in arrays.values())
    size = sum(array.nbytes for array in arrays.values()) / 1e6
    return [*lines, f"{len(arrays)} arrays, {count:,} numbers, {size:.1f} MB"]


def notes_on(file: WeightFile) -> list[str]:
    """Describes a file, and what of it was left out.

    Args:
      file: what was read.
    """
    weights = file.weights
    form = f"form: {file.form}"
    form += f', under "{weights.wrapper}"' if weights.wrapper else ""
    form += f', "{weights.prefix}" taken off' if weights.prefix else ""
    notes = [form]
    if weights.counters:
        notes.append(f"left out: {weights.counters} num_batches_tracked")
    if weights.beside:
        notes.append(f"beside the weights: {files.listed(list(weights.beside))}")
    if file.inert:
        names = files.listed(list(file.inert))
        notes.append(f"not looked up, no code was run: {names}")
    return notes


def compare(model: str, arrays: dict[str, Any]) -> tuple[str, Match]:
    """Compares arrays with a tracker, or with its backbone where they are one.

    Args:
      model: the tracker's config.
      arrays: by name.

    Returns:
      What they were compared with, in words, and how each name fares.

    Raises:
      InputError: there is no such config, or it has no names for weights.
    """
    config = configs.load(model)
    names, shapes = foreign.names_of(config), foreign.shapes_of(config)
    arrays = foreign.adapted(config, shapes, arrays)
    if any(key.startswith(names.backbone) for key in arrays):
        return "the whole tracker", torch.match(names, shapes, arrays)
    return "the backbone", torch.match_backbone(names, shapes, arrays)


def fits(arrays: dict[str, Any]) -> list[str]:
    """Names the networks that arrays fit.

    Args:
      arrays: by name.

    Returns:
      A line for each network whose tracker or backbone they fit; if there is none, for
      the three that they fit best.
    """
    networks = _networks()
    matches = {model: compare(model, arrays) for model in networks}
    ranked = sorted(matches, key=lambda model: -_share(matches[model][1]))
    shown = [model for model in matches if matches[model][1].is_whole]
    shown = shown or [model for model in ranked[:3] if matches[model][1].fitting]
    lines = []
    for model in shown:
        part, fit = matches[model]
        line = f"--model={model}: {len(fit.fitting)} arrays fit {part}"
        line += "" if fit.is_whole else f"; {fit.faults(most=3)}"
        lines.append(line + "".join(f"\n  or {other}" for other in networks[model]))
    return lines or ["fits no network that is here"]


def _networks():
    """Groups configs by their networks: one's name -> names of those alike."""
    groups: dict[str, list[str]] = {}
    for name in sorted(configs.names(), key=len):
        if "/" not in name and name != "demo":
            model = configs.load(name).model.to_dict()
            model |= {"pretrained": "", "preprocessing": {}}
            groups.setdefault(json.dumps(model), []).append(name)
    return {first: others for first, *others in groups.values()}


def _share(fit):
    """The share of names, of both sides, that fit."""
    every = len(fit.fitting) + len(fit.missing) + len(fit.unexpected)
    return len(fit.fitting) / max(every + len(fit.misshapen), 1)
