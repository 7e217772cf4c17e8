"""Parses `NAME=DIR`, `FIELD=VALUE` and the options that name sequences."""

import argparse
import ast
import math
import sys
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from jaxtrack import datasets, shares
from jaxtrack.datasets import Benchmark, files
from jaxtrack.errors import InputError
from jaxtrack.evaluation import results
from jaxtrack.evaluation.analysis.options import WINDOWS


def load_sequences(
    args: argparse.Namespace, *, allow_missing: bool = False
) -> Benchmark:
    """Reads the sequences of plain folders or of a benchmark.

    Args:
      args: with what `options.add_sequences` and `options.add_strict` define.
      allow_missing: whether sequences of the benchmark may be missing.

    Raises:
      InputError: none or both are named, or the folder is not as expected.
    """
    if bool(args.sequences) == bool(args.benchmark):
        wrong = "two sources" if args.sequences else "no source"
        raise InputError(
            f"{wrong} of sequences: name a folder by --sequences=DIR, or a benchmark "
            f"by --benchmark=NAME --root=DIR, of {', '.join(datasets.DATASETS)}"
        )
    if args.benchmark and not args.root:
        raise InputError(
            f"--benchmark={args.benchmark}: --root is missing: name the folder it is in"
        )
    return datasets.load(
        args.benchmark or "folders",
        args.root or args.sequences,
        sequences=chosen_names(args),
        split=args.split or None,
        allow_missing=allow_missing,
        strict=args.strict,
    )


def share_of(args: argparse.Namespace) -> shares.Share:
    """Returns the share of this process; warns where its locks may be hidden.

    Args:
      args: with `--out` and the options of `options.add_processes`.

    Raises:
      InputError: see `shares.of_process`.
    """
    share = shares.of_process(
        is_detected=args.distributed, count=args.num_processes, number=args.process_id
    )
    if share.count > 1 and (warning := shares.warning_of_locks(args.out)):
        print(warning, file=sys.stderr, flush=True)
    return share


def chosen_names(args: argparse.Namespace) -> tuple[str, ...]:
    """Returns the names and patterns of `--pattern` and `--only`.

    Args:
      args: with the options of `options.add_sequences`.

    Raises:
      InputError: the list cannot be read, or is empty.
    """
    if not args.only:
        return tuple(args.pattern)
    if not Path(args.only).is_file():
        raise InputError(
            f"--only={args.only}: no such file; expected one with a name a line"
        )
    return (*args.pattern, *files.read_names(Path(args.only)))


def parse_results(entries: Sequence[str]) -> dict[str, Path]:
    """Reads `--results=NAME=DIR`.

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
            raise InputError(f"--results={entry}: give NAME=DIR, such as KCF=out/KCF")
        if name in folders:
            raise InputError(f"--results={entry}: {name!r} is given twice")
        folders[name] = Path(folder)
    return folders


def parse_checkpoints(
    entries: Sequence[str], *, model: str = ""
) -> dict[str, str | PathLike]:
    """Reads `--checkpoint=DIR` or `--checkpoint=NAME=DIR`.

    Args:
      entries: as typed. One with a separator before its first "=", or that exists as a
        whole, is a folder without a name.
      model: config of those that are files of weights only.

    Returns:
      Name of a tracker -> its checkpoint, in the order given.

    Raises:
      InputError: a part is missing, or a name is there twice.
    """
    checkpoints = {}
    for entry in entries:
        name, separator, folder = entry.partition("=")
        if not separator or Path(entry).exists() or Path(name).name != name:
            name, folder = results.tracker_name(entry), entry
        if not (name and folder):
            raise InputError(f"--checkpoint={entry}: give DIR or NAME=DIR")
        if name in checkpoints:
            raise InputError(
                f"--checkpoint={folder}: {name!r} is given twice: write "
                "--checkpoint=NAME=DIR with another name"
            )
        checkpoints[name] = folder
    return _with_model(checkpoints, model) if model else checkpoints


def _with_model(checkpoints, model):
    """Adds the network's config to checkpoints that are files of weights only."""
    from jaxtrack.training import inference  # Late: it imports jax.

    foreign = {n for n, c in checkpoints.items() if not inference.has_settings(c)}
    if not foreign:
        raise InputError(
            f"--model={model}: it is for a file of weights without settings, and no "
            "--checkpoint is one; leave it out"
        )
    return {
        name: inference.with_model(source, model) if name in foreign else source
        for name, source in checkpoints.items()
    }


def parse_settings(entries: Sequence[str]) -> dict[str, Any]:
    """Reads `--set=FIELD=VALUE`.

    Args:
      entries: as typed; values as Python writes them, text without quotes too.

    Returns:
      Field -> value.

    Raises:
      InputError: not of that form.
    """
    return dict(map(_parse_setting, entries))


def _parse_setting(entry: str) -> tuple[str, Any]:
    """Reads one `FIELD=VALUE`."""
    name, separator, text = entry.partition("=")
    if not (name and separator and text):
        raise InputError(
            f"--set={entry}: give FIELD=VALUE, such as --set=tracking.window=0.3"
        )
    try:
        return name, ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return name, text


def parse_windows(texts: Sequence[str], *, is_asked: bool) -> tuple[float, ...]:
    """Reads the window weights of a sweep.

    Args:
      texts: as typed; giving any starts a sweep.
      is_asked: whether to sweep over 0, 0.1, ..., 0.9 if none are given.

    Returns:
      Ascending, each once; empty if no sweep is wanted.

    Raises:
      InputError: one is no number in [0, 1].
    """
    found = set()
    for text in texts:
        try:
            window = float(text)
        except ValueError:
            window = math.nan
        if not 0 <= window <= 1:
            raise InputError(f"--windows={text}: give numbers from 0 to 1")
        found.add(abs(window))  # Turns -0.0 into 0.0.
    return tuple(sorted(found)) or (WINDOWS if is_asked else ())
