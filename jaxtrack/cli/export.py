"""Write a tracker for programs that do without this package.

Examples:
  jaxtrack export --checkpoint=lite --out=exported
  jaxtrack export --checkpoint=runs/lite0 --format=onnx --out=exported
  jaxtrack export --checkpoint=model.pth --model=siamcar_r50 --out=exported

stablehlo: the whole tracker, `init` and `step`, with its weights; needs only jax, on
CPU, CUDA or TPU. onnx: the two graphs of a Siamese tracker and the settings for the
code around them, for onnxruntime, OpenCV and the like. docs/deployment.md has a program
for each.
"""

import argparse
import os
import pathlib
import shutil
import tempfile

from jaxtrack.cli import checks, options
from jaxtrack.errors import require, unwritable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    options.add(parser, "--checkpoint", "TRACKER", options.TRACKER, default="lite")
    options.add_model(parser)
    kinds = ("stablehlo", "onnx")
    meaning = "format of the files"
    options.add(parser, "--format", "", meaning, default=kinds[0], choices=kinds)
    meaning = "folder to make; it must not exist"
    options.add(parser, "--out", "DIR", meaning, required=True)


def run(args: argparse.Namespace) -> None:
    """Exports."""
    checks.check_folder(args.out, is_new=True)
    checks.check_tracker(args.checkpoint, model=args.model)
    if args.format == "onnx":
        require("jax2onnx")
    out = pathlib.Path(args.out)
    from jaxtrack import trackers  # Late: --help should not wait for jax.
    from jaxtrack.training import inference

    source = inference.with_model(args.checkpoint, args.model)
    saved = inference.load_for_inference(source)
    config = trackers.with_preprocessing(saved.config)
    variables = trackers.folded(config, saved.variables)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        work = tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent)
        try:
            os.chmod(work, 0o755)
            _write(args.format, work, config, variables)
            os.replace(work, out)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as fault:
        raise unwritable(out, fault) from None
    sizes = [f"{p.name} {p.stat().st_size / 1e6:.1f} MB" for p in sorted(out.iterdir())]
    print(f"{out}: {trackers.describe(config)}: {', '.join(sizes)}")


def _write(kind, folder, config, variables):
    """Writes the files of one format."""
    from jaxtrack import trackers

    if kind == "onnx":
        from jaxtrack.export import onnx

        onnx.write(folder, config, trackers.network_of(config), variables)
    else:
        from jaxtrack.export import stablehlo

        stablehlo.write(folder, trackers.tracker_of(config), variables)
