"""Pack datasets, tables of stills and photographs into a folder to train from.

Examples:
  jaxtrack pack --root=videos/ --pattern='davis_*' --out=packed/davis
  jaxtrack pack --dataset=lasot --split=train --root=data/LaSOT --out=packed/lasot
  jaxtrack pack --dataset=trackingnet --root=data/TN --frames=50 --shard=0/4 --out=tn
  jaxtrack pack join --out=packed/tn m0/tn.incomplete m1/tn.incomplete
  jaxtrack pack check packed/davis
  jaxtrack pack check data/LaSOT --dataset=lasot
  jaxtrack pack show packed/davis --config=siamcar_lite0 --out=pairs.jpg

Actions: build (the default) packs; join puts together what several machines packed;
check decodes every image and examines every box, packed or, with --dataset, before
packing; show draws training pairs with boxes, labels and augmentation.

Without --dataset, a sequence is a folder `img/*.jpg` with `groundtruth_rect.txt`, one
line x,y,w,h per frame; masks in `mask/` are packed too. After an interruption, the same
command continues where it stopped; OUT appears when it is complete, with a data card,
card.md. An image, box or sequence that cannot be used is left out and listed in
OUT/bad.txt, and the exit status is 3; --strict fails instead. With --shard each of n
machines packs its share into OUT.incomplete: on a shared disk the last one makes OUT,
otherwise `jaxtrack pack join` does, without copying.
"""

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping

