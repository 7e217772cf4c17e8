"""Look into files of weights, make checkpoints of them, and files of checkpoints.

Examples:
  jaxtrack weights card lite
  jaxtrack weights inspect model.pth --fits
  jaxtrack weights import --model=siamcar_r50 --file=model.pth --out=runs/siamcar
  jaxtrack weights export runs/lite0 --out=mine.safetensors --set=tracking.window=0.3
  jaxtrack weights export runs/a runs/b --out=mean.safetensors
  jaxtrack weights export runs/siamcar --names=torch --out=siamcar_torch.safetensors
"""

import argparse
import pathlib

from ml_collections import ConfigDict

from jaxtrack import configs, trackers
from jaxtrack.cli import arguments, checks, options, overrides
from jaxtrack.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    action = actions.add_parser("card", help="print a shipped tracker's model card")
    meaning = "a shipped tracker, such as lite (default: list them)"
    action.add_argument("name", nargs="?", default="", help=meaning)
    meaning = "list names, shapes and types, or the networks that they fit"
    _add_inspect(actions.add_parser("inspect", help=meaning))
    meaning = "make a checkpoint of a tracker that was trained elsewhere"
    _add_import(actions.add_parser("import", help=meaning))
    _add_export(actions.add_parser("export", help="write a tracker into one file"))


def _add_inspect(action):
    """Defines the options of `inspect`."""
    meaning = (
        "a file of torch.save, .npz, .safetensors or .onnx, a shipped tracker, or "
    )
    action.add_argument(
        "path", metavar="PATH", help=meaning + "the workdir of a training"
    )
    meaning = "compare the names and shapes of this network with those of the file"
    options.add(action, "--model", "NAME", meaning)
    meaning = "name the networks that the file fits (half a minute)"
    options.add_flag(action, "--fits", meaning)


def _add_import(action):
    """Defines the options of `import`."""
    meaning = "config of the network, by name or as the path of a .py file; "
    meaning += "--config.FIELD=VALUE changes a setting"
    options.add(action, "--model", "NAME", meaning, required=True, dest="config")
    meaning = "file of the whole tracker: torch.save, .npz, .safetensors or .onnx; "
    meaning += "several files, such as backbone and head, are joined by commas"
    options.add(action, "--file", "FILE", meaning, required=True)
    options.add(
        action, "--out", "DIR", "folder to make; it must not exist", required=True
    )


def _add_export(action):
    """Defines the options of `export`."""
    meaning = (
        f"{options.TRACKER}; several that started from the same weights are averaged"
    )
    action.add_argument("path", nargs="+", metavar="PATH", help=meaning)
    options.add(action, "--out", "FILE", ".safetensors file to write", required=True)
    options.add_model(action)
    meaning = "names of the arrays: ours, with all settings, or the public code's"
    kinds = ("ours", "torch")
    options.add(action, "--names", "", meaning, default="ours", choices=kinds)
    meaning = "with --names=torch, write the backbone alone, as an ImageNet network"
    options.add_flag(action, "--backbone", meaning)
    meaning = "type of the parameters (default: float24 for ours, float32 for torch)"
    kinds = ("float16", "float24", "float32")
    options.add(action, "--dtype", "", meaning, choices=kinds)
    options.add_tracking(action)
    meaning = "store the settings of a tuned.json from `jaxtrack tune`"
    options.add(action, "--tuned", "FILE", meaning)


def run(args: argparse.Namespace) -> None:
    """Prints, inspects, imports or exports."""
    if args.action == "card":
        from jaxtrack.weights import shipped

        print(shipped.card(args.name) if args.name else shipped.listing(), end="")
    elif args.action == "export":
        print(export_tracker(args))
    elif args.action == "inspect":
        checks.check_tracker(args.path, model=args.model, option="PATH")
        from jaxtrack.cli import weights_inspect

        print(*weights_inspect.inspect(args), sep="\n")
    else:
        config = configs.load(args.config)
        overrides.apply(config, args.overrides)
        print(import_tracker(args.file.split(","), config, args.out))


def import_tracker(
    paths: list[str], config: ConfigDict, out: str | pathlib.Path
) -> str:
    """Makes a checkpoint, to track with or to start a training from, of weights.

    Args:
      paths: files of the whole tracker; see `weights.files.read`.
      config: settings of the tracker.
      out: the folder to make; a training cannot be resumed from it.

    Returns:
      What was made, in words.

    Raises:
      InputError: if the arrays are not the tracker's, or the folder is there.
    """
    checks.check_folder(str(out), is_new=True)
    for path in paths:
        if not pathlib.Path(path).is_file():
            raise InputError(f"--file={path}: no such file of weights")
    import optax

    from jaxtrack.training import checkpoint, state
    from jaxtrack.weights import foreign

    loaded = foreign.import_tracker(config, paths)
    made = state.create(loaded.variables, optax.sgd(0.0), keep_ema=False)
    with checkpoint.CheckpointStore(pathlib.Path(out).absolute()) as store:
        store.save(made, {}, loaded.config, provenance=loaded.provenance)
    pixels = loaded.config.model.preprocessing
    unknown = ", ".join(loaded.provenance["not_looked_up"])
    return (
        f"{out}: a checkpoint of {trackers.describe(config)}; its pixels are "
        f"{pixels.order}, mean {tuple(pixels.mean)}, scale {tuple(pixels.scale)}"
        + (f"; not looked up in the file: {unknown}" if unknown else "")
    )


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
    from jaxtrack.weights import averaging, bundle, foreign

    changes = arguments.parse_settings(args.set)
    if args.names == "torch" and (changes or args.preset or args.tuned):
        raise InputError("--names=torch: such a file has no settings: leave them out")
    if args.backbone and args.names != "torch":
        raise InputError("--backbone needs --names=torch")
    for path in args.path:
        checks.check_tracker(path, model=args.model, option="PATH")
    checks.check_file(args.out, suffix=".safetensors")
    chosen = settings.choose(preset=args.preset, tuned_file=args.tuned, changes=changes)
    loaded = averaging.mean(
        {
            path: inference.load_for_inference(inference.with_model(path, args.model))
            for path in args.path
        }
    )
    config = trackers.with_preprocessing(loaded.config)
    what = trackers.describe(config)
    if args.names == "torch":
        dtype = args.dtype or "float32"
        arrays = foreign.exported(config, loaded.variables, backbone=args.backbone)
        bundle.write_state_dict(args.out, arrays, dtype=dtype)
        what += ", the backbone" if args.backbone else ", PyTorch's names"
    else:
        dtype = args.dtype or "float24"
        config_lib.update(config, chosen.tracking, source=args.path[0])
        bundle.write(args.out, loaded._replace(config=config), dtype=dtype)
    size = pathlib.Path(args.out).stat().st_size / 1e6
    what += f", the mean of {len(args.path)}" if len(args.path) > 1 else ""
    return f"{args.out}: {what}, {dtype}, {size:.1f} MB"
