"""Look into files of weights, make checkpoints of them, and files of checkpoints.

Examples:
  jaxtrack weights card lite
  jaxtrack weights inspect siamcar.pth
  jaxtrack weights import siamcar.pth --config=siamcar_r50 --out=runs/siamcar
  jaxtrack weights export runs/lite0 --out=mine.safetensors --set=tracking.window=0.3
"""

import argparse
import pathlib

import numpy as np
from ml_collections import ConfigDict

from jaxtrack import configs, trackers
from jaxtrack.cli import arguments, options, overrides
from jaxtrack.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    action = actions.add_parser("card", help="print a shipped tracker's model card")
    meaning = "such as lite; without it the shipped trackers are listed"
    action.add_argument("name", nargs="?", default="", help=meaning)
    action = actions.add_parser("inspect", help="list names, shapes and types")
    meaning = f"a file of torch.save, an .npz, or {options.TRACKER}"
    action.add_argument("path", help=meaning)
    meaning = "make a checkpoint of a tracker that was trained elsewhere"
    action = actions.add_parser("import", help=meaning)
    meaning = "file of a whole tracker: of torch.save, or an .npz"
    action.add_argument("path", help=meaning)
    meaning = "settings of the tracker, by name or as the path of a .py file; "
    meaning += "--config.FIELD=VALUE changes one"
    options.add(action, "--config", "NAME", meaning, required=True)
    options.add(action, "--out", "DIR", "folder to make", required=True)
    action = actions.add_parser("export", help="write a tracker into one file")
    action.add_argument("path", help=options.TRACKER)
    options.add(action, "--out", "FILE", "a .safetensors to write", required=True)
    kinds = ("float16", "float24", "float32")
    options.add(
        action, "--dtype", "", "of the parameters", default="float24", choices=kinds
    )
    options.add_tracking(action)
    meaning = "with the settings of a tuned.json that `jaxtrack tune` wrote"
    options.add(action, "--tuned", "FILE", meaning)
    for action in actions.choices.values():
        action.error = parser.error  # In one line.


def run(args: argparse.Namespace) -> None:
    """Prints, inspects, imports or exports."""
    if args.action == "card":
        from jaxtrack.weights import shipped

        print(shipped.card(args.name) if args.name else shipped.listing(), end="")
        return
    if args.action == "export":
        print(export_tracker(args))
        return
    if args.action == "inspect":
        print(*listing(arrays_in(args.path)), sep="\n")
        return
    config = configs.load(args.config)
    overrides.apply(config, args.overrides)
    import_tracker(args.path, config, args.out)
    print(f"{args.out}: a checkpoint of {trackers.describe(config)}, to track with")


def arrays_in(path: str | pathlib.Path) -> dict[str, np.ndarray]:
    """Reads the arrays of a file or of a checkpoint.

    Args:
      path: a file of `torch.save`, an `.npz`, or what
        `training.inference.load_for_inference` takes.

    Returns:
      Arrays by name, in the file's order.

    Raises:
      InputError: if there is nothing, or it is damaged.
    """
    from jaxtrack import weights
    from jaxtrack.weights import shipped

    if str(path) in shipped.SHIPPED:
        path = shipped.path(str(path))
    if not pathlib.Path(path).is_dir():
        return weights.read(path).arrays
    import jax

    from jaxtrack.training import inference

    variables = inference.load_for_inference(path).variables
    leaves = jax.tree.leaves_with_path(variables)
    return {jax.tree_util.keystr(p, simple=True, separator="."): a for p, a in leaves}


def listing(arrays: dict[str, np.ndarray]) -> list[str]:
    """Words what arrays are there, a line each and the sum.

    Args:
      arrays: by name.
    """
    rows = [(n, f"{a.dtype}", f"{list(a.shape)}") for n, a in arrays.items()]
    wide = [max((len(row[i]) for row in rows), default=0) for i in (0, 1)]
    lines = [f"{n:<{wide[0]}}  {t:<{wide[1]}}  {shape}" for n, t, shape in rows]
    count = sum(array.size for array in arrays.values())
    size = sum(array.nbytes for array in arrays.values()) / 1e6
    return [*lines, f"{len(arrays)} arrays, {count:,} numbers, {size:.1f} MB"]


def import_tracker(
    path: str | pathlib.Path, config: ConfigDict, out: str | pathlib.Path
) -> None:
    """Makes a checkpoint, to track with, of a tracker's weights.

    Args:
      path: file of the whole tracker's arrays by name, see `weights.import_state_dict`.
      config: settings of the tracker.
      out: the folder to make; a training cannot be resumed from it.

    Raises:
      InputError: if the arrays are not the tracker's, or the folder is there.
    """
    if pathlib.Path(out).exists():
        raise InputError(f"{out}: is there already; name another folder")
    import optax

    from jaxtrack import weights
    from jaxtrack.training import checkpoint, state

    config = trackers.with_preprocessing(config)
    variables = weights.import_state_dict(config, weights.read(path).arrays)
    made = state.create(variables, optax.sgd(0.0), keep_ema=False)
    with checkpoint.CheckpointStore(pathlib.Path(out).absolute()) as store:
        store.save(made, {}, config)


def export_tracker(args: argparse.Namespace) -> str:
    """Writes a tracker into one file.

    Args:
      args: of `export`.

    Returns:
      What was written, in words.

    Raises:
      InputError: if the tracker is missing or damaged, a setting is not one of
        tracking, or the file cannot be written.
    """
    from jaxtrack import config as config_lib
    from jaxtrack.evaluation import settings
    from jaxtrack.training import inference
    from jaxtrack.weights import bundle

    changes = arguments.parse_settings(args.set)
    chosen = settings.choose(preset=args.preset, tuned_file=args.tuned, changes=changes)
    loaded = inference.load_for_inference(args.path)
    config = trackers.with_preprocessing(loaded.config)
    config_lib.update(config, chosen.tracking, source=args.path)
    bundle.write(args.out, loaded._replace(config=config), dtype=args.dtype)
    size = pathlib.Path(args.out).stat().st_size / 1e6
    return f"{args.out}: {trackers.describe(config)}, {args.dtype}, {size:.1f} MB"