from jaxtrack import __version__, datasets
from jaxtrack.cli import checks, options
from jaxtrack.errors import InputError, suggest
from jaxtrack.shares import Share


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Defines the options."""
    meaning = f"one of {', '.join(ACTIONS)} (default: build)"
    parser.add_argument(
        "action", nargs="?", metavar="ACTION", default="build", help=meaning
    )
    meaning = "folders to join, check or show"
    parser.add_argument("folders", nargs="*", metavar="DIR", help=meaning)
    add, add_list = options.add, options.add_list
    add(parser, "--out", "DIR", "folder to make; for show, the picture to write")
    group = parser.add_argument_group("what to pack")
    add(group, "--root", "DIR", "folder of the dataset")
    meaning = f"one of {', '.join(datasets.TRAINING_SETS)}"
    add(group, "--dataset", "NAME", meaning + " (default: folders)", default=None)
    add(
        group,
        "--split",
        "NAME",
        "split of the dataset (default: its first)",
        default=None,
    )
    add_list(group, "--pattern", "GLOB", "sequences to pack (default: all)")
    meaning = (
        "leave out: a published list such as vot2018, a file of names, or a name or "
        "pattern"
    )
    add_list(group, "--exclude", "NAME", meaning)
    meaning = "table of photographs, one line `image x y w h` each"
    add_list(group, "--stills", "FILE", meaning)
    meaning = "folder of photographs without boxes, for composed scenes"
    add_list(group, "--photos", "DIR", meaning)
    add(group, "--source", "TEXT", "where the data come from, for the data card")
    add(group, "--terms", "TEXT", "terms of use of the data, for the data card")
    _add_shrinking(parser.add_argument_group("what is stored of a frame"))
    group = parser.add_argument_group("how")
    meaning = "leave out at most N unusable images, boxes and sequences, and "
    meaning += "fail (exit status 2) if there are more; without it any number"
    add(group, "--max_bad", "N", meaning, type=options.whole_number, default=None)
    options.add_flag(group, "--strict", "the same as --max_bad=0")
    meaning = "worker processes; 0: one per core"
    add(group, "--num_workers", "N", meaning, type=options.whole_number, default=0)
    meaning = "pack share i of n, counted from 0"
    add(group, "--shard", "i/n", meaning, default="0/1")
    group = parser.add_argument_group("what show draws")
    meaning = "config of the training, by name or as the path of a .py file"
    add(group, "--config", "NAME", meaning, default="siamcar_lite0")
    add(group, "--num", "N", "number of pairs", type=options.count, default=24)


def _add_shrinking(group):
    """Defines the options that say what is stored of a frame."""
    add, whole = options.add, options.whole_number
    meaning = (
        "track: what training can see of each target; whole: the frame; 511: the "
        "squares that pysot stores"
    )
    add(group, "--crop", "KIND", meaning, default="track")
    meaning = (
        "longer side of a frame, or of what is stored around a target, px; 0: 533 for "
        "track, 511 for 511, unlimited for whole"
    )
    add(group, "--longest_side", "N", meaning, type=whole, default=0)
    meaning = "quality of the encoding, 1 to 100; 0: 90, but whole frames are copied"
    add(group, "--quality", "N", meaning, type=whole, default=0)
    meaning = "jpeg, or webp: a third smaller, but 3 times slower to decode"
    add(group, "--format", "KIND", meaning, default="jpeg")
    meaning = "most frames of a track, evenly spaced; 0: all"
    add(group, "--frames", "N", meaning, type=whole, default=0)


def run(args: argparse.Namespace) -> None:
    """Does what the action says."""
    if args.action not in ACTIONS:
        raise InputError(f"pack {args.action}: {suggest(args.action, ACTIONS)}")
    ACTIONS[args.action](args)


def _build(args):
    """Packs."""
    from jaxtrack.data import build  # Late: --help needs none of it.
    from jaxtrack.data.packing import shrink

    _need_out(args, "the folder to make")
    if args.folders:
        raise InputError(f"pack build: unexpected {args.folders[0]!r}: name --root")
    if not (args.root or args.stills or args.photos):
        raise InputError(
            "nothing to pack: name a folder of sequences with --root, a table of still "
            "images with --stills or a folder of photographs with --photos"
        )
    checks.check_folder(args.out)
    stored = shrink.Shrink(
        crop=args.crop,
        longest_side=args.longest_side,
        quality=args.quality,
        format=args.format,
        frames=args.frames,
    )
    shrink.check(stored)
    share = _share(args.shard)
    index = build.build(
        args.out,
        root=args.root,
        patterns=args.pattern,
        exclude=args.exclude,
        stills=args.stills,
        photos=args.photos,
        dataset=args.dataset or "folders",
        split=args.split,
        shrink=stored,
        max_bad=_max_bad(args),
        num_workers=args.num_workers,
        share=share,
        origin=_origin(args),
    )
    if index is None:
        print(
            f"{args.out}.incomplete: share {args.shard} is packed; the machine that "
            "packs the last share there makes the folder, or join what lies apart: "
            f"jaxtrack pack join --out={args.out} DIR.incomplete ..."
        )
        return
    _print_packed(args.out, index)


def _join(args):
    """Joins what machines packed."""
    from jaxtrack.data import build  # Late: as above.

    _need_out(args, "the folder to make")
    index = build.join(
        args.out, args.folders, max_bad=_max_bad(args), origin=_origin(args)
    )
    _print_packed(args.out, index)


def _check(args):
    """Looks through data; exits with 2 if something is damaged."""
    from jaxtrack.data.packing import doctor  # Late: as above.

    if not args.folders:
        raise InputError("pack check: DIR is missing: name the folders to look through")
    damaged = 0
    for folder in args.folders:
        if args.dataset:
            findings = doctor.check_dataset(
                args.dataset,
                folder,
                split=args.split,
                patterns=args.pattern,
                num_workers=args.num_workers,
            )
        else:
            findings = doctor.check_packed(folder, num_workers=args.num_workers)
        for kind in ("suspicious", "damaged"):
            for line in getattr(findings, kind):
                print(f"{kind}: {line}")
        print(f"{folder}: {findings.text()}")
        damaged += len(findings.damaged)
    if damaged and args.dataset:
        raise InputError(
            f"{damaged} damaged: repair them, or pack the rest by --max_bad={damaged}"
        )
    if damaged:
        raise InputError(
            f"{damaged} damaged: pack again, or train without these frames by "
            "--config.data.skip_damaged=True"
        )


def _show(args):
    """Draws training pairs."""
    from jaxtrack.cli import pack_show  # Late: as above.

    _need_out(args, "the picture to write, such as --out=pairs.jpg")
    pack_show.draw(
        args.folders, args.out, config=args.config, num=args.num, changes=args.overrides
    )


def _need_out(args, what):
    """Raises unless --out is given."""
    if not args.out:
        raise InputError(f"--out is missing: name {what}")


def _max_bad(args):
    """Returns how much may be left out."""
    if args.strict:
        return 0
    return sys.maxsize if args.max_bad is None else args.max_bad


def _origin(args):
    """Returns what the data card says of the data's origin."""
    from jaxtrack.data import build  # Late: as above.

    command = shlex.join(["jaxtrack", *sys.argv[1:]])
    about = {"source": args.source, "terms": args.terms}
    return build.Origin(command=command, version=__version__, **about)


def _print_packed(out, index):
    """Reports what a folder holds and what was missing; status 3 if items are bad."""
    import numpy as np  # Late: as above.

    from jaxtrack.data.packing import card

    size = sum(shard.size for shard in index.shards)
    photos = f", {len(index.photos)} photographs" if len(index.photos) else ""
    boxes = len(index.table) - np.isnan(index.xyxy).any(axis=1).sum()
    contents = card.read(out)
    for note in contents["notes"]:
        print(note)
    print(
        f"{out}: {len(index.names)} tracks, {boxes} boxes{photos}, "
        f"{size / 1e6:.1f} MB; see card.md there"
    )
    if contents["bad"]:
        print(f"finished with {len(contents['bad'])} skipped", file=sys.stderr)
        raise SystemExit(3)


def _share(text):
    """Reads `i/n`."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and int(number) < int(count)):
        raise InputError(
            f"--shard={text}: expected i/n with i from 0 to n - 1, such as 0/4"
        )
    return Share(int(number), int(count))


# What `jaxtrack pack ACTION` does; each takes the parsed options.
ACTIONS: Mapping[str, Callable[[argparse.Namespace], None]] = {
    "build": _build,
    "join": _join,
    "check": _check,
    "show": _show,
}
